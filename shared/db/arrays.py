"""Many values as one parameter: PostgreSQL's text form of an array.

psycopg2 writes an array value by value, and the server then parses an expression for each. Source of the form:
PostgreSQL manual, section 8.15.6 (array input and output syntax).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

_NULL = "NULL"


def as_array(values: Sequence[Any]) -> str | list[Any]:
    """``values`` for ``CAST(%s AS …[])``: one text, or, where they are of no one plain type, a list for psycopg2."""
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
