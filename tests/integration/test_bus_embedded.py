"""The whole way of a message in one process: command, effect, event, reply."""

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest

from shared.messages.validation import InvalidInput
from tandem.runtime.embedded import Embedded
from tests.service_and_file import RULES
from tests.toy.service import ToyService


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Embedded]:
    with Embedded(tmp_path, None, services=[ToyService]) as running:
        yield running


def test_a_command_has_its_effect_its_events_and_its_reply(toy: Embedded) -> None:
    reply = toy.tell("acme", "toy.add", {"athlete": "a1", "repetitions": 5})
    assert (reply.name, reply.data["total"]) == ("toy.add.accepted", 5)
    toy.settle()
    assert [(event.name, event.subject, event.data["total"]) for event in toy.events] == [
        ("toy.added", "a1", 5),
        ("toy.echoed", "a1", 5),
    ]
    assert toy.ask("acme", "toy.get", {"athlete": "a1"}) == {"athlete": "a1", "repetitions": 5}


def test_a_repeated_message_is_answered_and_changes_nothing(toy: Embedded) -> None:
    first = toy.tell("acme", "toy.add", {"athlete": "a1", "repetitions": 5}, id="m1")
    toy.settle()
    again = toy.tell("acme", "toy.add", {"athlete": "a1", "repetitions": 5}, id="m1")
    assert "duplicate" not in first.data
    assert again.data == {"message": "m1", "effect": "applied", "total": 5, "duplicate": True}
    toy.settle()
    assert toy.ask("acme", "toy.get", {"athlete": "a1"})["repetitions"] == 5
    assert len([event for event in toy.events if event.name == "toy.added"]) == 1


def test_an_id_used_for_another_body_is_refused(toy: Embedded) -> None:
    toy.tell("acme", "toy.add", {"athlete": "a1", "repetitions": 5}, id="m1")
    refused = toy.tell("acme", "toy.add", {"athlete": "a1", "repetitions": 6}, id="m1")
    assert refused.name == "toy.add.rejected"
    assert [error["code"] for error in refused.data["errors"]] == ["id_reused"]
    assert toy.ask("acme", "toy.get", {"athlete": "a1"})["repetitions"] == 5


def test_what_is_wrong_comes_back_at_once_as_reply_and_as_event(toy: Embedded) -> None:
    refused = toy.tell("acme", "toy.add", {"athlet": "a1", "repetitions": "many"})
    toy.settle()
    assert [error["pointer"] for error in refused.data["errors"]] == ["/athlete", "/repetitions", "/athlet"]
    assert "did you mean 'athlete'?" in refused.data["errors"][2]["message"]
    assert [event.name for event in toy.events] == ["toy.command-rejected"]
    assert toy.events[0].data["errors"] == refused.data["errors"]


def test_an_unknown_command_is_refused_with_the_nearest_one(toy: Embedded) -> None:
    with pytest.raises(InvalidInput, match="did you mean 'toy.add'"):
        toy.ask("acme", "toy.ad", {})


def test_a_handler_that_refuses_leaves_nothing_behind(toy: Embedded) -> None:
    ids = [toy.send("acme", "toy.add", {"athlete": "a1", "repetitions": n}) for n in (1, 13, 2)]
    toy.settle()
    assert [toy.replies[identity].outcome for identity in ids] == ["accepted", "rejected", "accepted"]
    assert toy.ask("acme", "toy.get", {"athlete": "a1"})["repetitions"] == 3


def test_a_handler_with_a_mistake_parks_its_message_and_no_other(toy: Embedded) -> None:
    for repetitions in (1, 666, 2):
        toy.send("acme", "toy.add", {"athlete": "a1", "repetitions": repetitions})
    toy.settle()
    assert toy.parked() == 1
    assert toy.ask("acme", "toy.get", {"athlete": "a1"})["repetitions"] == 3


def test_tenants_do_not_see_each_other(toy: Embedded) -> None:
    toy.tell("acme", "toy.add", {"athlete": "a1", "repetitions": 5}, id="m1")
    assert toy.tell("bravo", "toy.add", {"athlete": "a1", "repetitions": 7}, id="m1").data["total"] == 7
    with pytest.raises(InvalidInput, match="no such athlete"):
        toy.ask("charlie", "toy.get", {"athlete": "a1"})


def test_timers_run_for_every_tenant(toy: Embedded) -> None:
    for tenant in ("acme", "bravo"):
        toy.tell(tenant, "toy.add", {"athlete": "a1", "repetitions": 5})
    toy.tick()
    toy.settle()
    assert sorted(event.tenant or "" for event in toy.events if event.name == "toy.ticked") == ["acme", "bravo"]


def test_a_reply_may_come_later(toy: Embedded) -> None:
    assert toy.tell("acme", "toy.later", {"athlete": "a1"}).data["late"] is True


def test_a_thousand_messages_settle(toy: Embedded) -> None:
    for number in range(1000):
        toy.send("acme", "toy.add", {"athlete": f"a{number % 7}", "repetitions": 1}, id=f"m{number}")
    toy.settle()
    total = sum(toy.ask("acme", "toy.get", {"athlete": f"a{n}"})["repetitions"] for n in range(7))
    assert total == 1000
    assert len([event for event in toy.events if event.name == "toy.echoed"]) == 1000


def test_one_sender_s_messages_are_taken_in_their_order(toy: Embedded) -> None:
    numbers = range(20, 50)
    for number in numbers:
        toy.send("acme", "toy.add", {"athlete": "a1", "repetitions": number})
    toy.settle()
    totals = [event.data["total"] for event in toy.events if event.name == "toy.added"]
    assert totals == list(accumulate(numbers))


def test_a_service_that_does_not_exist_is_answered_like_any_refusal(tmp_path: Path) -> None:
    with Embedded(tmp_path, RULES, evaluator="reference") as running:
        refused = running.tell("acme", "loads.record-session", {"athlete": "a1"})
        running.settle()
    assert refused.name == "loads.record-session.rejected"
    assert [error["code"] for error in refused.data["errors"]] == ["unknown_message"]
    assert "did you mean 'load.record-session'?" in refused.data["errors"][0]["message"]
    assert [event.name for event in running.events] == ["periodization.command-rejected"]
