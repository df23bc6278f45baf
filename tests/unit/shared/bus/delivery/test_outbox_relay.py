"""Committed rows reach the broker: at once, or by the sweeper, and never stand in the outbox afterwards."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import eventlet
import pytest
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from shared.bus.broker import Confirms, PublishFailed
from shared.bus.delivery.inbox import DeliveryStore
from shared.bus.delivery.outbox import ROWS_PER_PUBLISH, OutboxEntry, Relay, outbox_entry
from shared.bus.delivery.outbox_sweeper import Sweeper
from shared.bus.transport.hub import HUB
from shared.db.delivery_tables import OutboxRow
from shared.db.engine import Database
from shared.db.migrations import create_all
from shared.messages.envelope import Outgoing, outgoing
from shared.ops import metrics
from tests.toy.service import Table

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Sent:
    """Stands for the broker, whose absence is what is tested; the real one is in tests/integration."""

    def __init__(self) -> None:
        self.messages: list[Outgoing] = []
        self.failures = 0
        self.full = False
        self.tried: list[int] = []

    def publish(self, messages: Sequence[Outgoing]) -> Confirms:
        self.tried.append(len(messages))
        if self.full:
            return Confirms((), frozenset(range(len(messages))))
        if self.failures:
            self.failures -= 1
            raise PublishFailed("the broker is away")
        self.messages += messages
        return Confirms()

    def keep_alive(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    create_all(Database("toy", database_url), Table.metadata)
    database = Database("toy", database_url)
    yield database
    database.dispose()


def committed(database: Database, store: DeliveryStore, count: int, age_s: float = 0.0) -> list[OutboxEntry]:
    made = NOW - timedelta(seconds=age_s)
    rows = []
    for number in range(count):
        message = outgoing(
            exchange="tandem.events",
            routing_key="acme.toy.added",
            id=f"e{number:03}-{age_s}",
            source="/tandem/toy",
            type="tandem.toy.added.v1",
            time=made,
            subject=None,
            data={"number": number},
        )
        rows.append(outbox_entry("acme", message, None, made))
    with database.transaction() as db:
        store.write(db, (), rows)
    return rows


def start(database: Database) -> tuple[Relay, Sweeper, DeliveryStore, Sent]:
    store, sent = DeliveryStore(), Sent()
    relay = Relay("toy", database, store.outbox, sent, HUB)
    return relay, Sweeper(relay, database, store, sent, lambda: int(NOW.timestamp() * 1000)), store, sent


def empty(database: Database, store: DeliveryStore) -> bool:
    with database.transaction() as db:
        return store.outbox.is_empty(db)


def test_what_is_handed_over_is_published_in_order_and_forgotten(database: Database) -> None:
    relay, sweeper, store, sent = start(database)
    rows = committed(database, store, 700)
    runner = eventlet.spawn(relay.run)
    relay.hand_over(rows)
    relay.stop()
    runner.wait()
    assert [message.headers["ce-id"] for message in sent.messages] == [row.id for row in rows]
    assert empty(database, store)
    assert relay.in_hand == 0


def test_a_connection_that_broke_is_replaced_at_once(database: Database) -> None:
    relay, sweeper, store, sent = start(database)
    sent.failures = 1
    runner = eventlet.spawn(relay.run)
    relay.hand_over(committed(database, store, 3))
    relay.stop()
    runner.wait()
    assert len(sent.messages) == 3
    assert empty(database, store)


def test_what_could_not_be_published_is_swept_up_later_under_the_same_ids(database: Database) -> None:
    relay, sweeper, store, sent = start(database)
    sent.failures = 2
    rows = committed(database, store, 3, age_s=6)
    runner = eventlet.spawn(relay.run)
    relay.hand_over(rows)
    relay.stop()
    runner.wait()
    assert sent.messages == []
    assert not empty(database, store)
    assert sweeper.sweep() == 3
    assert [message.headers["ce-id"] for message in sent.messages] == [row.id for row in rows]
    assert empty(database, store)


def test_the_sweeper_leaves_young_rows_to_the_relay(database: Database) -> None:
    relay, sweeper, store, sent = start(database)
    committed(database, store, 1, age_s=1)
    committed(database, store, 1, age_s=9)
    assert sweeper.sweep() == 1
    assert len(sent.messages) == 1
    assert not empty(database, store)


def test_one_sweep_takes_all_that_a_long_outage_left(database: Database) -> None:
    _, sweeper, store, sent = start(database)
    committed(database, store, 2 * ROWS_PER_PUBLISH + 7, age_s=60.0)
    assert sweeper.sweep() == 2 * ROWS_PER_PUBLISH + 7 == len(sent.messages)
    with database.transaction() as db:
        assert store.outbox.is_empty(db)


def test_what_a_full_queue_does_not_take_is_tried_again_one_at_a_time(database: Database) -> None:
    _, sweeper, store, sent = start(database)
    committed(database, store, 5, age_s=9)
    sent.full = True
    assert sweeper.sweep() == 0
    assert (sent.tried, sweeper.is_held_up) == ([5], True)
    sweeper.sweep()
    assert sent.tried == [5], "before it is time to try again"
    sent.full = False
    sweeper._probe_at = 0.0  # what waiting for some seconds would bring
    assert (sweeper.sweep(), sent.tried[1:], sweeper.is_held_up) == (1, [1], False)
    assert (sweeper.sweep(), empty(database, store)) == (4, True)


def test_rows_that_another_replica_looks_at_are_not_taken_for_gone(database: Database) -> None:
    _, sweeper, store, sent = start(database)
    committed(database, store, 2, age_s=9)
    sent.full = True
    sweeper.sweep()
    with database.transaction() as elsewhere:
        if not database.is_sqlite:  # it has one writer and no locked rows
            store.outbox.unpublished(elsewhere, int(NOW.timestamp() * 1000), 10)
            sweeper.sweep()
            assert (sent.tried, sweeper.is_held_up) == ([2], True)
        elsewhere.execute(delete(OutboxRow))
    sweeper.sweep()
    assert not sweeper.is_held_up, "what was erased holds nothing up"


def test_a_sweep_says_whether_the_database_answers(database: Database) -> None:
    _, sweeper, *_ = start(database)
    sweeper.sweep()
    assert answers() == 1
    Table.metadata.drop_all(database.engine)
    with pytest.raises(SQLAlchemyError):
        sweeper.sweep()
    assert answers() == 0


def answers() -> float | None:
    return metrics.registry.get_sample_value("tandem_database_answers", {"service": "toy"})
