"""What a sender hears of a message that no handler finished with: parked, settled at last, expired."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.periodization.handlers import ROUTES as PERIODIZATION
from shared.bus.delivery.processor import Batch
from shared.bus.delivery.retries import from_internal
from shared.bus.delivery.validation import Intake, Refused
from shared.bus.routes import Route
from shared.db.delivery_tables import InboxRow
from shared.db.engine import Database
from shared.messages.envelope import Delivery
from shared.ops import metrics
from tests.toy.service import ROUTES, Add
from tests.unit.shared.bus.delivery.test_processor import NOW, database, delivery, processor, rows, total, types

__all__ = ["database"]
DEATH = {"queue": "toy.commands", "exchange": "tandem.commands", "reason": "expired", "count": 1, "time": NOW}


def data_of(batch: Batch, kind: str) -> Mapping[str, Any]:
    kinds = zip(batch.messages, types(batch.messages), strict=True)
    (found,) = (row.message.body for row, one in kinds if one == kind)
    document: Mapping[str, Any] = json.loads(found)
    return document


def dead(id: str, reason: str = "expired", key: str = "toy.add", at: Any = NOW, **more: Any) -> Delivery:
    alive = delivery(id, 1, key=key, **more)
    headers = {**alive.headers, "x-death": [DEATH | {"reason": reason, "time": at}]}
    return replace(alive, headers=headers, died=reason, direct=False)


def expired(key: str) -> float:
    return metrics.expired.labels("toy", key)._value.get()


def test_a_parked_command_is_told_at_once_and_nothing_of_the_error_with_it(database: Database) -> None:
    batch = processor(database).process([delivery("m1", 666)])
    assert types(batch.messages)[1:] == ["toy.add.parked", "toy.command-parked"]
    told = data_of(batch, "toy.command-parked")
    assert (told["message"], told["source"], told["key"], told["code"]) == ("m1", "/p", "toy.add", "handler_failed")
    assert "RuntimeError" not in json.dumps(told) and "mistake" not in json.dumps(told)
    assert data_of(batch, "toy.add.parked")["code"] == "handler_failed"


def test_a_parked_query_is_answered_and_no_event(database: Database) -> None:
    def broken(context: Any, incoming: Any) -> None:
        raise RuntimeError("a mistake")

    work = processor(database, [Route("command", "toy.get", Add, broken, query=True)])
    batch = work.process([replace(delivery("q1", 1, key="toy.get"), body=delivery("q1", 1).body)])
    assert types(batch.messages)[1:] == ["toy.get.parked"]


@pytest.mark.parametrize(
    ("repetitions", "outcome", "code"), [(5, "applied", None), (13, "rejected", None)], ids=["taken", "refused"]
)
def test_a_replay_settles_what_was_parked(database: Database, repetitions: int, outcome: str, code: str | None) -> None:
    parked = processor(database).process([delivery("m1", 666)]).messages[0].message
    body = json.dumps({"athlete": "a1", "repetitions": repetitions}).encode()
    back = from_internal(replace(delivery("m1", 1), headers=parked.headers | {"tandem-replayed": "yes"}, body=body))
    batch = processor(database).process([back])
    told = data_of(batch, "toy.command-settled")
    assert (told["message"], told["source"], told["outcome"], told.get("code")) == ("m1", "/p", outcome, code)
    assert [error["code"] for error in told.get("errors", ())] == (["unlucky"] if outcome == "rejected" else [])
    again = processor(database).process([back])
    repeated = ("rejected", None) if outcome == "rejected" else ("none", "duplicate")
    settled = data_of(again, "toy.command-settled")
    assert (settled["outcome"], settled.get("code")) == repeated


def test_an_expired_command_is_told_by_an_event_once_and_an_expired_query_is_dropped(database: Database) -> None:
    work, before = processor(database), (expired("toy.add"), expired("toy.get"))
    batch = work.process([dead("m1"), dead("q1", key="toy.get"), dead("m1")])
    assert types(batch.messages) == ["toy.command-rejected"]
    told = data_of(batch, "toy.command-rejected")
    assert (told["message"], told["errors"][0]["code"]) == ("m1", "expired")
    assert types(work.process([dead("m1")]).messages) == []
    assert (expired("toy.add"), expired("toy.get")) == (before[0] + 1, before[1] + 1)
    assert total(database) == 0
    # The same message may be sent again: it had no effect.
    assert types(work.process([delivery("m1", 1)]).messages) == ["toy.added", "toy.add.accepted"]


def test_what_all_services_hear_does_not_expire(database: Database) -> None:
    routes = [replace(route, expires=False) for route in ROUTES if route.key == "toy.add"]
    assert "toy.added" in types(processor(database, routes).process([dead("m1")]).messages)
    assert total(database) == 1


def test_whoever_is_not_vouched_for_is_not_told(database: Database) -> None:
    strangers = [replace(dead("m1"), user_id="bravo"), replace(dead("m2"), user_id=None)]
    batch = processor(database).process([*strangers, replace(dead("m3", "delivery_limit"), user_id="bravo")])
    assert [row.message.exchange for row in batch.messages] == ["tandem.internal"]


@pytest.mark.parametrize("reason", ["delivery_limit", "rejected", "something new"])
def test_whatever_else_the_broker_gave_up_is_parked_once_with_its_reason(database: Database, reason: str) -> None:
    work = processor(database)
    batch = work.process([dead("m1", reason)])
    assert types(batch.messages)[1:] == ["toy.add.parked", "toy.command-parked"]
    message = batch.messages[0].message
    assert message.routing_key == "toy.parked.by-service"
    assert message.headers["tandem-reason"] == ("dead_lettered" if " " in reason else reason)
    assert (message.headers["tandem-routing-key"], message.headers["tandem-user-id"]) == ("acme.toy.add", "acme")
    assert work.process([dead("m1", reason)]).messages == ()
    later = NOW.replace(hour=13)
    assert len(work.process([dead("m1", reason, at=later)]).messages) == 3


def test_a_message_is_known_by_its_source_and_its_id(database: Database) -> None:
    def of(source: str, amount: int, tenant: str = "acme") -> Delivery:
        sent = delivery("m1", amount, tenant)
        return replace(sent, headers={**sent.headers, "ce-source": source})

    work = processor(database)
    sent: Sequence[Delivery] = [of("/a", 1), of("/b", 10), of("/a", 1)]
    batch = work.process(sent)
    assert types(batch.messages) == ["toy.added", "toy.add.accepted"] * 2 + ["toy.add.accepted"]
    assert (total(database), rows(database, InboxRow)) == (11, 2)
    assert types(work.process([of("/b", 99)]).messages) == ["toy.add.rejected", "toy.command-rejected"]


def test_what_was_taken_before_sources_counted_is_still_known(database: Database) -> None:
    work = processor(database)
    work.process([delivery("m1", 1)])
    with database.transaction() as db:
        for row in db.query(InboxRow):
            row.source = ""
    assert types(work.process([delivery("m1", 1)]).messages) == ["toy.add.accepted"]
    assert total(database) == 1


def test_a_source_longer_than_its_column_is_refused(database: Database) -> None:
    sent = delivery("m1", 1)
    batch = processor(database).process([replace(sent, headers={**sent.headers, "ce-source": "x" * 256})])
    assert data_of(batch, "toy.add.rejected")["errors"][0]["code"] == "source_invalid"


def test_a_subject_that_is_not_the_bodys_athlete_is_refused(database: Database) -> None:
    def about(subject: str) -> Delivery:
        sent = delivery("m1", 1)
        return replace(sent, headers={**sent.headers, "ce-subject": subject})

    batch = processor(database).process([about("a2")])
    (error,) = data_of(batch, "toy.add.rejected")["errors"]
    assert (error["pointer"], error["code"]) == ("/athlete", "subject_mismatch")
    assert total(database) == 0
    right = replace(about("a1"), headers={**about("a1").headers, "ce-id": "m2"})
    assert "toy.add.accepted" in types(processor(database).process([right]).messages)


def test_a_service_that_does_not_exist_is_answered_with_the_nearest() -> None:
    intake = Intake("periodization", PERIODIZATION, user_id_required=True)

    def told(key: str) -> str:
        reading = intake.read(delivery("m1", 1, key=key), NOW)
        assert isinstance(reading, Refused) and reading.replies
        assert reading.problems[0].code == "unknown_message"
        return reading.problems[0].message

    assert told("loads.record-session") == "no service is called 'loads'; did you mean 'load.record-session'?"
    assert "there are athlete, load, periodization, recovery, rules, scheduling" in told("x.y")
    assert told("load.record-session") == "load has not been set up on this broker"
    assert "did you mean 'athlete.put'?" in told("athlete.puts")
