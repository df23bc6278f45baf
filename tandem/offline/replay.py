"""An athlete's recent weeks once more under other rules: every answer that the rules give, to be compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from shared.messages.values import PlannedSession
from tandem.offline.pipeline import OfflineAthlete

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answers:
    """The JSON answers of one athlete file under one set of rules; what the file cannot be asked is left out.

    ``calendars``: a calendar's verdict by what it is called; ``plans``: a week to be placed; ``days``: past mornings.
    """

    calendars: Mapping[str, Answer] = field(default_factory=dict)
    plans: Mapping[str, Answer] = field(default_factory=dict)
    days: Mapping[date, Answer] = field(default_factory=dict)
    season: Answer | None = None


PARTS = 4
"""Steps that a replay reports: past weeks, proposed week, past days, season."""


def replay(athlete: OfflineAthlete, weeks: int, advance: Callable[[], None] = lambda: None) -> Answers:
    """The last ``weeks`` weeks as they were done, their mornings, the week ahead and the season.

    ``advance`` is called after each of the ``PARTS``. Raises ``BadFile`` where a part of the file cannot be used.
    """
    past = {} if athlete.file.athlete is None else _past_weeks(athlete, weeks)
    advance()
    calendars, plans = _week_ahead(athlete)
    advance()
    days = {} if athlete.file.athlete is None else _past_days(athlete, weeks)
    advance()
    season = athlete.season().as_json() if _has_season(athlete) else None
    advance()
    return Answers({**past, **calendars}, plans, days, season)


def _past_weeks(athlete: OfflineAthlete, weeks: int) -> dict[str, Answer]:
    monday = athlete.on - timedelta(days=athlete.on.weekday())
    found: dict[str, Answer] = {}
    for back in range(weeks - 1, -1, -1):
        verdict = athlete.check_done_week(monday - timedelta(days=7 * back))
        if verdict is not None:
            found[f"week of {monday - timedelta(days=7 * back)}, as done"] = verdict.as_json()
    return found


def _week_ahead(athlete: OfflineAthlete) -> tuple[dict[str, Answer], dict[str, Answer]]:
    """The proposed week: judged where every session has its start, planned where the platform is to find them."""
    week = athlete.file.week
    if week is not None and _timed(week.sessions):
        return {f"week of {week.start}, as proposed": athlete.check().as_json()}, {}
    if athlete.file.athlete is None or (week is None and not _has_season(athlete)):
        return {}, {}
    plan = athlete.week().as_json()
    return {}, {f"week of {plan['week_start']}, as planned": plan}


def _has_season(athlete: OfflineAthlete) -> bool:
    return athlete.file.athlete is not None and (athlete.file.season is not None or bool(athlete.file.goals))


def _timed(sessions: Sequence[PlannedSession] | None) -> bool:
    return bool(sessions) and all(session.start is not None for session in sessions or ())


def _past_days(athlete: OfflineAthlete, weeks: int) -> dict[date, Answer]:
    first = athlete.on - timedelta(days=7 * weeks - 1)
    return {day: one.as_json() for day, one in athlete.readiness_by_day.items() if day >= first}
