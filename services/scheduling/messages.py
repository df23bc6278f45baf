"""What the scheduling service accepts, what it reads of other services' events, and what it emits."""

from collections import Counter
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.athletes.messages import athlete_erased
from shared.contract.words import BudgetSpent, Intensity, Phase, WeekStatus
from shared.messages.rule_packs import RulesCompared
from shared.messages.values import (
    AfterLift,
    Day,
    Id,
    Instant,
    Limits,
    PlannedRef,
    PlannedSession,
    PublishedEvent,
    ReadEvent,
    Tagged,
    Text,
    Timezone,
    Value,
    Window,
    WishedRun,
)

MAX_WINDOWS = 100
MAX_SESSIONS = 60
MAX_SESSIONS_CHECKED = 400


def _each_once(sessions: list[PlannedSession] | None) -> None:
    twice = sorted(name for name, count in Counter(s.id for s in sessions or ()).items() if count > 1)
    if twice:
        raise PydanticCustomError(
            "duplicate_id", "each session may stand once, but these stand more often: {ids}", {"ids": ", ".join(twice)}
        )


class SetAvailability(Value):
    """All the athlete's windows: those not named any more are gone; an empty list means no time at all."""

    athlete: Id
    windows: Annotated[list[Window], Field(max_length=MAX_WINDOWS)]
    max_sessions_per_day: Annotated[int, Field(ge=1, le=10)] | None = None
    min_rest_days: Annotated[int, Field(ge=0, le=6)] | None = None

    @property
    def limits(self) -> Limits | None:
        """The limits named; None when neither is."""
        given = {
            name: value
            for name in ("max_sessions_per_day", "min_rest_days")
            if (value := getattr(self, name)) is not None
        }
        return Limits.model_validate(given) if given else None


class PlanWeek(Value):
    """``sessions`` left out: those that the season's targets ask for."""

    athlete: Id
    week_start: Day
    sessions: Annotated[list[PlannedSession], Field(max_length=MAX_SESSIONS)] | None = None

    @model_validator(mode="after")
    def _unique(self) -> Self:
        _each_once(self.sessions)
        return self


class ProposedSession(PlannedSession):
    start: Instant


class CheckWeek(Value):
    """Sessions of any number of weeks; within one week each id stands once."""

    athlete: Id | None = None
    sessions: Annotated[list[ProposedSession], Field(max_length=MAX_SESSIONS_CHECKED)]


class Override(Value):
    """Who takes it upon themselves to break a hard rule, and why; kept for good."""

    by: Annotated[Text, Field(min_length=1)]
    reason: Annotated[Text, Field(min_length=1)]


class MoveSession(Value):
    """``week``: the first day of the week whose session is meant; left out: the week not over yet that holds it."""

    athlete: Id
    session: Id
    week: Day | None = None
    start: Instant
    override: Override | None = None


class AfterLiftAdvice(AfterLift):
    athlete: Id
    run: WishedRun


class GetWeek(Value):
    athlete: Id
    week_start: Day
    format: Literal["json", "ics"] = "json"


class WeekTargetsSet(ReadEvent):
    athlete: Id
    week_start: Day
    phase: Phase | None = None
    sessions: Annotated[list[PlannedSession], Field(max_length=MAX_SESSIONS)] = []


class SessionScored(Tagged, ReadEvent):
    athlete: Id
    session: Id
    removed: bool = False
    date: Day | None = None
    start: Instant
    timezone: Timezone | None = None
    duration_min: float
    planned: Id | PlannedRef | None = None

    @property
    def done(self) -> PlannedSession:
        """The done session as one that stands on the calendar."""
        return PlannedSession(
            id=self.session, **self.tags, duration_min=self.duration_min, start=self.start, timezone=self.timezone
        )


class SeasonWeekStart(ReadEvent):
    start: Day


class SeasonPlanned(ReadEvent):
    """All weeks of the season; one that is no longer among them was withdrawn."""

    athlete: Id
    weeks: list[SeasonWeekStart]


class DayGate(ReadEvent):
    intensity: Intensity
    volume_factor: float = 1.0
    reason: str | None = None


class AdjustedSession(Tagged, ReadEvent):
    """One of today's sessions after the gate; tags may have changed, its place has not."""

    id: Id
    duration_min: float
    changed: bool = False
    why: str | list[str] | None = None


class ReadinessAssessed(ReadEvent):
    athlete: Id
    date: Day
    gate: DayGate
    today: list[AdjustedSession] = []
    decided_by: list[dict[str, str]] = []


class WorkSpent(BaseModel):
    """What planning left unfinished when the work that one week may cost was spent."""

    code: BudgetSpent
    text: str


class WeekTold(PublishedEvent):
    """The week as ``tandem week`` prints it, with every rule that shaped it."""

    athlete: Id
    week_start: date
    status: WeekStatus
    sessions: list[dict[str, Any]]
    penalties: list[dict[str, Any]]
    penalties_more: int = 0
    optimal: bool
    conflict: list[dict[str, Any]]
    conflict_more: int = 0
    suggestions: list[str]
    notes: list[str]
    decided_by: list[dict[str, str]]
    budget: WorkSpent | None = None

    def as_data(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"budget"} if self.budget is None else None)


class SessionAdjusted(PublishedEvent):
    """A session differs from the plan of its week: by today's gate, or because somebody moved it (then ``gate`` is
    null).

    ``before`` and ``after`` hold the session's tags and duration, for a move its start and end too.
    """

    athlete: Id
    week_start: date
    date: date
    session: Id
    before: dict[str, Any]
    after: dict[str, Any]
    changed: bool
    why: list[str]
    gate: dict[str, Any] | None
    override: dict[str, str] | None
    decided_by: list[dict[str, str]]


EVENTS: dict[str, type[BaseModel]] = {
    "scheduling.week-planned": WeekTold,
    "scheduling.week-infeasible": WeekTold,
    "scheduling.week-undecided": WeekTold,
    "scheduling.session-adjusted": SessionAdjusted,
    "scheduling.athlete-erased": athlete_erased("scheduling"),
    "scheduling.rules-compared": RulesCompared,
}
