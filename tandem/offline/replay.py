"""An athlete's recent weeks once more under other rules: every answer that the rules give, to be compared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

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
    season = athlete.season().as_json() if athlete.has_season else None
    advance()
    return Answers({**past, **calendars}, plans, days, season)


def _past_weeks(athlete: OfflineAthlete, weeks: int) -> dict[str, Answer]:
    this_week = athlete.profile.week_of(athlete.on)
    begun = [this_week - timedelta(days=7 * back) for back in range(weeks - 1, -1, -1)]
    verdicts = {start: athlete.check_done_week(start) for start in begun}
    return {f"week of {start}, as done": one.as_json() for start, one in verdicts.items() if one is not None}


def _week_ahead(athlete: OfflineAthlete) -> tuple[dict[str, Answer], dict[str, Answer]]:
    """The proposed week: judged where every session has its start, planned where the platform is to find them."""
    week = athlete.file.week
    if week is not None and athlete.proposes_calendar:
        return {f"week of {week.start}, as proposed": athlete.check().as_json()}, {}
    if athlete.file.athlete is None or (week is None and not athlete.has_season):
        return {}, {}
    plan = athlete.week().as_json()
    return {}, {f"week of {plan['week_start']}, as planned": plan}


def _past_days(athlete: OfflineAthlete, weeks: int) -> dict[date, Answer]:
    first = athlete.on - timedelta(days=7 * weeks - 1)
    return {day: one.as_json() for day, one in athlete.readiness_by_day.items() if day >= first}
