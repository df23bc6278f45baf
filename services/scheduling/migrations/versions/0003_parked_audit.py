"""Who replayed or dropped which parked message."""

from shared.db import migration_steps

revision = "0003"
down_revision = "0002"

upgrade = migration_steps.create_parked_audit
downgrade = migration_steps.drop_parked_audit
