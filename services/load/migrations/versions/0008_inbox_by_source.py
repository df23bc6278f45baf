"""Knows a message by its source and its id; a session's revision may be milliseconds since 1970."""

import sqlalchemy as sa
from alembic import op

from shared.db import migration_steps

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    migration_steps.inbox_by_source()
    with op.batch_alter_table("sessions") as sessions:
        sessions.alter_column("revision", type_=sa.BigInteger(), existing_type=sa.Integer(), existing_nullable=True)


def downgrade() -> None:
    """A revision that does not fit any more becomes the largest that does."""
    op.execute("UPDATE sessions SET revision = 2147483647 WHERE revision > 2147483647")
    with op.batch_alter_table("sessions") as sessions:
        sessions.alter_column("revision", type_=sa.Integer(), existing_type=sa.BigInteger(), existing_nullable=True)
    migration_steps.inbox_by_id()
