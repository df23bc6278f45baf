"""What the recovery service accepts, what it reads of other services' events, and what it emits."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel

from shared.athletes.messages import athlete_erased
from shared.contract.words import Action, Colour, DayState, LoadStatus, MorningQuality
from shared.messages.rule_packs import RulesCompared
from shared.messages.values import Day, Id, Instant, PlannedSession, PublishedEvent, ReadEvent, Tagged, Value, Wellness


class RecordWellness(Wellness):
    """One morning. Several messages about one date complete each other, field by field."""

    athlete: Id


class GetReadiness(Value):
    athlete: Id
    date: Day | None = None


class SessionMax(ReadEvent):
    lift: str
    e1rm_kg: float


class SessionScored(ReadEvent):
    athlete: Id
    session: Id
    removed: bool = False
    date: Day
    kind: str
    type: str | None = None
    rpe: float | None = None
    e1rm: list[SessionMax] = []


class LoadOfDay(ReadEvent):
    date: Day
    state: DayState | None = None
    acwr_run: float | None = None
    acwr_lift: float | None = None
    acwr_combined: float | None = None
    status_run: LoadStatus = "no-data"
    status_lift: LoadStatus = "no-data"
    status_combined: LoadStatus = "no-data"


class LoadAssessed(ReadEvent):
    athlete: Id
    date: Day
    days: list[LoadOfDay] = []


class PlacedInWeek(Tagged, ReadEvent):
    """A placed session; read apart from its ``why`` and ``end``."""

    id: Id
    duration_min: float
    start: Instant
    key: bool = False

    @property
    def planned(self) -> PlannedSession:
        return PlannedSession.model_validate(self.model_dump())


class WeekPlanned(ReadEvent):
    athlete: Id
    week_start: Day
    sessions: list[PlacedInWeek] = []


class DoubtedMorning(PublishedEvent):
    """A value among the mornings that the figures rest on that cannot be so; it is not counted.

    ``where``: the ``date`` and the ``item``.
    """

    code: MorningQuality
    where: dict[str, str]
    text: str
    set_aside: list[str]


class ReadinessAssessed(PublishedEvent):
    """The day's readiness as ``tandem readiness`` prints it.

    ``days``: facts of the assessed day and of every day, of the newest 84, whose facts changed since they were told; by
    their names in the rule vocabulary, what is unknown left out.
    """

    athlete: Id
    date: date
    score: float | None
    colour: Colour | None
    limiting_factor: str | None
    factors: list[dict[str, Any]]
    confidence: float
    gate: dict[str, Any]
    signs: list[dict[str, Any]]
    action: Action
    asked_for: list[str]
    today: list[dict[str, Any]]
    days: list[dict[str, Any]]
    quality: list[DoubtedMorning]
    quality_more: int
    decided_by: list[dict[str, str]]


class OverreachingFlagged(PublishedEvent):
    """Several signs have lasted more than a week. Signs, not a diagnosis."""

    athlete: Id
    date: date
    signs: list[dict[str, Any]]
    action: Literal["watch", "pull-back"]
    asked_for: list[str]
    decided_by: list[dict[str, str]]


EVENTS: dict[str, type[BaseModel]] = {
    "recovery.readiness-assessed": ReadinessAssessed,
    "recovery.overreaching-flagged": OverreachingFlagged,
    "recovery.athlete-erased": athlete_erased("recovery"),
    "recovery.rules-compared": RulesCompared,
}
