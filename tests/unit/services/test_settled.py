"""A command that was told to be pending is told again once it counts or never can, in one batch or in several."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.scheduling import handlers as scheduling
from services.scheduling.store import Tables
from shared.bus.delivery.processor import Processor
from shared.messages.envelope import Delivery, type_of
from shared.rules.evaluation.tenant_rules import TenantRules
from tests.unit.services.test_taken_together import NOW, AsGiven, Service
from tests.unit.services.test_taken_together import rules as rules  # a fixture

WEEK, OVER = "2026-04-06", "2026-03-23"
EASY = {"id": "easy", "duration_min": 40, "kind": "run", "type": "easy"}


def sent(id: str, key: str, *, minute: int = 0, source: Any = "command", **body: Any) -> Delivery:
    headers = {
        "ce-id": id, "ce-source": "/test", "ce-type": type_of(key), "ce-specversion": "1.0",
        "ce-time": (NOW - timedelta(hours=1) + timedelta(minutes=minute)).isoformat(),
    }  # fmt: skip
    content = json.dumps({"athlete": "a1", **body}).encode()
    return Delivery(source, f"acme.{key}", content, "application/json", headers=headers, user_id="acme")


@pytest.fixture
def service(tmp_path: Path, rules: TenantRules) -> Iterator[Service]:
    yield Service("scheduling", scheduling.ROUTES, Tables.metadata, tmp_path, rules)


def settled(service: Service, deliveries: list[Delivery], at_a_time: int) -> list[tuple[Any, ...]]:
    service.take(deliveries, at_a_time)
    events = [json.loads(row.message.body) for row in service.published if "command-settled" in row.message.routing_key]
    service.published.clear()
    codes = [one.get("code") or ([error["code"] for error in one.get("errors", [])] or [None])[0] for one in events]
    return sorted((one["message"], one["outcome"], code) for one, code in zip(events, codes, strict=True))


@pytest.mark.parametrize("at_a_time", [1, 100])
def test_each_hears_what_came_of_it(service: Service, at_a_time: int) -> None:
    asked = [
        sent("w1", "scheduling.set-availability", windows=[{"day": "tue", "from": "06:00", "to": "08:00"}]),
        sent("w2", "scheduling.set-availability", minute=1, windows=[{"day": "tue", "from": "06:00", "to": "09:00"}]),
        sent("p1", "scheduling.plan-week", week_start=WEEK, sessions=[EASY]),
        sent("p2", "scheduling.plan-week", week_start="2026-04-13"),
        sent("p3", "scheduling.plan-week", week_start=OVER),
    ]
    put = sent("put", "athlete.put", minute=2, timezone="UTC")
    assert settled(service, [*asked, put], at_a_time) == [
        ("p1", "applied", None),
        ("p3", "rejected", "past"),
        ("w1", "none", "superseded"),
        ("w2", "applied", None),
    ]
    targets = {"week_start": "2026-04-13", "number": 3, "phase": "build", "sessions": [EASY]}
    told = sent("e1", "periodization.week-targets-set", minute=3, source="event", **targets)
    assert settled(service, [told, told], at_a_time) == [("p2", "applied", None)]


@pytest.mark.parametrize("at_a_time", [1, 100])
def test_what_never_can_count_is_told_too(service: Service, at_a_time: int) -> None:
    known = [sent("put", "athlete.put", timezone="UTC"), sent("p1", "scheduling.plan-week", week_start=WEEK)]
    later = sent("p2", "scheduling.plan-week", minute=1, week_start=WEEK, sessions=[EASY])
    assert settled(service, [*known, later], at_a_time) == [("p1", "none", "superseded")]
    waiting = sent("p3", "scheduling.plan-week", minute=2, week_start="2026-04-13")
    erase = sent("gone", "athlete.erase")
    service.take([waiting, erase], at_a_time)
    (event,) = [row.message for row in service.published if "command-settled" in row.message.routing_key]
    assert json.loads(event.body) == {
        "message": "p3", "source": "/test", "key": "scheduling.plan-week", "outcome": "none", "code": "erased"
    }  # fmt: skip
    assert "ce-subject" not in event.headers, "nothing names whom the erase was about"


def test_a_week_that_is_over_before_its_targets_came_is_told(service: Service, rules: TenantRules) -> None:
    put = sent("put", "athlete.put", timezone="UTC")
    service.take([put, sent("p1", "scheduling.plan-week", week_start=WEEK)], 1)
    (timer,) = scheduling.TIMERS
    told = []
    for days in (11, 12, 13):
        work = Processor("scheduling", scheduling.ROUTES, service.database, AsGiven(rules), clock_at(days))
        told += [json.loads(row.message.body) for rows in work.run_timer(timer) for row in rows]
    (settled_once,) = told
    assert (settled_once["message"], settled_once["outcome"]) == ("p1", "rejected")
    assert [error["code"] for error in settled_once["errors"]] == ["past"]


def clock_at(days: int) -> Any:
    return lambda: NOW + timedelta(days=days)
