"""Alembic's way into the periodization service's tables."""

from services.periodization.store import Tables
from shared.db.migrations import run_in_context

run_in_context(Tables.metadata)
