"""Rows of several tables at once mean the same on both databases."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, select
from sqlalchemy.exc import DataError, IntegrityError

from shared.db.bulk import write_rows
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


def test_every_value_comes_back_as_it_was_given(database: Database) -> None:
    runs: list[dict[str, Any]] = [
        {"name": "easy", "at": AT, "body": b"\x00\xff'; DROP TABLE runs; --"},
        {"name": "näh\n'\"\\", "at": AT, "body": None},
    ]
    lifts: list[dict[str, Any]] = [{"name": "squat", "sets": None}, {"name": "{a,b}", "sets": -3}]
    with database.transaction() as db:
        write_rows(db, ((RUNS, runs), (LIFTS, lifts), (LIFTS, [])))
    with database.reading() as db:
        assert [dict(row._mapping) for row in db.execute(select(RUNS).order_by(RUNS.c.name))] == runs
        assert sorted((row.name, row.sets) for row in db.execute(select(LIFTS))) == [("squat", None), ("{a,b}", -3)]


def test_a_row_that_is_already_there_is_an_error_and_nothing_is_written(database: Database) -> None:
    with pytest.raises(IntegrityError), database.transaction() as db:
        write_rows(db, ((RUNS, [{"name": "easy", "at": AT, "body": None}]), (LIFTS, [{"name": "a", "sets": 1}] * 2)))
    with database.reading() as db:
        assert db.execute(select(RUNS)).all() == []


def test_what_is_too_long_is_refused_or_kept_whole_never_cut_off(database: Database) -> None:
    long = "longer than eight"
    refuses = contextlib.nullcontext() if database.is_sqlite else pytest.raises(DataError)
    with refuses, database.transaction() as db:
        write_rows(db, ((LIFTS, [{"name": long, "sets": 1}]),))
    with database.reading() as db:
        assert db.scalars(select(LIFTS.c.name)).all() == ([long] if database.is_sqlite else [])
