"""What a session's own record says of its quality, for the sums to read without the whole record."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for name in ("confirmed", "zero_effort"):
        op.add_column("sessions", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    sessions = sa.table("sessions", sa.column("body", sa.JSON()), sa.column("zero_effort", sa.Boolean()))
    op.execute(sessions.update().where(sessions.c.body["rpe"].as_float() == 0).values(zero_effort=True))


def downgrade() -> None:
    for name in ("confirmed", "zero_effort"):
        op.drop_column("sessions", name)
