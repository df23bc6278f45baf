"""Plays an athlete through the four services as a platform would, day by day, and asks them for the result."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

from rich.progress import Progress

from shared.bus.transport.in_memory import Message
from tandem.athlete_file import AthleteFile
from tandem.demo.commands import Command, import_commands, live_commands, opening_command, planning_commands
from tandem.runtime.embedded import Embedded

TENANT = "demo"
EVENING = clock_time(21, 0)
"""Local time of the last day at which the plan is made: after the last session, before midnight."""
CHART_DAYS = 56


@dataclass(slots=True)
class DemoClock:
    """What the services take for now; it follows the athlete's records."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True)
class Played:
    """What came back. Answers are the data of the services' replies; ``sent`` and ``events`` count by routing key."""

    load: Mapping[str, Any]
    readiness: Mapping[str, Any]
    season: Mapping[str, Any]
    week: Mapping[str, Any]
    calendar: str
    sent: Counter[str]
    events: Counter[str]
    parked: int
    seconds: float
    rejected: Sequence[Message] = field(default=())


def play(file: AthleteFile, on: date, week_start: date, folder: Path, rules_dir: Path, progress: Progress) -> Played:
    """Import the history of ``file``, live its last eight weeks day by day up to the evening of ``on``, plan the week
    of ``week_start``, and ask for everything.

    ``folder`` takes the services' databases. The services' clock follows the records, so in those eight weeks every
    day is assessed as it would have been on that day.
    """
    began = time.monotonic()
    live_from = on - timedelta(days=CHART_DAYS - 1)
    imported, lived = import_commands(file, live_from), live_commands(file, live_from)
    evening = datetime.combine(on, EVENING, file.athlete.zone if file.athlete else UTC)
    planning = list(planning_commands(file, evening))
    opening = opening_command(file, (imported or lived or planning)[0].at)
    athlete = opening.data["athlete"]
    clock = DemoClock(opening.at.astimezone(UTC))
    sent: Counter[str] = Counter()
    task = progress.add_task("playing", total=len(imported) + len(lived) + len(planning) + 2)
    with Embedded(folder, rules_dir, clock) as tandem:

        def send(command: Command) -> None:
            clock.now = max(clock.now, command.at.astimezone(UTC))
            tandem.send(TENANT, command.key, command.data)
            sent[command.key] += 1
            progress.update(task, advance=1, description=f"{clock.now:%d %b %Y}  {command.key}", refresh=True)

        def ask(key: str, **data: Any) -> Mapping[str, Any]:
            sent[key] += 1
            return tandem.ask(TENANT, key, {"athlete": athlete, **data})

        for day in ([opening], imported, *_by_day(lived)):
            for command in day:
                send(command)
            tandem.settle()
        for command in planning:
            send(command)
            tandem.settle()
        send(Command("scheduling.plan-week", {"athlete": athlete, "week_start": week_start.isoformat()}, evening))
        tandem.settle()
        load = ask("load.get-load", date=on.isoformat(), days=CHART_DAYS)
        readiness = ask("recovery.get-readiness", date=on.isoformat())
        season = ask("periodization.get-season")
        week = ask("scheduling.get-week", week_start=week_start.isoformat())
        calendar = ask("scheduling.get-week", week_start=week_start.isoformat(), format="ics")
        tandem.settle()
        rejected = [reply for reply in tandem.replies.values() if reply.outcome == "rejected"]
        events = Counter(event.name for event in tandem.events)
        parked = tandem.parked()
    return Played(
        load,
        readiness,
        season,
        week,
        str(calendar["ics"]),
        sent,
        events,
        parked,
        time.monotonic() - began,
        rejected,
    )


def _by_day(commands: Sequence[Command]) -> list[list[Command]]:
    days: dict[date, list[Command]] = {}
    for command in commands:
        days.setdefault(command.at.date(), []).append(command)
    return list(days.values())
