"""What became of every message that the broker had confirmed: from the databases, the events and the parked queues."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from services.load.domain import LoadSeries, daily_loads, score_session
from services.load.domain.quality import screened
from services.load.domain.settings import LoadSettings
from shared.bus.queue_names import RETRY_DELAYS_S
from shared.messages.values import DoneSession, Profile
from shared.rules.decisions import Rules
from tests.faults.ground import EVENTS, Ground
from tests.faults.script import POISON, Script, Sent

SERVICES = ("load", "toy")
WAITS = ("", *(f".wait.{delay_s}" for delay_s in RETRY_DELAYS_S))


@dataclass
class Count:
    """``lost``, ``doubled``: one line for each message or athlete that is wrong. ``parked``: ids."""

    confirmed: int
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    parked: set[str] = field(default_factory=set)
    wrong_loads: list[str] = field(default_factory=list)


QUEUES = tuple(
    f"{service}.{kind}"
    for service in SERVICES
    for kind in ("crowded", "dead", *(f"{source}s{wait}" for source in ("command", "event") for wait in WAITS))
)


def settled(ground: Ground, script: Script, confirmed: set[str]) -> bool:
    """Nothing waits in a queue or an outbox, the inboxes know every message that must be in one, the parked queues hold
    every one that belongs there."""
    poison = sum(one.fate == "parked" and one.id in confirmed for one in script.messages.values())
    return (
        not left_in_outbox(ground)
        and not _missing(ground, script, confirmed)
        and not ground.some_wait(*QUEUES)
        and sum(ground.ready(f"{service}.parked")[0] for service in SERVICES) >= poison
    )


def control_settled(ground: Ground) -> bool:
    """Also of messages that a handler has taken and not finished, which no passive declare counts."""
    if ground.ready("control.commands")[0]:
        return False
    lines = ground.broker.control("list_queues", "--quiet", "--no-table-headers", "name", "messages").splitlines()
    return ["control.commands", "0"] in [line.split() for line in lines]


def left_in_outbox(ground: Ground) -> int:
    return sum(ground.rows(f"SELECT count(*) FROM {service}.outbox")[0][0] for service in SERVICES)


def left_in_queues(ground: Ground) -> list[str]:
    """Lines of queues that hold anything, when nobody consumes any more; parked ones were emptied by counting."""
    held = {queue: ground.ready(queue)[0] for queue in (*QUEUES, *(f"{service}.parked" for service in SERVICES))}
    return [f"{queue} {count}" for queue, count in held.items() if count]


def _missing(ground: Ground, script: Script, confirmed: set[str]) -> set[str]:
    known = set()
    for service in SERVICES:
        query = f"SELECT message_id FROM {service}.inbox WHERE message_id LIKE %s AND handler <> 'begun'"
        known |= {row[0] for row in ground.rows(query, f"{script.fault}.%")}
    return {one.id for one in script.sends if one.id in confirmed and one.fate != "parked"} - known


def count_ours(ground: Ground, script: Script, confirmed: set[str], rules: Rules, loads: Mapping[str, Any]) -> Count:
    """``loads``: each athlete's answer to get-load, by athlete. Empties the parked queues and that of all events."""
    count = Count(len(confirmed))
    for service in SERVICES:
        count.parked |= {headers["ce-id"] for headers, _, _ in ground.take_all(f"{service}.parked")}
    told = _events(ground)
    stored = dict(ground.rows("SELECT recorded_id, load FROM load.sessions"))
    for one in script.messages.values():
        if one.id in confirmed:
            _check(one, count, told, stored)
    _check_totals(ground, script, confirmed - count.parked, count)
    _check_loads(script, confirmed - count.parked, rules, loads, count)
    return count


