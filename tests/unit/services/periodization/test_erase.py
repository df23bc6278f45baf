"""An erased athlete is gone and stays gone whatever arrives late; the sender hears of it when all services are done."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import String, cast, func, select

from services.periodization.store import Tables
from shared.bus.delivery.inbox import DeliveryStore, Retention
from shared.bus.routes import APPLIED, DUPLICATE, Accepted, Forgotten, Later, Rejected
from tests.unit.services.periodization.conftest import Periodization
from tests.unit.services.periodization.test_handlers import ATHLETE, GOALS, load_of

CONFIRMED = {"effect": "applied", "athlete": "a1", "erased_by": ["load", "periodization", "recovery", "scheduling"]}
START = datetime(2026, 3, 2, 8, tzinfo=UTC)


def everything_named(periodization: Periodization, athlete: str) -> list[str]:
    """Tables that still hold the athlete's id anywhere."""
    found = []
    with periodization.database.transaction() as db:
        for table in Tables.metadata.tables.values():
            for column in table.columns:
                query = select(func.count()).select_from(table).where(cast(column, String).like(f"%{athlete}%"))
                if db.scalar(query):
                    found.append(f"{table.name}.{column.name}")
    return found


def put_and_plan(periodization: Periodization) -> None:
    periodization.take("athlete.put", ATHLETE, at=START)
    periodization.take("periodization.set-goals", GOALS, at=START)
    periodization.take("periodization.start-deload", {"athlete": "a1", "from": "2026-03-09"}, at=START)
    periodization.take("load.load-assessed", load_of("2026-03-01", acwr_combined=1.0), at=START)


def test_nothing_that_names_the_athlete_is_left(periodization: Periodization) -> None:
    put_and_plan(periodization)
    assert everything_named(periodization, "a1")
    periodization.take("athlete.erase", {"athlete": "a1"}, at=START + timedelta(hours=1))
    assert everything_named(periodization, "a1") == []
    assert periodization.emitted("athlete-erased") == [
        {"athlete": "a1", "service": "periodization", "effect": "applied"}
    ]
    with pytest.raises(Rejected):
        periodization.take("periodization.get-season", {"athlete": "a1"})


def test_another_athlete_and_another_tenant_stay(periodization: Periodization) -> None:
    put_and_plan(periodization)
    periodization.take("athlete.put", {**ATHLETE, "athlete": "a2"}, at=START)
    periodization.take("athlete.put", ATHLETE, tenant="other", at=START)
    periodization.take("athlete.erase", {"athlete": "a1"}, at=START + timedelta(hours=1))
    periodization.answer("periodization.get-season", {"athlete": "a2"})
    periodization.answer("periodization.get-season", {"athlete": "a1"}, tenant="other")


def test_what_was_said_before_and_arrives_after_has_no_effect(periodization: Periodization) -> None:
    periodization.take("athlete.erase", {"athlete": "a1"}, at=START + timedelta(hours=1))
    put_and_plan(periodization)
    assert everything_named(periodization, "a1") == []


def test_an_athlete_put_again_later_is_a_new_one(periodization: Periodization) -> None:
    put_and_plan(periodization)
    periodization.take("athlete.erase", {"athlete": "a1"}, at=START + timedelta(hours=1))
    periodization.take("athlete.put", ATHLETE, at=START + timedelta(hours=2))
    assert periodization.answer("periodization.get-season", {"athlete": "a1"})["goals"] == []


def test_all_that_came_before_it_goes_whatever_its_stamp(periodization: Periodization) -> None:
    ahead = START + timedelta(minutes=4)
    for key, body in (("athlete.put", ATHLETE), ("periodization.set-goals", GOALS)):
        periodization.take(key, body, at=ahead)
    periodization.take("load.load-assessed", load_of("2026-03-01", acwr_combined=1.0), at=ahead)
    periodization.take("athlete.erase", {"athlete": "a1"}, at=START)
    assert everything_named(periodization, "a1") == []


