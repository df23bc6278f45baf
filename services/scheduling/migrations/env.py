"""Alembic's way into the scheduling service's tables."""

from services.scheduling.store import Tables
from shared.db.migrations import run_in_context

run_in_context(Tables.metadata)
