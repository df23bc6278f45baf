"""Knows a message by its source and its id."""

from shared.db import migration_steps

revision = "0008"
down_revision = "0007"

upgrade = migration_steps.inbox_by_source
downgrade = migration_steps.inbox_by_id
