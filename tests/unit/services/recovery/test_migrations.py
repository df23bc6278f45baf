"""The migrations make exactly the tables that the store declares."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import services.recovery
from services.recovery.store import Tables
from shared.db import migrations
from shared.db.engine import Database

FOLDER = Path(services.recovery.__file__).parent / "migrations"


def test_the_newest_migration_equals_the_models(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/{{service}}.db"
    assert migrations.upgrade("recovery", url, FOLDER) == migrations.newest(FOLDER)
    assert migrations.upgrade("recovery", url, FOLDER) == migrations.check("recovery", url, FOLDER), "idempotent"
    database = Database("recovery", url)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Tables.metadata) == []
    database.dispose()


def test_every_table_of_the_service_has_the_tenant_in_its_key() -> None:
    for table in Tables.metadata.sorted_tables:
        assert "tenant" in table.primary_key.columns, table.name
