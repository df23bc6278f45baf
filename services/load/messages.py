"""What the load service accepts, and what it emits."""

from collections import Counter
from datetime import date
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.athletes.messages import athlete_erased
from shared.contract.sessions import Effort, Kind, Mode, Region, RunType
from shared.contract.words import Band, DayState, LoadQuality, LoadStatus, ScoreMethod, ScoreStatus
from shared.messages.rule_packs import RulesCompared
from shared.messages.values import Day, DoneDay, DoneFields, DoneSession, Id, Instant, PlannedRef, PublishedEvent, Value

MAX_SESSIONS_AT_ONCE = 200
MAX_DAYS_REQUESTED = 366


class RecordedSession(DoneFields):
    """A done session as messages name it: its id is ``session``."""

    session: Id

    @property
    def done(self) -> DoneSession:
        fields = {name: getattr(self, name) for name in DoneFields.model_fields}
        return DoneSession.model_construct(id=self.session, **fields)


class RecordSession(RecordedSession):
    athlete: Id


class ImportSessions(Value):
    """All or nothing. Each session stands once."""

    athlete: Id
    sessions: Annotated[list[RecordedSession], Field(min_length=1, max_length=MAX_SESSIONS_AT_ONCE)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        twice = sorted(name for name, count in Counter(s.session for s in self.sessions).items() if count > 1)
        if twice:
            raise PydanticCustomError(
                "duplicate_id",
                "each session may stand once, but these stand more often: {ids}",
                {"ids": ", ".join(twice)},
            )
        return self


class RemoveSession(Value):
    athlete: Id
    session: Id


class MarkDay(Value):
    athlete: Id
    date: DoneDay
    state: DayState


class GetLoad(Value):
    """``date`` defaults to the athlete's today; ``days`` asks for so many days that end there, oldest first.

    They come in pages of at most ``limit`` days and 128 KiB: ``next`` is the ``cursor`` of the next page, null in the
    last.
    """

    athlete: Id
    date: Day | None = None
    days: Annotated[int, Field(ge=1, le=MAX_DAYS_REQUESTED)] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_DAYS_REQUESTED)] | None = None
    cursor: Day | None = None


class LiftMax(PublishedEvent):
    lift: str
    e1rm_kg: float


class SessionScored(PublishedEvent):
    """A session was stored, changed, scored anew or removed. Loads in AU.

    ``date``: the session's day, kept when the athlete's time zone changes later; ``timezone``: whose clock says so,
    null where it is the offset of ``start``.

    With ``removed`` the loads are 0: the session no longer counts.
    """

    athlete: Id
    session: Id
    revision: int
    removed: bool
    start: Instant
    timezone: str | None
    end: Instant
    date: date
    duration_min: float
    kind: Kind
    type: RunType | None
    region: Region | None
    effort: Effort | None
    mode: Mode | None
    rpe: float | None
    distance_km: float | None
    planned: Id | PlannedRef | None
    run: float
    lift: float
    other: float
    combined: float
    method: ScoreMethod
    status: ScoreStatus
    missing: list[str]
    e1rm: list[LiftMax]


class DayFigures(PublishedEvent):
    """One day as other services follow it: coupled ratios with status and band, and the day's state."""

    date: date
    state: DayState | None
    acwr_run: float | None
    acwr_lift: float | None
    acwr_combined: float | None
    status_run: LoadStatus
    status_lift: LoadStatus
    status_combined: LoadStatus
    band_run: Band | None
    band_lift: Band | None
    band_combined: Band | None


class DoubtedRecord(PublishedEvent):
    """What looks wrong among the records of the 28 days that end on the date. ``where``: the ``date``, and the
    ``session`` where one is meant; ``set_aside``: what is not counted until it is sent with ``confirmed``."""

    code: LoadQuality
    where: dict[str, str]
    text: str
    set_aside: list[str]


class LoadAssessed(PublishedEvent):
    """The day's picture as ``tandem load`` prints it. ``provisional``: the local day is not over; ``state``: the lapse
    (name, since, until) that the training is in.

    ``days``: the assessed day and every day whose figures changed since they were told, of the newest 84.
    """

    athlete: Id
    date: date
    state: dict[str, str] | None
    streams: dict[str, dict[str, Any]]
    alerts: list[dict[str, Any]]
    alerts_more: int
    quality: list[DoubtedRecord]
    quality_more: int
    provisional: bool
    days: list[DayFigures]
    decided_by: list[dict[str, str]]


class LoadSpiked(PublishedEvent):
    """A stream entered the danger band, or one run passed 110 % of the longest in 30 days."""

    athlete: Id
    date: date
    alerts: list[dict[str, Any]]
    decided_by: list[dict[str, str]]


EVENTS: dict[str, type[BaseModel]] = {
    "load.session-scored": SessionScored,
    "load.load-assessed": LoadAssessed,
    "load.load-spiked": LoadSpiked,
    "load.athlete-erased": athlete_erased("load"),
    "load.rules-compared": RulesCompared,
}
