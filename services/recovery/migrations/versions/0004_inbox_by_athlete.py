"""Finds an athlete's inbox rows, and draws no other question to that index."""

from shared.db.inbox_index_migration import begin_with_athlete, begin_with_tenant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin_with_athlete()


def downgrade() -> None:
    begin_with_tenant()
