"""Finds an athlete's inbox rows, and draws no other question to that index."""

from shared.db import migration_steps

revision = "0005"
down_revision = "0004"

upgrade = migration_steps.inbox_index_by_athlete
downgrade = migration_steps.inbox_index_by_tenant
