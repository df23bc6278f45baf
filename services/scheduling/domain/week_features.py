"""A calendar week in numbers, as week rules ask for them. Weeks run from the athlete's first day of the week, by
local date of each start."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from services.scheduling.domain.calendar import Entry, demand_of
from shared.contract.sessions import EASY_RUN_TYPES, HARD_EFFORTS, QUALITY_RUN_TYPES
from shared.messages.values import PlannedSession
from shared.rules.model import Scalar

_EASY_MINUTES = (*EASY_RUN_TYPES, "long")
_LOOK_BACK_DAYS = 30


def is_demanding(session: PlannedSession) -> bool:
    """A medium-hard or harder session: any run above easy, long runs included, and any lift above light."""
    return demand_of(session) in ("medium", "hard")


def is_hard(session: PlannedSession) -> bool:
    """A session that asks for recovery: quality and long runs, heavy and max lifts."""
    return demand_of(session) == "hard"


def week_facts(week: Sequence[Entry], calendar: Sequence[Entry]) -> dict[str, Scalar | None]:
    """Features of one week's entries within the whole calendar (whose days before the week are looked back into).

    ``easy_share`` (0-1 of run minutes, policy C12) is unknown without running; a long run counts as easy by its type.
    ``longest_run_of_30_days`` is unknown when the calendar holds no earlier run.
    """
    sessions = [entry.session for entry in week]
    runs = [s for s in sessions if s.kind == "run"]
    lifts = [s for s in sessions if s.kind == "lift"]
    minutes = sum(s.duration_min for s in runs)
    easy_minutes = sum(s.duration_min for s in runs if s.type in _EASY_MINUTES)
    per_day = Counter(entry.day for entry in week)
    longest = max((s.duration_min for s in runs), default=0.0)
    earlier = _longest_run_before(week, calendar)
    return {
        "run_minutes": float(minutes),
        "easy_minutes": float(easy_minutes),
        "easy_share": easy_minutes / minutes if minutes else None,
        "quality_runs": float(sum(s.type in QUALITY_RUN_TYPES for s in runs)),
        "runs": float(len(runs)),
        "lift_sessions": float(len(lifts)),
        "heavy_lower_lifts": float(sum(s.region in ("lower", "full") and s.effort in HARD_EFFORTS for s in lifts)),
        "sessions": float(len(sessions)),
        "sessions_per_day": float(max(per_day.values(), default=0)),
        "rest_days": float(7 - len(per_day)),
        "hard_days_in_a_row": float(_longest_row(set(per_day), {e.day for e in calendar if is_demanding(e.session)})),
        "longest_run_minutes": float(longest),
        "longest_run_of_30_days": longest / earlier if earlier and longest else None,
    }


def _longest_run_before(week: Sequence[Entry], calendar: Sequence[Entry]) -> float | None:
    if not week:
        return None
    first = min(entry.day for entry in week)
    earlier = [
        entry.session.duration_min
        for entry in calendar
        if entry.session.kind == "run" and first - timedelta(days=_LOOK_BACK_DAYS) <= entry.day < first
    ]
    return max(earlier, default=None)


def _longest_row(days: set[date], demanding: set[date]) -> int:
    """The longest row of demanding days that ends on one of ``days``; it may begin before the week."""
    longest = 0
    for day in days & demanding:
        length = 1
        while day - timedelta(days=length) in demanding:
            length += 1
        longest = max(longest, length)
    return longest
