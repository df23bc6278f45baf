"""Alembic's way into the scheduling service's tables; the connection is given by ``shared.db.migrations``."""

from alembic import context

from services.scheduling.store import Tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Tables.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