def _events(ground: Ground) -> dict[tuple[str, str], set[str]]:
    """(type, message) -> the different ids under which it was told."""
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for headers, body, correlation_id in ground.take_all(EVENTS):
        data = json.loads(body)
        session = data.get("session")  # named as its message, behind what makes it poison
        message = session.removeprefix(POISON) if session else data.get("message") or correlation_id
        told[headers["ce-type"].split(".", 1)[1].removesuffix(".v1"), message].add(headers["ce-id"])
    return told


def _check(one: Sent, count: Count, told: Mapping[tuple[str, str], set[str]], stored: Mapping[str, float]) -> None:
    if one.fate == "parked" or one.id in count.parked:
        if one.id not in count.parked:
            count.lost.append(f"{one.id} is not parked")
        return
    service = one.key.partition(".")[0]
    expected = {
        "rejected": [f"{service}.command-rejected"],
        "effect": ["load.session-scored"] if service == "load" else ["toy.added", "toy.echoed"],
    }[one.fate]
    for name in expected:
        ids = told.get((name, one.id), set())
        if not ids:
            count.lost.append(f"{one.id} has no event {name}")
        if len(ids) > 1:
            count.doubled.append(f"{one.id} has {len(ids)} events {name}")
    if one.fate == "effect" and service == "load" and one.id not in stored:
        count.lost.append(f"{one.id} is not stored")


def _check_totals(ground: Ground, script: Script, counted: set[str], count: Count) -> None:
    expected: dict[str, int] = defaultdict(int)
    for one in script.messages.values():
        if one.key == "toy.add" and one.fate == "effect" and one.id in counted:
            expected[one.athlete] += one.data["repetitions"]
    found = dict(ground.rows("SELECT athlete, repetitions FROM toy.count WHERE athlete LIKE %s", f"{script.fault}.%"))
    for athlete, total in expected.items():
        has = found.get(athlete, 0)
        if has != total:
            wrong = count.lost if has < total else count.doubled
            wrong.append(f"{athlete} has {has} repetitions, {total} were sent")


def _check_loads(script: Script, counted: set[str], rules: Rules, answers: Mapping[str, Any], count: Count) -> None:
    """Every athlete's answer against the pure functions on what was sent."""
    settings = rules.settings("recovery")
    for athlete, answer in answers.items():
        sent = [
            DoneSession.model_validate(
                {"id": one.data["session"], **{k: v for k, v in one.data.items() if k not in ("athlete", "session")}}
            )
            for one in script.messages.values()
            if one.athlete == athlete and one.fate == "effect" and one.id in counted
        ]
        on = date.fromisoformat(answer["date"])
        profile = Profile(timezone="UTC")
        scored = [score_session(one, profile, settings) for one in sent]
        quality = screened(scored, {one.id: profile.day_of(one.start) for one in scored}, (), LoadSettings.of(settings))
        daily = daily_loads(scored, (), (), ZoneInfo("UTC"), on, quality)
        expected = json.loads(json.dumps(LoadSeries(daily, settings, on).assess(on).as_json()))
        if answer["streams"] != expected["streams"]:
            count.wrong_loads.append(f"{athlete}: {answer['streams']} instead of {expected['streams']}")


def count_control(ground: Ground, script: Script, confirmed: set[str]) -> Count:
    """The control is held to valid messages only: nobody promised rejections or a parked queue."""
    count = Count(len(confirmed))
    effects = dict(
        ground.rows("SELECT message, count(*) FROM effects WHERE message LIKE %s GROUP BY message", f"{script.fault}.%")
    )
    told = {json.loads(body)["id"] for _, body, _ in ground.take_all(EVENTS)}
    for one in script.messages.values():
        if one.id not in confirmed or one.fate != "effect":
            continue
        if not effects.get(one.id):
            count.lost.append(f"{one.id} has no effect")
        elif effects[one.id] > sum(sent.id == one.id for sent in script.sends):
            count.doubled.append(f"{one.id} has {effects[one.id]} effects")
        elif one.id not in told:
            count.lost.append(f"{one.id} has no event")
    return count
