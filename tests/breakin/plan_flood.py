"""A flood of weeks that cannot be placed, what another tenant's questions take meanwhile, and the service's memory."""

import contextlib
import json
import math
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pika

from tests.breakin.ground import HOSTILE
from tests.platform import PlatformClient

SESSIONS = 20
ATHLETES = 5


@dataclass(frozen=True, slots=True)
class PlanFlood:
    """``seconds``: from question to answer, in order. ``megabytes``: most that the service and its processes held."""

    seconds: tuple[float, ...]
    planned_s: float
    megabytes: float
    sent: int

    @property
    def p99(self) -> float:
        return sorted(self.seconds)[math.ceil(0.99 * len(self.seconds)) - 1]


def measure_planning(
    hostile_uri: str, victim: PlatformClient, athlete: str, weeks: int, questions: int, pid: int
) -> PlanFlood:
    """``weeks`` infeasible weeks of 20 sessions are sent at once; the victim asks ``questions`` times meanwhile, then
    plans a week of its own."""
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(hostile_uri))) as connection:
        channel = connection.channel()
        for number in range(ATHLETES):
            _send(channel, "athlete.put", {"athlete": f"flood-{number}", "timezone": "Europe/Berlin"})
        for number in range(weeks):
            _send(channel, "scheduling.plan-week", infeasible_week(f"flood-{number % ATHLETES}", number // ATHLETES))
    ended, held = threading.Event(), [memory_of(pid)]

    def watch() -> None:
        while not ended.wait(0.2):
            held.append(memory_of(pid))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        seconds = []
        for _ in range(questions):
            began = time.monotonic()
            reply = victim.tell("scheduling.after-lift-advice", question(athlete), timeout=120)
            seconds.append(time.monotonic() - began)
            assert reply["type"] == "tandem.scheduling.after-lift-advice.answered.v1", reply["data"]
            time.sleep(0.02)
        began = time.monotonic()
        own = {"athlete": athlete, "week_start": monday(0), "sessions": [a_run("own", 30)]}
        reply = victim.tell("scheduling.plan-week", own, timeout=120)
        assert reply["type"] == "tandem.scheduling.plan-week.accepted.v1", reply["data"]
        return PlanFlood(tuple(seconds), time.monotonic() - began, max(held), weeks)
    finally:
        ended.set()
        watching.join()


def question(athlete: str) -> dict[str, Any]:
    lift = {"kind": "lift", "region": "lower", "effort": "heavy"}
    return {"athlete": athlete, "lift": lift, "run": {"kind": "run", "type": "easy", "duration_min": 20}}


def infeasible_week(athlete: str, ahead: int) -> dict[str, Any]:
    """More sessions than the two a day of the base rules."""
    sessions = [a_run(f"s{number}", 30 + number) for number in range(SESSIONS)]
    return {"athlete": athlete, "week_start": monday(ahead), "sessions": sessions}


def a_run(name: str, minutes: int) -> dict[str, Any]:
    return {"id": name, "kind": "run", "type": "easy", "duration_min": minutes}


def monday(ahead: int) -> str:
    today = datetime.now(UTC).date()
    return (today + timedelta(days=7 - today.weekday(), weeks=ahead)).isoformat()


def memory_of(pid: int) -> float:
    """Megabytes that a process and all that it started hold; pages that they share count once."""
    found, waiting = 0.0, [pid]
    while waiting:
        one = waiting.pop()
        with contextlib.suppress(OSError, IndexError):
            held = Path(f"/proc/{one}/smaps_rollup").read_text(encoding="ascii")
            found += int(held.split("\nPss:")[1].split()[0]) / 1024
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
    return found


def _send(channel: Any, key: str, body: dict[str, Any]) -> None:
    headers = {
        "ce-id": uuid.uuid4().hex,
        "ce-source": "/flood",
        "ce-type": f"tandem.{key}.v1",
        "ce-specversion": "1.0",
    }
    properties = pika.BasicProperties("application/json", None, headers, user_id=HOSTILE)
    channel.basic_publish("tandem.commands", f"{HOSTILE}.{key}", json.dumps(body).encode(), properties)
