"""What delivery keeps of an erased athlete: nothing, also of what was refused, not sent yet, or comes too late."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from shared.bus.broker import BrokerAway
from shared.bus.delivery.retries import Dropped, Failure, athlete_named, from_internal, to_retry
from shared.bus.routes import APPLIED, Accepted, Forgotten, Route
from shared.db.delivery_tables import InboxRow, OutboxRow
from shared.db.engine import Database
from shared.db.migrations import create_all
from tests.toy.service import ROUTES, Add, Get, Table
from tests.unit.shared.bus.delivery.test_processor import NOW, delivery, processor, rows, types


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database("toy", f"sqlite:///{tmp_path}/toy.sqlite3")
    create_all(Database("toy", str(database.url)), Table.metadata)
    yield database
    database.dispose()


def forget(context: Any, incoming: Any) -> Forgotten:
    return Forgotten()


def erase(context: Any, incoming: Any) -> Accepted:
    context.emit("athlete-erased", {"athlete": "a1"}, "a1")
    return Accepted(APPLIED)


ERASE = Route("command", "athlete.erase", Get, erase)


def inbox(database: Database) -> list[tuple[Any, ...]]:
    with database.transaction() as db:
        return [tuple(row) for row in db.execute(select(InboxRow.message_id, InboxRow.athlete, InboxRow.reply))]


def test_of_what_comes_too_late_only_the_id_is_kept(database: Database) -> None:
    work = processor(database, [Route("command", "toy.add", Add, forget)])
    (reply,) = work.process([delivery("late", 1)]).messages
    assert json.loads(reply.message.body) == {"message": "late", "effect": "none", "code": "erased"}
    assert inbox(database) == [("late", None, None)]
    (again,) = work.process([delivery("late", 1)]).messages
    assert json.loads(again.message.body) == {"message": "late", "effect": "none", "code": "erased", "duplicate": True}


def test_of_what_was_refused_nothing_is_kept_and_a_repetition_hears_the_same(database: Database) -> None:
    sent = delivery("wrong", "a1 weighs 81 kg")
    sent = replace(sent, headers={**sent.headers, "ce-subject": "a1"})
    first, again = (processor(database).process([sent]).messages[0] for _ in range(2))
    assert inbox(database) == [("wrong", None, None)]
    assert first.message.body == again.message.body and b"repetitions" in first.message.body


def test_what_was_not_sent_yet_is_not_sent_any_more(database: Database) -> None:
    work = processor(database, [*ROUTES, ERASE])
    work.process([delivery("m1", 1)])
    batch = work.process([delivery("m2", 1), delivery("gone", None, key="athlete.erase")])
    assert types(batch.messages) == ["toy.add.accepted", "toy.athlete-erased", "athlete.erase.accepted"]
    with database.transaction() as db:
        kept = list(db.scalars(select(OutboxRow.athlete).where(OutboxRow.athlete.is_not(None))))
    assert kept == ["a1"], "the erase itself"


def test_an_erase_waits_for_another_try_when_the_queues_cannot_be_looked_through(database: Database) -> None:
    asked = []

    def out_of_reach(tenant: str, athlete: str) -> list[Dropped]:
        asked.append((tenant, athlete))
        raise BrokerAway("Connection refused")

    work = processor(database, [*ROUTES, ERASE], erase_waiting=out_of_reach)
    (row,) = work.process([delivery("gone", None, key="athlete.erase")]).messages
    assert (row.message.routing_key, row.athlete) == ("toy.commands.wait.5", "a1")
    assert (asked, rows(database, InboxRow)) == ([("acme", "a1")], 0)


def test_another_try_is_as_old_as_the_first(database: Database) -> None:
    """Else a message that was sent without a time would be younger than an erase that came meanwhile."""
    row = to_retry("toy", delivery("m1", 1), Failure("handler_failed", "x", NOW))
    assert row.message.headers["ce-time"] == NOW.isoformat()
    again = from_internal(replace(delivery("m1", 1), headers=row.message.headers))
    assert to_retry("toy", again, Failure("handler_failed", "x", NOW)).message.headers["ce-time"] == NOW.isoformat()


def test_sqlite_overwrites_what_it_deletes(database: Database, tmp_path: Path) -> None:
    with database.transaction() as db:
        db.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY, words TEXT)"))
        db.execute(text("INSERT INTO note VALUES (1, 'resting heart rate 47'), (2, 'stays')"))
    with database.transaction() as db:
        db.execute(text("DELETE FROM note WHERE id = 1"))
    assert any(b"heart rate" in file.read_bytes() for file in tmp_path.iterdir()), "the log still has it"
    database.wipe()
    assert not any(b"heart rate" in file.read_bytes() for file in tmp_path.iterdir())
    with database.transaction() as db:
        assert db.scalar(text("PRAGMA busy_timeout")) == 5000


@pytest.mark.parametrize(
    ("headers", "body", "athlete"),
    [
        ({}, b'{"athlete": "a1"}', "a1"),
        ({"ce-subject": "a2"}, b'{"athlete": "a1"}', "a1"),
        ({"Ce-Subject": "a2"}, b"{", "a2"),
        ({}, b'{"specversion": "1.0", "subject": "a2", "data": {"athlete": "a1"}}', "a1"),
        ({}, b'{"specversion": "1.0", "subject": "a2", "data": null}', "a2"),
        ({"ce-subject": 7}, b'{"athlete": ["a1"]}', None),
        ({}, b"[" * 100_000, None),
        ({}, b'{"athlete": "' + b"x" * 300_000 + b'"}', None),
        ({"ce-subject": "x" * 129}, b"\xff", None),
    ],
)  # fmt: skip
def test_whom_a_message_names(headers: dict[str, Any], body: bytes, athlete: str | None) -> None:
    assert athlete_named(headers, body) == athlete


def test_whoever_sent_what_was_parked_hears_that_it_is_gone(database: Database) -> None:
    parked = [Dropped("acme", name, "/p", key) for name, key in (("m1", "toy.add"), ("e1", "toy.added"))]
    work = processor(database, [*ROUTES, ERASE], erase_waiting=lambda tenant, athlete: parked)
    batch = work.process([delivery("gone", None, key="athlete.erase")])
    (told,) = [row for row in batch.messages if "command-settled" in row.message.routing_key]
    expected = {"message": "m1", "source": "/p", "key": "toy.add", "outcome": "none", "code": "erased"}
    assert json.loads(told.message.body) == expected
    assert told.athlete is None and "ce-subject" not in told.message.headers
