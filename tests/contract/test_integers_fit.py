"""Whatever whole number a message may hold fits what stores it, and what every JSON reader keeps exact."""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import BigInteger, Integer, SmallInteger

from shared.contract.words import SERVICES

BITS = {SmallInteger: 15, Integer: 31, BigInteger: 63}
JSON_BITS = 53


def integers(node: Any, name: str = "") -> Iterator[tuple[str, int | None, int | None]]:
    """(name, least, most) of each integer of a JSON schema."""
    if isinstance(node, list):
        for inner in node:
            yield from integers(inner, name)
    if not isinstance(node, dict):
        return
    if node.get("type") == "integer":
        yield name, node.get("minimum"), node.get("maximum")
    for word, inner in node.items():
        if word in ("properties", "$defs"):
            for own, schema in inner.items():
                yield from integers(schema, own)
        else:
            yield from integers(inner, name)


@pytest.mark.parametrize("service", SERVICES)
def test_every_integer_of_a_command_has_a_range_that_its_column_holds(service: str) -> None:
    routes = importlib.import_module(f"services.{service}.handlers").ROUTES
    tables = importlib.import_module(f"services.{service}.store").Tables.metadata.tables.values()
    bits = {
        column.name: BITS[type(column.type)]
        for table in tables
        if not table.name.startswith("rule_")  # numbered by ourselves
        for column in table.columns
        if isinstance(column.type, Integer)
    }
    found = {one for route in routes if route.source == "command" for one in integers(route.model.model_json_schema())}
    assert found
    for name, least, most in sorted(found, key=str):
        assert least is not None and most is not None, f"{name} has no range"
        limit = 2 ** min(JSON_BITS, bits.get(name, JSON_BITS)) - 1
        assert -limit <= least and most <= limit, f"{name} goes to {most}, and what stores it to {limit}"


def test_a_revision_may_be_milliseconds_since_1970() -> None:
    model = next(
        route.model
        for route in importlib.import_module("services.load.handlers").ROUTES
        if route.key == "load.record-session"
    )
    assert ("revision", 0, 2**53 - 1) in set(integers(model.model_json_schema()))
