"""What a season is when nobody said: its first week by level, and its length by its goals."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from services.periodization.domain.season import WEEK_DAYS
from shared.contract.words import Level
from shared.messages.values import Goal, Profile, WeekTemplate
from shared.rules.decisions import Rules

MAX_WEEKS: Final = 104
"""So many weeks ahead a season is laid out, however far its last goal lies."""
MAX_WEEKS_RUNNING: Final = 520
"""A season that nobody begins anew ends after ten years."""


def default_week_template(profile: Profile | None, rules: Rules) -> WeekTemplate:
    """The first week for the athlete's level, as the periodization pack has it."""
    level: Level = "intermediate" if profile is None else profile.level
    plain = dict(rules.settings("periodization")["first_week"][level])
    counts = {name: int(plain[name]) for name in ("quality_runs", "lifts") if name in plain}
    return WeekTemplate.model_validate({**{name: float(value) for name, value in plain.items()}, **counts})


def default_season_weeks(start: date, goals: Sequence[Goal], on: date, rules: Rules) -> int:
    """Weeks up to and including the last goal's, at least ``season_weeks`` and so many weeks from ``on`` on as
    ``weeks_ahead_least`` says, so that a season never runs out under the athlete."""
    settings = rules.settings("periodization")
    last_goal = max((goal.date for goal in goals), default=start)
    to_goal = (last_goal - start).days // WEEK_DAYS + 1
    to_ahead = (on - start).days // WEEK_DAYS + 1 + int(settings["weeks_ahead_least"])
    planned = min(max(to_goal, int(settings["season_weeks"])), MAX_WEEKS)
    return max(1, min(max(planned, to_ahead), MAX_WEEKS_RUNNING))
