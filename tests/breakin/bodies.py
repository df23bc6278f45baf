"""One valid body for every command and query, and the ways to poison its texts."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.contract.words import SERVICES
from tandem.runtime.service_classes import service_named

SQL = (
    "x'; DROP TABLE sessions; --",
    "' OR '1'='1",
    "x' UNION SELECT body FROM sessions WHERE tenant='globex' --",
    "$$); SELECT set_config('tandem.tenant', 'globex', false); --",
    "globex",
    "%s%(tenant)s{tenant}",
)
NOON = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"
"""A zone in which no day ends while the break-in lasts: midnight assesses the day and plans again, attacked or not."""
_PACK = Path(__file__).parents[2] / "rules" / "tenants"


def command_keys() -> dict[str, tuple[str, ...]]:
    """Every command and query with the services that hear it."""
    heard: dict[str, list[str]] = {}
    for service in SERVICES:
        for route in service_named(service).routes:
            if route.source == "command":
                heard.setdefault(route.key, []).append(service)
    return {key: tuple(services) for key, services in heard.items()}


def queries() -> set[str]:
    return {route.key for service in SERVICES for route in service_named(service).routes if route.query}


def bodies(athlete: str, mark: str) -> dict[str, dict[str, Any]]:
    """By key. ``mark`` stands in every id and text that somebody chose, so that it can be found again anywhere."""
    today = datetime.now(UTC).date()
    monday = today + timedelta(days=7 - today.weekday())
    start = f"{today - timedelta(days=1)}T07:00:00+01:00"
    session = {"session": f"{mark}-s1", "start": start, "duration_min": 47, "kind": "run", "type": "easy", "rpe": 3}
    planned = {"id": f"{mark}-p1", "duration_min": 40, "kind": "run", "type": "easy"}
    goal = {
        "id": f"{mark}-g1",
        "kind": "race",
        "class": "A",
        "date": str(monday + timedelta(days=70)),
        "distance_km": 21.1,
        "name": f"{mark} race",
    }
    signed = {"author": f"{mark} coach", "reason": f"{mark} reason"}
    given: dict[str, dict[str, Any]] = {
        "athlete.put": {"timezone": NOON, "priority": "strength", "body_mass_kg": 81.25},
        "load.record-session": session,
        "load.import-sessions": {
            "sessions": [{**session, "session": f"{mark}-s2", "start": start.replace("07", "17")}]
        },
        "load.mark-day": {"date": str(today - timedelta(days=3)), "state": "sick"},
        "load.get-load": {},
        "recovery.record-wellness": {"date": str(today), "rmssd_ms": 63.125, "soreness": 2},
        "recovery.get-readiness": {},
        "periodization.set-goals": {"goals": [goal]},
        "periodization.start-deload": {"from": str(monday), "reason": f"{mark} is tired"},
        "periodization.get-season": {},
        "scheduling.set-availability": {"windows": [{"day": "mon", "from": "06:00", "to": "21:00"}]},
        "scheduling.plan-week": {"week_start": str(monday), "sessions": [planned]},
        "scheduling.check-week": {"sessions": [{**planned, "start": f"{monday}T07:00:00+01:00"}]},
        "scheduling.move-session": {
            "session": f"{mark}-p1",
            "start": f"{monday}T09:00:00+01:00",
            "override": {"by": f"{mark} coach", "reason": f"{mark} says so"},
        },
        "scheduling.after-lift-advice": {
            "lift": {"kind": "lift", "region": "lower", "effort": "heavy"},
            "run": {"kind": "run", "type": "easy", "duration_min": 20},
        },
        "scheduling.get-week": {"week_start": str(monday)},
        "load.remove-session": {"session": f"{mark}-s1"},
    }
    without_athlete: dict[str, dict[str, Any]] = {
        "rules.put-pack": {"text": f"# {mark}\nkind: advice\n", **signed},
        "rules.activate-pack": {"pack": f"{mark}.advice", "version": "1.0.0", **signed},
        "rules.roll-back-pack": {"pack": f"{mark}.advice", **signed},
        "rules.get-packs": {},
    }
    whole = {key: {"athlete": athlete, **body} for key, body in given.items()} | without_athlete
    whole["athlete.erase"] = {"athlete": athlete}
    unknown = set(command_keys()) - set(whole)
    if unknown:
        raise LookupError(f"the break-in knows no body for {', '.join(sorted(unknown))}")
    return {key: body for key, body in whole.items() if key in command_keys()}


def poisoned(body: dict[str, Any], texts: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The body once per text and place: SQL as the value of every string field, and as a field's name."""
    for text in texts:
        for path in _strings(body):
            changed = copy.deepcopy(body)
            inner: Any = changed
            for step in path[:-1]:
                inner = inner[step]
            inner[path[-1]] = text
            yield changed
        yield {**body, text: text}


def _strings(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _strings(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings(inner, (*path, index))
