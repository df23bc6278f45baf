"""Two batches of one process under way at once, on PostgreSQL: one waits for nobody but its own athletes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import eventlet
import pytest
from eventlet.event import Event

from shared.bus.handling import Accepted, Context, Incoming
from shared.bus.processing import Batch, Processor
from shared.db import delivery_tables
from shared.db.engine import Database
from shared.db.migrations import create_all
from shared.messages.envelope import Delivery
from tests.postgres import Postgres
from tests.toy.service import ROUTES, Table, add
from tests.unit.shared.bus.test_processing import delivery, rows, total

TABLES = delivery_tables.of(Table.metadata)


class Slow:
    """The toy's handler, which stays in its transaction at repetitions of 10 until it is let go."""

    def __init__(self) -> None:
        self.handled: list[str] = []
        self.under_way = Event()
        self.let_go = Event()

    def __call__(self, context: Context, incoming: Incoming[Any]) -> Accepted:
        self.handled.append(incoming.id)
        if incoming.body.repetitions == 10:
            self.under_way.send(None)
            self.let_go.wait()
        return add(context, incoming)


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    database = Database("toy", postgres.new_database())
    create_all(database, Table.metadata)
    yield database
    database.dispose()


def of_athlete(athlete: str, id: str, repetitions: int = 1, tenant: str = "acme") -> Delivery:
    made = delivery(id, repetitions, tenant=tenant)
    return replace(made, body=made.body.replace(b'"a1"', f'"{athlete}"'.encode()))


def processor(database: Database, slow: Slow) -> Processor:
    routes = [replace(route, handle=slow) if route.key == "toy.add" else route for route in ROUTES]
    return Processor("toy", routes, database, TABLES, None, lambda: datetime.now(UTC), budget_s=60)


def begun(work: Processor, *deliveries: Delivery) -> Any:
    return eventlet.spawn(work.process, deliveries)


def test_another_athletes_batch_is_done_while_the_first_is_under_way(database: Database) -> None:
    slow = Slow()
    work = processor(database, slow)
    first = begun(work, of_athlete("a1", "m1", 10), of_athlete("a2", "m2"))
    slow.under_way.wait()
    assert work.process([of_athlete("a3", "m3", 2), of_athlete("a4", "m4", 3)]).done == 2
    assert total(database) == 5
    slow.let_go.send(None)
    assert first.wait().done == 2
    assert total(database) == 16
    assert rows(database, TABLES.inbox) == 4


def test_the_same_athletes_messages_keep_their_order(database: Database) -> None:
    slow = Slow()
    work = processor(database, slow)
    first = begun(work, of_athlete("a1", "m1", 10))
    second = begun(work, of_athlete("a2", "m2"), of_athlete("a1", "m3"))
    third = begun(work, of_athlete("a2", "m4"))
    slow.under_way.wait()
    eventlet.sleep(0.1)
    assert slow.handled == ["m1"]
    slow.let_go.send(None)
    batches: list[Batch] = [thread.wait() for thread in (first, second, third)]
    assert [batch.done for batch in batches] == [1, 2, 1]
    assert slow.handled == ["m1", "m2", "m3", "m4"]


def test_the_same_message_in_both_batches_has_one_effect(database: Database) -> None:
    slow = Slow()
    work = processor(database, slow)
    first = begun(work, of_athlete("a1", "m1", 10), of_athlete("a1", "m2", 2))
    second = begun(work, of_athlete("a1", "m2", 2), of_athlete("a1", "m1", 10))
    slow.under_way.wait()
    slow.let_go.send(None)
    first.wait()
    second.wait()
    assert slow.handled == ["m1", "m2"]
    assert total(database) == 12


def test_a_new_tenant_in_both_batches_is_noted_once(database: Database) -> None:
    slow = Slow()
    work = processor(database, slow)
    first = begun(work, of_athlete("a1", "m1", 10, "newcomer"))
    slow.under_way.wait()
    work.process([of_athlete("a2", "m2", 2, "newcomer"), of_athlete("a3", "m3", 2, "newcomer")])
    slow.let_go.send(None)
    assert len(first.wait().messages) == 2
    assert slow.handled == ["m1", "m2", "m3"]
    assert rows(database, TABLES.tenants) == 1
