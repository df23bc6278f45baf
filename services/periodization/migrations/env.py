"""Alembic's way into the periodization service's tables; ``shared.db.migrations`` gives the connection."""

from alembic import context

from services.periodization.store import Tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Tables.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
