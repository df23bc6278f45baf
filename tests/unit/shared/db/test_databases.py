"""SQLite and PostgreSQL mean the same: aware times, whole transactions, a place of its own for each service."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import eventlet
import pytest
from sqlalchemy import String, inspect, select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.bus.transport.nameko_service import tandem_service
from shared.bus.transport.runner import Running
from shared.bus.transport.wiring import Wiring
from shared.db.common_tables import service_metadata
from shared.db.engine import Database
from shared.db.migrations import SchemaOutdated, check, create_all, newest, upgrade
from shared.db.tables import COLUMN_TYPES
from shared.ops.settings import Settings


class Tables(DeclarativeBase):
    metadata = service_metadata()
    type_annotation_map = COLUMN_TYPES


class Moment(Tables):
    __tablename__ = "moment"
    tenant: Mapped[str] = mapped_column(String(40), primary_key=True)
    id: Mapped[str] = mapped_column(String(10), primary_key=True)
    at: Mapped[datetime | None]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    create_all(Database("clock", database_url), Tables.metadata)
    database = Database("clock", database_url)
    yield database
    database.dispose()


def stored(database: Database) -> list[datetime | None]:
    with database.transaction() as db:
        return list(db.scalars(select(Moment.at).order_by(Moment.id)))


def test_times_come_back_aware_and_in_utc(database: Database) -> None:
    berlin = datetime(2026, 3, 2, 7, 0, tzinfo=timezone(timedelta(hours=1)))
    with database.transaction() as db:
        db.add_all([Moment(tenant="acme", id="a", at=berlin), Moment(tenant="acme", id="b", at=None)])
    assert stored(database) == [datetime(2026, 3, 2, 6, 0, tzinfo=UTC), None]
    assert stored(database)[0].tzinfo is UTC  # type: ignore[union-attr]


def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="no offset"), database.transaction() as db:
        db.add(Moment(tenant="acme", id="a", at=datetime(2026, 3, 2)))  # noqa: DTZ001 - what is refused


def test_a_transaction_is_whole(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as db:
        db.add(Moment(tenant="acme", id="a", at=None))
        db.flush()
        raise RuntimeError("half way")
    assert stored(database) == []


def test_green_threads_that_write_at_the_same_time_wait_for_each_other(database: Database) -> None:
    def write(number: int) -> None:
        with database.transaction() as db:
            db.add(Moment(tenant="acme", id=str(number), at=None))
            db.flush()
            eventlet.sleep(0)  # gives the others their chance to collide

    threads = [eventlet.spawn(write, number) for number in range(8)]
    for thread in threads:
        thread.wait()
    assert len(stored(database)) == 8


def test_each_service_has_a_place_of_its_own(database: Database, database_url: str) -> None:
    other = Database("other", database_url)
    create_all(Database("other", database_url), Tables.metadata)
    try:
        with database.transaction() as db:
            db.add(Moment(tenant="acme", id="a", at=None))
        assert stored(other) == []
    finally:
        other.dispose()


def test_sqlite_waits_for_locks_and_survives_a_power_cut(tmp_path: Path) -> None:
    database = Database("clock", f"sqlite:///{tmp_path}/{{service}}.db")
    with database.transaction() as db:
        pragmas = {
            name: db.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    database.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    assert (tmp_path / "clock.db").exists()


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(
        "from alembic import context\n"
        "context.configure(connection=context.config.attributes['connection'])\n"
        "with context.begin_transaction():\n    context.run_migrations()\n"
    )
    (folder / "versions" / "0001_first.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\nrevision = '0001'\ndown_revision = None\n"
        "def upgrade():\n    op.create_table('first', sa.Column('id', sa.Integer, primary_key=True))\n"
    )
    return folder


def test_upgrading_creates_the_tables_once_and_checking_agrees(database_url: str, migrations: Path) -> None:
    with pytest.raises(SchemaOutdated, match="tandem db upgrade"):
        check("clock", database_url, migrations)
    assert upgrade("clock", database_url, migrations) == "0001"
    assert upgrade("clock", database_url, migrations) == "0001"
    assert check("clock", database_url, migrations) == newest(migrations) == "0001"
    database = Database("clock", database_url)
    assert "first" in inspect(database.engine).get_table_names()
    database.dispose()


def test_a_services_pool_has_the_size_that_its_settings_say() -> None:
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:1/x", database_pool=3)
    running = Running([tandem_service("pooled", (), (), service_metadata())], Wiring(settings, None))
    bus = running.bus_of("pooled")
    bus.setup()
    assert bus.database.engine.pool.size() == 3
