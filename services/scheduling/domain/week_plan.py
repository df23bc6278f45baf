"""What a week is planned from; the planned week, or why there is none, as ``tandem week --json`` and events tell it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from services.scheduling.domain.calendar import session_json
from services.scheduling.domain.checking.verdict import MAX_TOLD, told
from shared.contract.words import BudgetSpent, Severity, WeekStatus
from shared.messages.values import Limits, PlannedRef, PlannedSession, Profile, Window
from shared.rules.model import DecidedBy


@dataclass(frozen=True, slots=True)
class PlacedSession:
    """A session with its place; ``session.start`` carries the athlete's offset. ``why`` are sentences for a person."""

    session: PlannedSession
    start: datetime
    end: datetime
    fixed: bool
    why: tuple[str, ...]

    @property
    def standing(self) -> PlannedSession:
        """The session as one that stands where it was placed."""
        return self.session.model_copy(update={"start": self.start})

    def as_json(self) -> dict[str, Any]:
        return {
            **session_json(self.session),
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "fixed": self.fixed,
            "why": list(self.why),
        }


@dataclass(frozen=True, slots=True)
class DoneEntry:
    """A done session under its own id, on the ``day`` that was the athlete's then; ``planned``: what it was in the
    plan, by its id there and, where that was said, its week."""

    session: PlannedSession
    start: datetime
    day: date
    planned: str | PlannedRef | None

    def planned_as(self, profile: Profile) -> tuple[date, str] | None:
        """Week and id of the planned session; an id alone means the week of the start."""
        if self.planned is None or isinstance(self.planned, str):
            return None if self.planned is None else (profile.week_of(self.day), self.planned)
        return self.planned.week, self.planned.id

    def stands_for(self, profile: Profile) -> tuple[date, str]:
        """The planned session that needs no place any more: the one named, else the one of its own id in its week."""
        return self.planned_as(profile) or (profile.week_of(self.day), self.session.id)


@dataclass(frozen=True, slots=True)
class StandingMove:
    """Where somebody moved a session. ``overridden``: each hard rule broken on purpose, with the sessions concerned."""

    start: datetime
    overridden: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class WeekInputs:
    """One week to be planned. ``sessions`` with a start are fixed, the others are placed on the seven days from
    ``week_start``. ``windows`` None = none were given (06:00-21:00 every day), empty = no time at all.

    ``limits`` None = none were set: the sequencing pack's settings hold (2 sessions a day, 1 rest day).
    ``context``: sessions that are settled (done, or in neighbouring weeks), each with a start; rules look at them.
    ``settled``: sessions of this week that are no more to be placed; the plan shows them where they stand.
    """

    week_start: date
    sessions: Sequence[PlannedSession]
    zone: ZoneInfo
    windows: Sequence[Window] | None = None
    limits: Limits | None = None
    profile: Profile | None = None
    context: Sequence[PlannedSession] = ()
    settled: Sequence[PlacedSession] = ()


@dataclass(frozen=True, slots=True)
class Penalty:
    """A soft rule that the best calendar still strains."""

    rule: str
    severity: Severity
    penalty: float
    sessions: tuple[str, ...]
    measured: Mapping[str, float | bool]
    limit: Mapping[str, float | bool]
    message: str

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "severity": self.severity,
            "penalty": self.penalty,
            "sessions": list(self.sessions),
            "measured": dict(self.measured),
            "limit": dict(self.limit),
            "message": self.message,
        }


def placed_from_json(document: Mapping[str, Any]) -> PlacedSession:
    """A placed session from what ``as_json`` wrote; additional fields are ignored."""
    fields = {name: document[name] for name in PlannedSession.model_fields if name in document}
    session = PlannedSession.model_validate(fields)
    start, end = datetime.fromisoformat(document["start"]), datetime.fromisoformat(document["end"])
    return PlacedSession(session, start, end, bool(document.get("fixed")), tuple(document.get("why", ())))


ConflictKind = Literal["rule", "fixed", "session", "context", "limit", "availability"]


@dataclass(frozen=True, slots=True)
class ConflictMember:
    """One of the things that cannot hold together. ``id``: a rule's, a session's, or the name of a limit.

    ``context`` is a session that is already settled: done, or in a neighbouring week.
    """

    kind: ConflictKind
    id: str
    message: str

    def as_json(self) -> dict[str, str]:
        return {"kind": self.kind, "id": self.id, "message": self.message}


BUDGET_TEXTS: Mapping[BudgetSpent, str] = {
    "not_proved": "This week is big: the work that one week may cost was spent before it was proved that no calendar "
    "is better. The best one found is given; no hard rule is broken.",
    "not_minimal": "This week is big: the work that one week may cost was spent before everything was tried. What is "
    "named cannot hold together, but part of it may not be needed for that.",
    "undecided": "This week is big: the work that one week may cost was spent before a calendar was found or proved "
    "impossible. Leave out some sessions or fix the starts of some, and plan it again.",
    "out_of_time": "The planner was stopped: this week took more processor time or memory than it may. Plan it again, "
    "with fewer sessions if that happens twice.",
}


@dataclass(frozen=True, slots=True)
class WeekPlan:
    """``optimal``: proved that no calendar costs less. ``cost`` in preference units (see ``preferences.POINT``).

    ``budget``: what was not finished, as the week's budget of work was spent; such a week's status may be undecided.
    """

    status: WeekStatus
    week_start: date
    sessions: tuple[PlacedSession, ...]
    penalties: tuple[Penalty, ...]
    optimal: bool
    cost: int | None
    conflict: tuple[ConflictMember, ...]
    suggestions: tuple[str, ...]
    notes: tuple[str, ...]
    decided_by: tuple[DecidedBy, ...]
    budget: BudgetSpent | None = None

    def as_json(self) -> dict[str, Any]:
        """The JSON of ``tandem week --json``."""
        return {
            "status": self.status,
            "week_start": self.week_start.isoformat(),
            "sessions": [session.as_json() for session in self.sessions],
            **told("penalties", self.penalties),
            "optimal": self.optimal,
            **told("conflict", self.conflict),
            "suggestions": list(self.suggestions[:MAX_TOLD]),
            "notes": list(self.notes),
            "decided_by": [decided.as_json() for decided in self.decided_by],
            **({} if self.budget is None else {"budget": {"code": self.budget, "text": BUDGET_TEXTS[self.budget]}}),
        }
