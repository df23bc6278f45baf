"""Finds an athlete's inbox rows, and nothing else: beginning with the tenant, the index drew other questions to it."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INDEX, _TABLE = "ix_inbox_athlete", "inbox"


def upgrade() -> None:
    op.drop_index(_INDEX, _TABLE)
    op.create_index(_INDEX, _TABLE, ["athlete", "tenant"])


def downgrade() -> None:
    op.drop_index(_INDEX, _TABLE)
    op.create_index(_INDEX, _TABLE, ["tenant", "athlete"])