def test_an_erase_again_is_told_as_one(periodization: Periodization) -> None:
    periodization.take("athlete.put", ATHLETE, at=START)
    for hours, effect in ((1, APPLIED), (2, DUPLICATE), (1, DUPLICATE)):
        again = periodization.take("athlete.erase", {"athlete": "a1"}, at=START + timedelta(hours=hours))
        assert again == Accepted(effect, {"athlete": "a1"})
    assert [event["effect"] for event in periodization.emitted("athlete-erased")] == ["applied", "none", "none"]
    periodization.take("athlete.put", ATHLETE, at=START + timedelta(hours=3))
    assert periodization.take("athlete.erase", {"athlete": "a1"}, at=START) == Accepted(APPLIED, {"athlete": "a1"})
    late = periodization.take("athlete.put", ATHLETE, at=START + timedelta(hours=2))
    assert late == Forgotten(more={"athlete": "a1"}), "of two erases the later stamp counts"


@pytest.mark.parametrize("held_by", ["load", None])
def test_it_is_none_only_where_no_service_held_anything(periodization: Periodization, held_by: str | None) -> None:
    erase = {"at": START, "correlation_id": "c1", "reply_to": "tenant.acme.replies"}
    periodization.take("athlete.erase", {"athlete": "a1"}, at=START - timedelta(hours=1))
    periodization.take("athlete.erase", {"athlete": "a1"}, **erase)
    for service in ("load", "recovery", "scheduling"):
        said = {"athlete": "a1", "service": service, "effect": "applied" if service == held_by else "none"}
        periodization.take(f"{service}.athlete-erased", said, at=START, correlation_id="c1")
    (reply,) = periodization.late_replies
    assert reply["effect"] == ("applied" if held_by else "none")


@pytest.mark.parametrize("order", list(itertools.permutations(["erase", "load", "recovery", "scheduling"])))
def test_the_answer_comes_when_all_have_confirmed(periodization: Periodization, order: tuple[str, ...]) -> None:
    periodization.take("athlete.put", ATHLETE, at=START)
    outcome: Any = None
    for place, step in enumerate(order):
        last = place == len(order) - 1
        if step == "erase":
            outcome = periodization.take(
                "athlete.erase",
                {"athlete": "a1"},
                at=START + timedelta(hours=1),
                correlation_id="c1",
                reply_to="tenant.acme.replies",
            )
            assert outcome.data == CONFIRMED if last else isinstance(outcome, Later)
        else:
            confirmation = {"athlete": "a1", "service": step}
            periodization.take(
                f"{step}.athlete-erased", confirmation, at=START + timedelta(hours=2), correlation_id="c1"
            )
        if not last:
            assert periodization.late_replies == []
    assert periodization.late_replies == ([] if order[-1] == "erase" else [CONFIRMED])
    assert everything_named(periodization, "c1") == []


def test_without_anybody_waiting_it_is_accepted_at_once(periodization: Periodization) -> None:
    assert periodization.take("athlete.erase", {"athlete": "a1"}) == Accepted(APPLIED, {"athlete": "a1"})


def test_confirmations_that_nobody_waits_for_are_forgotten(periodization: Periodization) -> None:
    """An erase without a reply address, whose confirmations carry its correlation id all the same."""
    store = DeliveryStore()
    with periodization.database.transaction() as db:
        store.add_tenants(db, ["acme"], START)
    periodization.take("athlete.erase", {"athlete": "a1"}, at=START)
    periodization.take("load.athlete-erased", {"athlete": "a1", "service": "load"}, at=START, correlation_id="c1")
    assert everything_named(periodization, "c1") == ["erase_confirmations.correlation_id"]
    month, year = timedelta(days=30), timedelta(days=400)
    retention = Retention(periodization.database, store, Tables.metadata, month, year)
    retention.forget(START + timedelta(days=29))
    assert everything_named(periodization, "c1") == ["erase_confirmations.correlation_id"]
    retention.forget(START + timedelta(days=31))
    assert everything_named(periodization, "c1") == []
    assert list(retention.erased().values()) == [(START, periodization.now)], "the mark of the erase stays"


def test_a_figure_that_load_sent_before_it_erased_is_dropped(periodization: Periodization) -> None:
    periodization.take("athlete.erase", {"athlete": "a1"}, at=START)
    periodization.take("load.load-assessed", load_of("2026-03-01", acwr_combined=1.0), at=START + timedelta(seconds=1))
    periodization.take("load.athlete-erased", {"athlete": "a1", "service": "load"}, at=START + timedelta(seconds=2))
    assert everything_named(periodization, "a1") == []
