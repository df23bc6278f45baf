"""Deliveries become state, inbox and outbox in one transaction, on both databases."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import eventlet
import pytest
from sqlalchemy import func, select
from sqlalchemy.event import listen
from sqlalchemy.exc import OperationalError

from shared.bus.delivery.processor import Processor
from shared.bus.delivery.retries import from_internal
from shared.bus.queue_names import RETRY_DELAYS_S
from shared.bus.routes import Route, Timer
from shared.db.delivery_tables import InboxRow, OutboxRow
from shared.db.engine import Database
from shared.db.migrations import create_all
from shared.messages.envelope import Delivery, type_of
from tests.toy.service import ROUTES, Add, Count, Get, Table, add

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def delivery(id: str, repetitions: Any, tenant: str = "acme", key: str = "toy.add", **more: Any) -> Delivery:
    data = {"athlete": "a1", "repetitions": repetitions} if key == "toy.add" else {"athlete": "a1"}
    return Delivery(
        source="command",
        routing_key=f"{tenant}.{key}",
        body=json.dumps(data).encode(),
        content_type="application/json",
        headers={"ce-id": id, "ce-source": "/p", "ce-type": type_of(key), "ce-specversion": "1.0"},
        user_id=tenant,
        reply_to=f"tenant.{tenant}.replies",
        correlation_id=f"c-{id}",
        **more,
    )


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    create_all(Database("toy", database_url), Table.metadata)
    database = Database("toy", database_url)
    yield database
    database.dispose()


def processor(database: Database, routes: Sequence[Route] = ROUTES, **more: Any) -> Processor:
    patient = {"budget_s": 60.0}  # a machine under load must not cut a batch in two
    return Processor("toy", routes, database, None, lambda: NOW, **(patient | more))


def total(database: Database, tenant: str = "acme") -> int:
    with database.transaction() as db:
        return db.scalar(select(func.sum(Count.repetitions)).where(Count.tenant == tenant)) or 0


def rows(database: Database, table: Any) -> int:
    with database.transaction() as db:
        return db.scalar(select(func.count()).select_from(table)) or 0


def types(messages: Sequence[Any]) -> list[str]:
    return [row.message.headers["ce-type"].removeprefix("tandem.").removesuffix(".v1") for row in messages]


def test_state_inbox_and_outbox_are_written_together(database: Database) -> None:
    batch = processor(database).process([delivery("m1", 1), delivery("m2", 2)])
    assert batch.done == 2
    assert types(batch.messages) == ["toy.added", "toy.add.accepted", "toy.added", "toy.add.accepted"]
    assert total(database) == 3
    assert (rows(database, InboxRow), rows(database, OutboxRow)) == (2, 4)


def test_a_duplicate_within_and_after_a_batch_has_no_second_effect(database: Database) -> None:
    work = processor(database)
    first = work.process([delivery("m1", 1), delivery("m1", 1)])
    second = work.process([delivery("m1", 1)])
    assert total(database) == 1
    assert types(first.messages) == ["toy.added", "toy.add.accepted", "toy.add.accepted"]
    repeated = {"message": "m1", "effect": "applied", "total": 1, "duplicate": True}
    assert json.loads(second.messages[0].message.body) == repeated


def test_an_id_of_another_command_is_refused_too(database: Database) -> None:
    work = processor(database)
    work.process([delivery("m1", 1)])
    batch = work.process([delivery("m1", None, key="toy.later")])
    assert json.loads(batch.messages[0].message.body)["errors"][0]["code"] == "id_reused"


def test_a_refusal_in_the_middle_of_a_batch_undoes_only_itself(database: Database) -> None:
    batch = processor(database).process([delivery("m1", 1), delivery("m2", 13), delivery("m3", 4)])
    assert batch.done == 3
    assert types(batch.messages) == [
        "toy.added",
        "toy.add.accepted",
        "toy.add.rejected",
        "toy.command-rejected",
        "toy.added",
        "toy.add.accepted",
    ]
    assert total(database) == 5


def test_a_repeated_refusal_is_told_again_to_the_sender_and_to_nobody_else(database: Database) -> None:
    work = processor(database)
    for message in (delivery("m1", 13), delivery("m2", "many")):
        work.process([message])
        assert types(work.process([message]).messages) == ["toy.add.rejected"]


def test_a_mistake_in_a_handler_parks_the_message_with_its_reason(database: Database) -> None:
    batch = processor(database).process([delivery("m1", 1), delivery("m2", 666), delivery("m3", 2)])
    assert total(database) == 3
    parked = [row.message for row in batch.messages if row.message.routing_key == "toy.parked.by-service"]
    assert len(parked) == 1
    assert parked[0].headers["tandem-reason"] == "handler_failed"
    assert "RuntimeError" in parked[0].headers["tandem-error"]
    assert parked[0].headers["tandem-routing-key"] == "acme.toy.add"
    assert parked[0].headers["ce-id"] == "m2"


def test_an_event_of_ours_that_cannot_be_read_is_parked_and_can_be_replayed(database: Database) -> None:
    work = processor(database)
    event = replace(delivery("e1", 1, key="toy.added"), source="event", body=b'{"athlete": "a1", "total": "many"}')
    (row,) = work.process([event]).messages
    assert row.message.routing_key == "toy.parked.by-service"
    assert row.message.headers["tandem-reason"] == "event_refused"
    assert row.message.headers["tandem-error"] == "/total int_type"
    assert types(work.process([replace(event, body=b'{"athlete": "a1", "total": 1}')]).messages) == ["toy.echoed"]


def test_an_erased_athlete_leaves_the_inbox_and_its_old_messages_bring_nothing_back(database: Database) -> None:
    def erase(context: Any, incoming: Any) -> None:
        context.db.delete(context.db.get(Count, (context.tenant, incoming.body.athlete)))

    work = processor(database, [*ROUTES, Route("command", "athlete.erase", Get, erase)])
    work.process([delivery("m1", 1)])
    work.process([delivery("m2", 1), delivery("gone", None, key="athlete.erase")])
    with database.transaction() as db:
        kept = db.execute(select(InboxRow.message_id, InboxRow.athlete, InboxRow.reply)).all()
    assert sorted(kept) == [("gone", None, None), ("m1", None, None), ("m2", None, None)]
    work.process([delivery("m1", 1)])
    assert total(database) == 0


def test_what_another_try_may_cure_waits_longer_each_time_and_is_parked_in_the_end(database: Database) -> None:
    def deadlock(context: Any, incoming: Any) -> None:
        raise OperationalError("UPDATE", {}, Exception("deadlock detected"))

    work = processor(database, [Route("command", "toy.add", Add, deadlock)])
    message = delivery("m1", 1)
    keys = []
    for _ in range(len(RETRY_DELAYS_S) + 1):
        row = work.process([message]).messages[0]
        keys.append(row.message.routing_key)
        back = replace(message, headers=row.message.headers, routing_key=row.message.routing_key)
        message = from_internal(back)
    assert keys == [
        "toy.commands.wait.5",
        "toy.commands.wait.30",
        "toy.commands.wait.120",
        "toy.commands.wait.600",
        "toy.parked.by-service",
    ]
    assert message.routing_key == "acme.toy.add"
    assert (message.user_id, message.reply_to) == ("acme", "tenant.acme.replies")


def test_the_same_message_succeeds_after_waiting(database: Database) -> None:
    failures = [OperationalError("UPDATE", {}, Exception("deadlock detected"))]

    def sometimes(context: Any, incoming: Any) -> Any:
        if failures:
            raise failures.pop()
        return add(context, incoming)

    work = processor(database, [Route("command", "toy.add", Add, sometimes)])
    message = delivery("m1", 1)
    (row,) = work.process([message]).messages
    again = from_internal(replace(message, headers=row.message.headers))
    assert types(work.process([again]).messages) == ["toy.added", "toy.add.accepted"]
    assert total(database) == 1


def test_a_long_batch_is_committed_in_parts(database: Database) -> None:
    batch = processor(database, budget_s=0.0).process([delivery("m1", 1), delivery("m2", 2)])
    assert batch.done == 1
    assert total(database) == 1


def test_a_query_that_is_refused_costs_the_batch_nothing(database: Database) -> None:
    batch = processor(database).process([delivery("q1", None, key="toy.get"), delivery("m1", 1)])
    assert types(batch.messages) == ["toy.get.rejected", "toy.command-rejected", "toy.added", "toy.add.accepted"]
    assert rows(database, InboxRow) == 1


def test_without_user_id_nothing_is_done_but_it_is_told(database: Database) -> None:
    batch = processor(database).process([replace(delivery("m1", 1), user_id=None)])
    assert types(batch.messages) == ["toy.add.rejected", "toy.command-rejected"]
    assert total(database) == 0


def test_a_timer_that_fails_for_one_tenant_runs_for_the_others(database: Database) -> None:
    work = processor(database)
    work.process([delivery("m1", 1), delivery("m2", 2, tenant="bravo")])

    def tick(context: Any) -> list[str]:
        if context.tenant == "acme":
            raise RuntimeError("not today")
        context.emit("ticked", {}, None)
        return []

    published = [row for rows in work.run_timer(Timer("tick", 1.0, tick)) for row in rows]
    assert [row.message.routing_key for row in published] == ["bravo.toy.ticked"]


def test_a_database_that_is_away_burns_no_attempt(database: Database) -> None:
    work = processor(database)
    work.process([delivery("m0", 1)])

    class Away(Database):
        """The same database, as it looks when nobody answers."""

        def transaction(self, keeps_loaded: bool = False, durable: bool = True) -> Any:
            raise OperationalError("connect", {}, Exception("could not connect"))

        def batch(self) -> Any:
            return self.transaction()

    work.database = Away("toy", str(database.url.render_as_string(hide_password=False)))
    batch = work.process([delivery("m1", 1), delivery("m2", 1)])
    assert (batch.done, batch.messages, batch.database_away) == (0, (), True)


def test_a_batch_costs_a_fixed_number_of_statements(database: Database) -> None:
    """Ten times the messages, not ten times the statements for inbox and outbox."""
    statements: list[str] = []
    listen(database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    work = processor(database, [Route("command", "toy.add", Add, lambda context, incoming: None)])

    def counted(count: int, prefix: str) -> int:
        statements.clear()
        work.process([delivery(f"{prefix}{number}", 1) for number in range(count)])
        return len(statements)

    counted(1, "first")
    assert 0 < counted(5, "a") == counted(50, "b")


def test_replicas_do_not_overwrite_each_other(database: Database, database_url: str) -> None:
    """Two replicas read, add and write the same athlete's row at the same time."""
    replicas = [database, Database("toy", database_url)] if not database.is_sqlite else [database, database]

    def slow_add(context: Any, incoming: Any) -> Any:
        outcome = add(context, incoming)
        eventlet.sleep(0.001)  # gives the other replica its chance to read the same figure
        return outcome

    def replica(number: int) -> list[Any]:
        work = processor(replicas[number], [Route("command", "toy.add", Add, slow_add)])
        messages = [delivery(f"r{number}-{index}", 1) for index in range(20)]
        return [row for start in range(0, 20, 5) for row in work.process(messages[start : start + 5]).messages]

    threads = [eventlet.spawn(replica, number) for number in range(2)]
    written = [row for thread in threads for row in thread.wait()]
    assert total(database) == 40
    assert not [row for row in written if ".wait." in row.message.routing_key]
    replicas[1].dispose()


def test_a_repetition_is_answered_also_while_the_first_still_runs(database: Database) -> None:
    work = processor(database)
    first = work.process([delivery("m1", 1)])
    assert types(first.messages)[-1] == "toy.add.accepted"
    sent = replace(delivery("m2", 1, key="toy.later"), body=b'{"athlete": "a1"}')
    assert types(work.process([sent]).messages) == ["toy.later.accepted"], "the handler itself is slow to answer"
    (again,) = work.process([sent]).messages
    assert json.loads(again.message.body) == {"message": "m2", "effect": "none", "code": "duplicate", "duplicate": True}
