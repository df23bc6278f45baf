"""What the planner likes when the rules leave a choice. Far lighter than any rule: one penalty point outweighs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.scheduling.domain.calendar import Entry
from services.scheduling.domain.week_features import is_hard
from shared.contract.words import DayStrategy

POINT = 10_000
"""Cost of one penalty point of a soft rule, in the units of the preferences."""
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Preferences:
    """Weights in preference units. ``shared_day``: each session beyond the first of a day (spread); ``hard_day``: each
    day that holds a hard session (cluster); ``same_kind``: each session beyond the first of its kind on a day;
    ``long_run_midweek``: each long run from Monday to Friday.

    Among the calendars of least cost, sessions then stand as early in their windows as their days allow.
    """

    strategy: DayStrategy
    shared_day: int
    hard_day: int
    same_kind: int
    long_run_midweek: int

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], strategy: DayStrategy | None) -> "Preferences":
        """The weights of the sequencing pack, settings ``planner_...``."""
        return cls(
            strategy or "spread",
            shared_day=round(settings["planner_shared_day"]),
            hard_day=round(settings["planner_hard_day"]),
            same_kind=round(settings["planner_same_kind"]),
            long_run_midweek=round(settings["planner_long_run_midweek"]),
        )


def preference_cost(week: Sequence[Entry], preferences: Preferences) -> int:
    """Cost of a week's sessions, those of the surroundings that fall into it included."""
    kinds = len(week) - len({(entry.day, entry.session.kind) for entry in week})
    if preferences.strategy == "cluster":
        days = preferences.hard_day * len({entry.day for entry in week if is_hard(entry.session)})
    else:
        days = preferences.shared_day * (len(week) - len({entry.day for entry in week}))
    midweek = sum(entry.session.type == "long" and is_midweek(entry.day) for entry in week)
    return days + preferences.same_kind * kinds + preferences.long_run_midweek * midweek


def is_midweek(day: date) -> bool:
    return day.weekday() < _SATURDAY
