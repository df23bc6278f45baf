"""Rule packs that came over the bus, and the last good rule files."""

from shared.db.rule_migration import create_rule_tables, drop_rule_tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_rule_tables()


def downgrade() -> None:
    drop_rule_tables()
