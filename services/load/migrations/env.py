"""Alembic's way into the load service's tables."""

from services.load.store import Tables
from shared.db.migrations import run_in_context

run_in_context(Tables.metadata)
