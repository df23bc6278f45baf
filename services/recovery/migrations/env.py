"""Alembic's way into the recovery service's tables."""

from services.recovery.store import Tables
from shared.db.migrations import run_in_context

run_in_context(Tables.metadata)
