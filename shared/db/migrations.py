"""Brings a service's tables to the newest version, and says when they are not. Never done by a service starting up."""

from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, make_url

from shared.db.engine import Database, create_schema
from shared.db.row_security import secure
from shared.db.server_log import keep_values_out
from shared.hub import Hub


class SchemaOutdated(RuntimeError):
    """The database's tables are not those of this version; the message says what to run."""


def upgrade(service: str, url: str, migrations: Path, service_url: str | None = None, until: str = "head") -> str:
    """Applies every missing migration of ``service`` up to ``until``; returns the revision reached. Idempotent.

    ``service_url``: on PostgreSQL the address that the service itself will use, when ``url`` is that of another role,
    which then owns the tables.
    """
    database = Database(service, url)
    try:
        create_schema(database)
        with database.engine.connect() as connection:
            config = _config(migrations)
            config.attributes["connection"] = connection
            config.attributes["service"] = service
            command.upgrade(config, until)
            # Not a revision: it holds for every table there will be, and for whatever role the settings name.
            role = make_url(service_url) if service_url else None
            secure(connection, service, role)
            if not database.is_sqlite:
                keep_values_out(connection, role.username if role else None)
            connection.commit()
        return newest(migrations)
    finally:
        database.dispose()


def check(
    service: str, url: str, migrations: Path, answers_within_s: float | None = None, hub: Hub | None = None
) -> str:
    """The revision of the database; raises SchemaOutdated when it is not the newest."""
    database = Database(service, url, True, answers_within_s, hub=hub)
    try:
        with database.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    finally:
        database.dispose()
    wanted = newest(migrations)
    if current != wanted:
        found = current or "none"
        raise SchemaOutdated(
            f"{database.service}: tables are at revision {found}, needed is {wanted}; run: tandem db upgrade"
        )
    return wanted


def newest(migrations: Path) -> str:
    """The newest revision in a service's ``migrations`` folder."""
    head = ScriptDirectory.from_config(_config(migrations)).get_current_head()
    if head is None:
        raise SchemaOutdated(f"{migrations} holds no migration")
    return head


def run_in_context(tables: MetaData) -> None:
    """What a service's ``migrations/env.py`` does: over the connection that ``upgrade`` opened."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=tables,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def create_all(database: Database, metadata: MetaData) -> None:
    """Every table as the models say, without migrations: for throw-away databases only."""
    try:
        create_schema(database)
        metadata.create_all(database.engine)
        with database.engine.begin() as connection:
            secure(connection, database.service)
    finally:
        database.dispose()


def _config(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    return config
