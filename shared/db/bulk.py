"""Writes many rows of several tables; on PostgreSQL in one round trip, whatever their number."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, String, Table, insert, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def write_rows(db: Session, parts: Sequence[tuple[Table, Sequence[Mapping[str, Any]]]]) -> None:
    """Inserts each table's rows, all of which name the same columns; IntegrityError when one is already there."""
    given = [(table, rows) for table, rows in parts if rows]
    if db.get_bind().dialect.name != "postgresql":
        for table, rows in given:
            db.execute(insert(table), list(rows))
        return
    if not given:
        return
    values = {name: value for table, rows in given for name, value in as_arrays(table, rows).items()}
    db.execute(text("; ".join(insert_sql(table, tuple(rows[0])) for table, rows in given)), values)


def as_arrays(table: Table, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The parameters of ``insert_sql``, one a column: naming each value of each row costs more than the insert."""
    return {f"{table.name}_{column}": [row[column] for row in rows] for column in rows[0]}


@lru_cache(maxsize=64)
def insert_sql(table: Table, columns: tuple[str, ...]) -> str:
    """PostgreSQL: inserts any number of rows; may be followed by ON CONFLICT."""
    arrays = (f"CAST(:{table.name}_{name} AS {_element_type(table.c[name])}[])" for name in columns)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM unnest({', '.join(arrays)})"


def _element_type(column: Column[Any]) -> str:
    """Of the array that brings a column's values. As ``varchar(40)`` it would cut off what is too long, silently."""
    return "text" if isinstance(column.type, String) else column.type.compile(dialect=_DIALECT)
