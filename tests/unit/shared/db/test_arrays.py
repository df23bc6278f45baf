"""Arrays as text: what PostgreSQL makes of them is what was given."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.db.bulk import as_array
from shared.db.engine import Database
from tests.postgres import Postgres

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
MOMENTS = st.datetimes(timezones=st.just(UTC))
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXT,
    "bytea": st.binary(max_size=12),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "float8": st.floats(allow_nan=False),
    "timestamptz": MOMENTS,
    "date": st.dates(date(1, 1, 1)),
}


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Iterator[Database]:
    database = Database("toy", postgres.new_database())
    yield database
    database.dispose()


def through(database: Database, kind: str, values: list[Any]) -> list[Any]:
    with database.reading() as db:
        db.connection().exec_driver_sql("SET TIME ZONE 'UTC'")
        rows = db.connection().exec_driver_sql(f"SELECT * FROM unnest(CAST(%s AS {kind}[]))", (as_array(values),))
        return [bytes(value) if isinstance(value, memoryview) else value for (value,) in rows]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_values_come_back_as_they_were_given(database: Database, kind: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.none() | KINDS[kind], max_size=6))
    assert through(database, kind, values) == values
    assert values == [] or isinstance(as_array(values), str)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXT)
@example("NULL")
@example("")
@example(" ")
@example('a,"b"}\\')
@example("%s %(x)s '; DROP TABLE runs; --")
def test_any_text_comes_back(database: Database, text: str) -> None:
    assert through(database, "text", [text, None, text]) == [text, None, text]


def test_an_instant_is_the_same_instant_in_any_zone(database: Database) -> None:
    at = datetime(2026, 3, 2, 6, 30, tzinfo=timezone(timedelta(hours=1, minutes=30)))
    assert through(database, "timestamptz", [at]) == [at]


def test_what_is_no_plain_type_is_left_to_the_driver(database: Database) -> None:
    class Kind(StrEnum):
        RUN = "run"

    assert as_array([1, 2.5]) == [1, 2.5]
    assert as_array([Kind.RUN]) == [Kind.RUN]
    assert through(database, "float8", [1, 2.5]) == [1.0, 2.5]


def test_a_nul_character_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="NUL"):
        through(database, "text", ["a\0b"])
