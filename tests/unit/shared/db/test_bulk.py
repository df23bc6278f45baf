"""Rows of several tables at once mean the same on both databases."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, select
from sqlalchemy.exc import DataError, IntegrityError

from shared.db.bulk import Rows, delete_rows, find_rows, write_rows
from shared.db.engine import Database
from shared.db.migrations import create_all
from shared.db.tables import UtcDateTime

METADATA = MetaData()
RUNS = Table(
    "runs",
    METADATA,
    Column("name", String(8), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("body", LargeBinary, nullable=True),
)
LIFTS = Table("lifts", METADATA, Column("name", String(8), primary_key=True), Column("sets", Integer, nullable=True))
AT = datetime(2026, 3, 2, 12, 30, 15, 250_000, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database("toy", database_url)
    create_all(database, METADATA)
    yield database
    database.dispose()


RUN_COLUMNS, LIFT_COLUMNS = ("name", "at", "body"), ("name", "sets")


def runs(*values: tuple[Any, ...]) -> Rows:
    return Rows(RUNS, RUN_COLUMNS, values)


def lifts(*values: tuple[Any, ...]) -> Rows:
    return Rows(LIFTS, LIFT_COLUMNS, values)


def test_every_value_comes_back_as_it_was_given(database: Database) -> None:
    ran = [("easy", AT, b"\x00\xff'; DROP TABLE runs; --"), ("ä\n'\"%s:", AT, None)]
    with database.transaction() as db:
        write_rows(db, (runs(*ran), lifts(("squat", None), ("{a,b}", -3)), lifts()))
    with database.reading() as db:
        assert sorted(map(tuple, db.execute(select(RUNS)))) == sorted(ran)
        assert sorted(map(tuple, db.execute(select(LIFTS)))) == [("squat", None), ("{a,b}", -3)]


def test_rows_are_found_and_deleted_by_pairs(database: Database) -> None:
    many = [(f"r{number}", AT, f"b{number}".encode()) for number in range(450)]
    with database.transaction() as db:
        write_rows(db, (runs(*many),))
    pairs = [(f"r{number}", f"r{number}") for number in range(0, 900, 2)]
    with database.transaction() as db:
        found = list(find_rows(db, RUNS, ("body", "at"), ("name", "name"), pairs))
        assert sorted(found) == sorted((body, at) for _, at, body in many[::2])
        delete_rows(db, RUNS, ("name", "name"), pairs)
    with database.reading() as db:
        assert set(db.scalars(select(RUNS.c.name))) == {name for name, _, _ in many[1::2]}
        assert list(find_rows(db, RUNS, ("name",), ("name", "name"), [])) == []


def test_rows_can_be_deleted_lazily(database: Database) -> None:
    with database.transaction() as db:
        write_rows(db, (runs(("easy", AT, None), ("long", AT, None)),))
    with database.batch(durable=False) as db:
        delete_rows(db, RUNS, ("name", "name"), [("easy", "easy"), ("other", "other")], lazily=True)
    with database.reading() as db:
        assert set(db.scalars(select(RUNS.c.name))) == {"long"}


def test_a_row_that_is_already_there_is_an_error_and_nothing_is_written(database: Database) -> None:
    with pytest.raises(IntegrityError), database.transaction() as db:
        write_rows(db, (runs(("easy", AT, None)), lifts(("a", 1), ("a", 1))))
    with database.reading() as db:
        assert db.execute(select(RUNS)).all() == []


def test_what_is_too_long_is_refused_or_kept_whole_never_cut_off(database: Database) -> None:
    long = "longer than eight"
    refuses = contextlib.nullcontext() if database.is_sqlite else pytest.raises(DataError)
    with refuses, database.transaction() as db:
        write_rows(db, (lifts((long, 1)),))
    with database.reading() as db:
        assert db.scalars(select(LIFTS.c.name)).all() == ([long] if database.is_sqlite else [])
