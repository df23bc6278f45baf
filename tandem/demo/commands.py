"""An athlete file as the commands that a coaching platform would send for the same athlete."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.messages.values import DoneSession
from tandem.athlete_file import Athlete, AthleteFile

MORNING = time(7, 0)
"""When a morning's wellness is sent, local time."""


@dataclass(frozen=True, slots=True)
class Command:
    """``key`` is the routing key without the tenant; ``at`` is when the platform sends it."""

    key: str
    data: dict[str, Any]
    at: datetime


def history_commands(file: AthleteFile) -> list[Command]:
    """Everything that happened, in the order in which a platform would tell it: mornings, days and done sessions."""
    athlete = _athlete(file)
    who = {"athlete": athlete.id}
    commands = []
    for morning in file.wellness:
        data = {**who, **morning.model_dump(mode="json", exclude_none=True)}
        commands.append(Command("recovery.record-wellness", data, _morning(morning.date, athlete.zone)))
    for day in file.days:
        data = {**who, "date": day.date.isoformat(), "state": day.state}
        commands.append(Command("load.mark-day", data, _morning(day.date, athlete.zone)))
    for session in file.sessions:
        ended = session.start + timedelta(minutes=session.duration_min)
        commands.append(Command("load.record-session", {**who, **recorded(session)}, ended))
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


def _athlete(file: AthleteFile) -> Athlete:
    if file.athlete is None:
        raise ValueError("an athlete file without an athlete cannot be played")
    return file.athlete


def _morning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, MORNING, zone)
