"""When each session happens: checking a calendar, placing a week, the nearest legal start, export."""

from services.scheduling.domain.calendar import from_done
from services.scheduling.domain.checking import check_week, nearest_legal_start
from services.scheduling.domain.ics import as_ics
from services.scheduling.domain.planning import WeekInputs, plan_week
from services.scheduling.domain.solving import Undecided
from services.scheduling.domain.verdict import Finding, LegalStart, Verdict
from services.scheduling.domain.week_plan import ConflictMember, Penalty, PlacedSession, WeekPlan, placed_from_json

__all__ = [
    "ConflictMember",
    "Finding",
    "LegalStart",
    "Penalty",
    "PlacedSession",
    "Undecided",
    "Verdict",
    "WeekInputs",
    "WeekPlan",
    "as_ics",
    "check_week",
    "from_done",
    "nearest_legal_start",
    "placed_from_json",
    "plan_week",
]
