"""Records that cost more than they are: one of 1970 from a watch without a clock, a month recorded ten times over."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.breakin.attacks import Hostile

COPIES, DAYS = 10, 30
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Growth:
    """``changed``: answers that are others because of the old session. ``largest``: bytes of the largest text told
    after the copies; ``untold``: imports without an accepted reply."""

    changed: int
    largest: int
    untold: int


def grow(hostile: Hostile, settle: Callable[[], None]) -> Growth:
    """``settle`` returns when nothing is under way any more."""
    athlete, today = "many-times", datetime.now(UTC).replace(hour=5, minute=0, second=0, microsecond=0)

    def run(name: str, at: datetime, minutes: float) -> dict[str, Any]:
        start = at.isoformat().replace("+00:00", "Z")
        return {"session": name, "start": start, "duration_min": minutes, "kind": "run", "rpe": 4, "confirmed": True}

    def answers() -> list[Any]:
        asked = (("load.get-load", {"days": 28}), ("recovery.get-readiness", {}), ("periodization.get-season", {}))
        return [hostile.tell(key, {"athlete": athlete, **body}, SECONDS)["data"] for key, body in asked]

    hostile.tell("athlete.put", {"athlete": athlete, "timezone": "UTC"}, SECONDS)
    month = [run(f"own-{ago}", today - timedelta(days=ago + 1), 50) for ago in range(DAYS)]
    hostile.tell("load.import-sessions", {"athlete": athlete, "sessions": month}, SECONDS)
    settle()
    before = answers()
    old = run("clock-never-set", datetime(1970, 1, 1, 0, 10, tzinfo=UTC), 50)
    hostile.tell("load.record-session", {"athlete": athlete, **old}, SECONDS)
    settle()
    changed = sum(one != other for one, other in zip(before, answers(), strict=True))
    _heard(hostile)
    untold, told = 0, list[Any]()
    for copy in range(COPIES):
        sessions = [
            run(f"{copy}-{ago}".ljust(120, "x"), today - timedelta(days=ago + 1), 60 + 12 * copy) for ago in range(DAYS)
        ]
        reply = hostile.tell("load.import-sessions", {"athlete": athlete, "sessions": sessions}, SECONDS)
        untold += not reply["type"].endswith(".accepted.v1")
        told.append(reply["data"])
    settle()
    told += [event["data"] for event in _heard(hostile)] + answers()
    told.append(hostile.tell("load.get-load", {"athlete": athlete, "days": 366}, SECONDS)["data"])
    return Growth(changed, max(len(json.dumps(one)) for one in told), untold)


def _heard(hostile: Hostile) -> list[dict[str, Any]]:
    heard = []
    while (one := hostile.take(hostile.events_queue)) is not None:
        heard.append(one)
    return heard
