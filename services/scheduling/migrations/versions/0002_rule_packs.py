"""Rule packs that came over the bus, and the last good rule files."""

from shared.db import migration_steps

revision = "0002"
down_revision = "0001"

upgrade = migration_steps.create_rule_tables
downgrade = migration_steps.drop_rule_tables
