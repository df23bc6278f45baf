"""When an erase was taken by the service's own clock, and whether any service had something to erase."""

import sqlalchemy as sa
from alembic import op

from shared.db import migration_steps

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    migration_steps.add_when_erase_was_taken()
    # A confirmation that came before this was one of an erase: it counts as applied.
    applied: sa.Column[bool] = sa.Column(
        "applied", sa.Boolean(), nullable=False, server_default=sa.true(), comment="one of them held something"
    )
    op.add_column("erase_confirmations", applied)


def downgrade() -> None:
    op.drop_column("erase_confirmations", "applied")
    migration_steps.drop_when_erase_was_taken()
