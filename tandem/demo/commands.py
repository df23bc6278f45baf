"""An athlete file as the commands that a coaching platform would send for the same athlete."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.messages.values import DoneSession, MarkedDay, Wellness
from tandem.athlete_file import Athlete, AthleteFile

MORNING = time(7, 0)
"""When a morning's wellness is sent, local time."""

MAX_AT_ONCE = 200
"""Sessions that one import may carry."""


@dataclass(frozen=True, slots=True)
class Command:
    """``key`` is the routing key without the tenant; ``at`` is when the platform sends it."""

    key: str
    data: dict[str, Any]
    at: datetime


def import_commands(file: AthleteFile, before: date) -> list[Command]:
    """What a platform sends when it takes an athlete on: everything before that day, sessions in bulk."""
    athlete = _athlete(file)
    at = _morning(before, athlete.zone) - timedelta(hours=1)
    done = sorted((s for s in file.sessions if s.start.astimezone(athlete.zone).date() < before), key=_by_start)
    commands = [
        Command("load.import-sessions", {"athlete": athlete.id, "sessions": [recorded(one) for one in chunk]}, at)
        for chunk in (done[first : first + MAX_AT_ONCE] for first in range(0, len(done), MAX_AT_ONCE))
    ]
    commands += [_marked(athlete.id, day, at) for day in file.days if day.date < before]
    return commands + [_wellness(athlete.id, morning, at) for morning in file.wellness if morning.date < before]


def live_commands(file: AthleteFile, since: date) -> list[Command]:
    """What happened from that day on, in the order in which a platform hears of it: each at its own time."""
    athlete = _athlete(file)
    commands = []
    for morning in file.wellness:
        if morning.date >= since:
            commands.append(_wellness(athlete.id, morning, _morning(morning.date, athlete.zone)))
    for day in file.days:
        if day.date >= since:
            commands.append(_marked(athlete.id, day, _morning(day.date, athlete.zone)))
    for session in file.sessions:
        if session.start.astimezone(athlete.zone).date() >= since:
            ended = session.start + timedelta(minutes=session.duration_min)
            commands.append(Command("load.record-session", {"athlete": athlete.id, **recorded(session)}, ended))
    return sorted(commands, key=lambda command: command.at)


def opening_command(file: AthleteFile, at: datetime) -> Command:
    """Who the athlete is: ``athlete.put``."""
    athlete = _athlete(file)
    profile = athlete.profile().model_dump(mode="json", exclude_none=True)
    return Command("athlete.put", {"athlete": athlete.id, **profile}, at)


def planning_commands(file: AthleteFile, at: datetime) -> Iterator[Command]:
    """What the athlete wants and when there is time: availability with limits, then goals with the season."""
    who = {"athlete": _athlete(file).id}
    if file.availability is not None:
        windows = [window.model_dump(mode="json", by_alias=True, exclude_none=True) for window in file.availability]
        limits = file.limits.model_dump(mode="json") if file.limits else {}
        yield Command("scheduling.set-availability", {**who, "windows": windows, **limits}, at)
    goals: dict[str, Any] = {
        **who,
        "goals": [goal.model_dump(mode="json", by_alias=True, exclude_none=True) for goal in file.goals],
    }
    if file.season is not None:
        goals["season_start"] = file.season.start.isoformat()
        if file.season.weeks is not None:
            goals["weeks"] = file.season.weeks
        if file.season.week_template is not None:
            goals["week_template"] = file.season.week_template.model_dump(mode="json")
    if file.goals or file.season is not None:
        yield Command("periodization.set-goals", goals, at)


def recorded(session: DoneSession) -> dict[str, Any]:
    """A done session as ``record-session`` takes it: its id is ``session``."""
    fields = session.model_dump(mode="json", exclude_defaults=True)
    return {"session": fields.pop("id"), **fields}


def _wellness(athlete: str, morning: Wellness, at: datetime) -> Command:
    data = {"athlete": athlete, **morning.model_dump(mode="json", exclude_none=True)}
    return Command("recovery.record-wellness", data, at)


def _marked(athlete: str, day: MarkedDay, at: datetime) -> Command:
    return Command("load.mark-day", {"athlete": athlete, **day.model_dump(mode="json")}, at)


def _by_start(session: DoneSession) -> tuple[datetime, str]:
    return session.start, session.id


def _athlete(file: AthleteFile) -> Athlete:
    if file.athlete is None:
        raise ValueError("an athlete file without an athlete cannot be played")
    return file.athlete


def _morning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, MORNING, zone)
