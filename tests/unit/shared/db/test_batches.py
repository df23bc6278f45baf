"""A batch's transaction ends, whatever happens in it, and its connection never comes back open."""

from collections.abc import Iterator
from typing import Any

import eventlet
import pytest
from sqlalchemy import Column, MetaData, String, Table, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from shared.db.bulk import Rows, write_rows
from shared.db.engine import Database
from shared.db.migrations import create_all
from tests.postgres import Postgres

METADATA = MetaData()
LIFTS = Table("lifts", METADATA, Column("name", String(8), primary_key=True))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database("toy", database_url)
    create_all(database, METADATA)
    yield database
    database.dispose()


def begin(db: Session) -> None:
    if db.get_bind().dialect.name == "postgresql":
        db.connection().exec_driver_sql("SELECT 1")


def lifts(*names: str) -> Rows:
    return Rows(LIFTS, ("name",), [(name,) for name in names])


def stored(database: Database) -> set[str]:
    with database.transaction() as db:
        return set(db.scalars(select(LIFTS.c.name)))


def open_transactions(database: Database) -> int:
    """Of other connections than the one that asks."""
    if database.is_sqlite:
        return 0
    with database.reading() as db:
        count = text(
            "SELECT count(*) FROM pg_stat_activity WHERE state LIKE '%in transaction%' AND datname = current_database()"
            " AND pid != pg_backend_pid()"
        )
        return int(db.scalar(count) or 0)


@pytest.mark.parametrize("last", [True, False])
def test_what_a_batch_wrote_is_there_for_others(database: Database, last: bool) -> None:
    with database.batch() as db:
        begin(db)
        db.execute(insert(LIFTS), {"name": "squat"})
        assert stored_beside(database) == set()
        write_rows(db, [lifts("bench", "row")], last=last)
    assert stored(database) == {"squat", "bench", "row"}
    assert open_transactions(database) == 0


def stored_beside(database: Database) -> set[str]:
    """What others see meanwhile."""
    with database.reading() as db:
        return set(db.scalars(select(LIFTS.c.name)))


def test_an_error_takes_all_of_it_back(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.batch() as db:
        begin(db)
        write_rows(db, [lifts("squat")])
        raise ZeroDivisionError
    assert stored(database) == set()
    assert open_transactions(database) == 0


def test_a_row_that_is_already_there_keeps_the_commit_behind_it_from_happening(database: Database) -> None:
    with pytest.raises(IntegrityError), database.batch() as db:
        begin(db)
        db.execute(insert(LIFTS), {"name": "squat"})
        write_rows(db, [lifts("bench", "squat")], last=True)
    assert stored(database) == set()
    assert open_transactions(database) == 0
    with database.batch() as db:
        begin(db)
        write_rows(db, [lifts("squat")], last=True)
    assert stored(database) == {"squat"}


def test_a_batch_that_is_cut_off_in_a_statement_leaves_no_open_connection_in_the_pool(database: Database) -> None:
    with pytest.raises(TimeoutError), eventlet.Timeout(0.2, TimeoutError), database.batch() as db:
        begin(db)
        write_rows(db, [lifts("squat")])
        if database.is_sqlite:
            eventlet.sleep(10)
        db.execute(text("SELECT pg_sleep(10)"))
    assert stored(database) == set()
    assert open_transactions(database) == 0


def test_a_batch_that_asked_nothing_is_none(database: Database) -> None:
    with database.batch():
        pass
    assert open_transactions(database) == 0


def test_a_connection_that_was_closed_meanwhile_is_told_as_lost_and_replaced(postgres: Postgres) -> None:
    database = Database("toy", postgres.new_database())
    with database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        connection.rollback()
    driver.close()  # as a wait that is cut off does
    with pytest.raises(DBAPIError) as caught, database.batch() as db:
        db.connection().exec_driver_sql("SELECT 1")
    assert caught.value.connection_invalidated
    with database.batch() as db:
        assert db.connection().exec_driver_sql("SELECT 1").scalar_one() == 1
