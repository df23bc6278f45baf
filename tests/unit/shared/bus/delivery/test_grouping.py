"""A route with ``handle_many`` has the same effects as without, only quicker."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from shared.bus.delivery.processor import Processor
from shared.bus.routes import Accepted, Answered, Context, Incoming, Rejected
from shared.db.engine import Database
from shared.db.migrations import create_all
from shared.messages.envelope import Delivery, type_of
from shared.messages.validation import Problem
from tests.toy.service import ROUTES, Count, Table, add
from tests.unit.shared.bus.delivery.test_processor import delivery, total, types

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
Outcomes = list[Accepted | Answered | Rejected | None]


class AddMany:
    """Adds one by one, and remembers how many it was given at a time."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, calls: Sequence[tuple[Context, Incoming[Any]]]) -> Outcomes:
        self.sizes.append(len(calls))
        return [self._one(context, incoming) for context, incoming in calls]

    def _one(self, context: Context, incoming: Incoming[Any]) -> Accepted | Rejected:
        if incoming.body.repetitions == 14:
            return Rejected([Problem("/repetitions", "too_late", "14 is not taken")])
        return add(context, incoming)


def processor(database: Database, many: Any = None) -> Processor:
    routes = [replace(route, handle_many=many) if route.key == "toy.add" else route for route in ROUTES]
    return Processor("toy", routes, database, None, lambda: NOW, budget_s=60)


def database_in(url: str, name: str) -> Database:
    database = Database("toy", url.replace("{service}", f"{name}-{{service}}"))
    create_all(database, Table.metadata)
    return database


@pytest.fixture
def database(database_url: str) -> Any:
    found = database_in(database_url, "one")
    yield found
    found.dispose()


def test_neighbours_of_one_tenant_are_handled_in_one_call(database: Database) -> None:
    many = AddMany()
    batch = processor(database, many).process(
        [delivery("m1", 1), delivery("m2", "none"), delivery("m3", 2), delivery("m1", 1, tenant="bravo")]
    )
    assert many.sizes == [2, 1]
    assert (batch.done, total(database), total(database, "bravo")) == (4, 3, 1)
    assert Counter(types(batch.messages)) == {
        "toy.added": 3,
        "toy.add.accepted": 3,
        "toy.add.rejected": 1,
        "toy.command-rejected": 1,
    }


def test_a_repetition_in_the_same_batch_is_told_the_first_one_s_outcome(database: Database) -> None:
    batch = processor(database, AddMany()).process([delivery("m1", 1), delivery("m1", 1), delivery("m1", 2)])
    assert total(database) == 1
    assert types(batch.messages) == [
        "toy.added",
        "toy.add.accepted",
        "toy.add.accepted",
        "toy.add.rejected",
        "toy.command-rejected",
    ]


def test_one_that_is_refused_in_its_place_undoes_no_other(database: Database) -> None:
    many = AddMany()
    batch = processor(database, many).process([delivery("m1", 1), delivery("m2", 14), delivery("m3", 2)])
    assert (many.sizes, total(database)) == ([3], 3)
    assert "toy.add.rejected" in types(batch.messages)


def test_a_call_that_raises_leaves_each_message_to_the_handler_alone(database: Database) -> None:
    batch = processor(database, AddMany()).process([delivery("m1", 1), delivery("m2", 13), delivery("m3", 666)])
    assert (batch.done, total(database)) == (3, 1)
    assert [row.message.exchange for row in batch.messages].count("tandem.internal") == 1


def test_outcomes_that_do_not_match_the_messages_settle_nothing(database: Database) -> None:
    batch = processor(database, lambda calls: []).process([delivery("m1", 1), delivery("m2", 2)])
    assert (batch.done, total(database)) == (2, 3)


@pytest.mark.parametrize("seed", range(6))
def test_any_mixture_ends_the_same_either_way(tmp_path: Any, seed: int) -> None:
    chance = random.Random(seed)
    batches = [[_any_delivery(chance) for _ in range(chance.randrange(1, 30))] for _ in range(12)]
    ends = []
    for name, many in (("alone", None), ("many", AddMany())):
        database = database_in(f"sqlite:///{tmp_path}/{{service}}.sqlite3", name)
        work = processor(database, many)
        told: Counter[tuple[str | None, str]] = Counter()
        for batch in batches:
            done = work.process(batch)
            assert done.done == len(batch)
            told.update((row.message.correlation_id, kind) for row, kind in _kinds(done.messages))
        with database.transaction() as db:
            counts = {(row.tenant, row.athlete): row.repetitions for row in db.scalars(select(Count))}
        database.dispose()
        ends.append((counts, told))
    assert ends[0] == ends[1]


def _kinds(rows: Sequence[Any]) -> list[tuple[Any, str]]:
    return [(row, row.message.headers["ce-type"]) for row in rows]


def _any_delivery(chance: random.Random) -> Delivery:
    repetitions: Any = chance.choice([1, 2, 3, 4, 5, 13, 666, "none"] if chance.random() < 0.3 else [1, 2, 3])
    tenant = chance.choice(["acme", "acme", "bravo"])
    made = delivery(f"m{chance.randrange(60)}", repetitions, tenant)
    if chance.random() < 0.1:
        return delivery(made.headers["ce-id"], None, tenant, key="toy.get")
    if chance.random() < 0.05:
        return replace(made, headers={**made.headers, "ce-type": type_of("toy.else")})
    return made
