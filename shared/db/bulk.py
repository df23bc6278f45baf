"""Many rows at once, by SQL as the driver takes it: what SQLAlchemy does for each value costs more than the database.

On PostgreSQL a column of any number of rows is one parameter, an array, and all tables are written in one round trip.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, CursorResult, String, Table
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.orm import Session

from shared.db.batches import COMMIT, LAZILY

_NULL = "NULL"


def as_array(values: Sequence[Any]) -> str | list[Any]:
    """``values`` for ``CAST(%s AS …[])``: one text, or, where they are of no one plain type, a list for psycopg2.

    psycopg2 writes an array value by value, and the server then parses an expression for each. Source of the form:
    PostgreSQL manual, section 8.15.6 (array input and output syntax).
    """
    kinds = set(map(type, values)) - {type(None)}
    if len(kinds) > 1:
        return list(values)
    write = _WRITERS.get(kinds.pop()) if kinds else str
    if write is None:
        return list(values)
    return "{" + ",".join(_NULL if value is None else write(value) for value in values) + "}"


def _text(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


def _bytes(value: bytes) -> str:
    return f'"\\\\x{value.hex()}"'


def _moment(value: date) -> str:
    return f'"{value.isoformat()}"'


_WRITERS: Mapping[type, Callable[[Any], str]] = {
    str: _text,
    bytes: _bytes,
    int: str,
    bool: str,
    float: repr,
    datetime: _moment,
    date: _moment,
}


_DIALECT = make_url("postgresql+psycopg2://").get_dialect()()
_PAIRS_PER_QUERY = 200

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of ``table``: tuples in the order of ``columns``."""

    table: Table
    columns: tuple[str, ...]
    values: Sequence[tuple[Any, ...]]


def write_rows(db: Session, parts: Iterable[Rows], last: bool = False) -> None:
    """Inserts all of them; IntegrityError when a row is already there.

    ``last``: in a ``Database.batch``, and nothing comes after: on PostgreSQL this commits as well.
    """
    given = [rows for rows in parts if rows.values]
    if not given:
        return
    connection = db.connection()
    if connection.dialect.name == "postgresql":
        sql = "; ".join(insert_sql(rows.table, rows.columns) for rows in given) + (COMMIT if last else "")
        connection.exec_driver_sql(sql, tuple(array for rows in given for array in as_arrays(rows)))
        return
    for rows in given:
        marks = ", ".join("?" * len(rows.columns))
        sql = f"INSERT INTO {rows.table.name} ({', '.join(rows.columns)}) VALUES ({marks})"
        convert = _converters(rows.table, rows.columns, connection.dialect)
        connection.exec_driver_sql(sql, [_converted(row, convert) for row in rows.values])


def find_rows(db: Session, table: Table, columns: tuple[str, ...], key: Pair, wanted: Sequence[Pair]) -> Iterator[Any]:
    """The rows whose two ``key`` columns are one of the ``wanted`` pairs, as tuples in the order of ``columns``."""
    connection = db.connection()
    if connection.dialect.name == "postgresql":
        found = connection.exec_driver_sql(find_sql(table.name, columns, key), _two_arrays(wanted))
        yield from as_stored(table, columns, found)
        return
    for condition, parameters in _conditions(key, wanted):
        sql = f"SELECT {', '.join(columns)} FROM {table.name} WHERE {condition}"
        yield from as_stored(table, columns, connection.exec_driver_sql(sql, parameters))


def find_sql(table: str, columns: Sequence[str], key: Pair, marks: Pair = ("%s", "%s")) -> str:
    """PostgreSQL: what ``find_rows`` asks; ``marks`` stand for two arrays.

    Pair by pair: left to choose, the planner reads the whole of a table that it has no statistics of yet.
    """
    return f"""
SELECT {", ".join(f"found.{name}" for name in columns)}
FROM unnest(CAST({marks[0]} AS text[]), CAST({marks[1]} AS text[])) AS wanted (first, second)
CROSS JOIN LATERAL (
    SELECT {", ".join(columns)} FROM {table}
    WHERE {table}.{key[0]} = wanted.first AND {table}.{key[1]} = wanted.second OFFSET 0
) AS found
"""


def as_stored(table: Table, columns: tuple[str, ...], found: CursorResult[Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of the driver's with the values that ``table``'s types make of them."""
    dialect = found.dialect
    kinds = [table.c[name].type.dialect_impl(dialect) for name in columns]
    convert = [(place, kind.result_processor(dialect, None)) for place, kind in enumerate(kinds)]
    to_convert = [(place, how) for place, how in convert if how is not None]
    return (_converted(row, to_convert) for row in found)


def delete_rows(db: Session, table: Table, key: Pair, unwanted: Sequence[Pair], lazily: bool = False) -> None:
    """Deletes the rows whose two ``key`` columns are one of the ``unwanted`` pairs.

    ``lazily``: as all that a ``Database.batch`` does; on PostgreSQL one round trip, which waits for no disk.
    """
    connection = db.connection()
    if connection.dialect.name == "postgresql":
        places = f"ctid = ANY(ARRAY({find_sql(table.name, ('ctid',), key)}))"
        sql = f"DELETE FROM {table.name} WHERE {places}"
        connection.exec_driver_sql(LAZILY + sql + COMMIT if lazily else sql, _two_arrays(unwanted))
        return
    for condition, parameters in _conditions(key, unwanted):
        connection.exec_driver_sql(f"DELETE FROM {table.name} WHERE {condition}", parameters)


def as_arrays(rows: Rows) -> list[Any]:
    """The parameters of ``insert_sql``."""
    return [as_array(column) for column in zip(*rows.values, strict=True)]


@lru_cache(maxsize=64)
def insert_sql(table: Table, columns: tuple[str, ...]) -> str:
    """PostgreSQL: inserts any number of rows; may be followed by ON CONFLICT."""
    arrays = (f"CAST(%s AS {_element_type(table.c[name])}[])" for name in columns)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM unnest({', '.join(arrays)})"


def _two_arrays(pairs: Sequence[Pair]) -> tuple[Any, Any]:
    return as_array([first for first, _ in pairs]), as_array([second for _, second in pairs])


def _conditions(key: Pair, pairs: Sequence[Pair]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for start in range(0, len(pairs), _PAIRS_PER_QUERY):
        part = pairs[start : start + _PAIRS_PER_QUERY]
        marks = ", ".join(["(?, ?)"] * len(part))
        yield f"({', '.join(key)}) IN (VALUES {marks})", tuple(value for pair in part for value in pair)


def _converters(table: Table, columns: tuple[str, ...], dialect: Dialect) -> list[tuple[int, Callable[[Any], Any]]]:
    """By place; only of columns whose values the driver does not take as they are."""
    found = enumerate(table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in columns)
    return [(place, how) for place, how in found if how is not None]


def _converted(row: Sequence[Any], convert: Iterable[tuple[int, Callable[[Any], Any]]]) -> tuple[Any, ...]:
    values = list(row)
    for place, how in convert:
        values[place] = how(values[place])
    return tuple(values)


def _element_type(column: Column[Any]) -> str:
    """Of the array that brings a column's values. As ``varchar(40)`` it would cut off what is too long, silently."""
    return "text" if isinstance(column.type, String) else column.type.compile(dialect=_DIALECT)
