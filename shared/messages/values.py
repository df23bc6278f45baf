"""Value types that messages and the athlete file have in common.

Field names are the contract's. A message adds ``athlete`` (and ``session``); the athlete file nests and says ``id``.
"""

from datetime import date, datetime
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.contract.sessions import SESSION_KINDS, TAGS, Effort, Kind, Mode, Region, RunType
from shared.contract.wellness import WellnessItems
from shared.contract.words import (
    DEFAULT_WEEK_START,
    DayState,
    DayStrategy,
    GoalClass,
    GoalKind,
    Level,
    Phase,
    Priority,
    Weekday,
    WeekStart,
)
from shared.messages.ids import ID_PATTERN
from shared.messages.times import known_zone, not_too_old, on_one_clock, read_clock, read_day, read_instant, week_of

MAX_SESSION_MINUTES = 96 * 60
LARGEST_NUMBER = 1e9
"""Far beyond every load, weight, distance and time of a person; no sum of such numbers overflows."""
LARGEST_INTEGER = 2**53 - 1
"""What every JSON reader keeps exact; a revision may be milliseconds since 1970."""
MAX_WEEK_MINUTES = 7 * 24 * 60
MAX_WEEK_SETS = 1000
Id = Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$")]
Instant = Annotated[datetime, BeforeValidator(read_instant)]
Day = Annotated[date, BeforeValidator(read_day)]
DoneInstant = Annotated[datetime, BeforeValidator(read_instant), AfterValidator(not_too_old)]
DoneDay = Annotated[date, BeforeValidator(read_day), AfterValidator(not_too_old)]
Timezone = Annotated[str, BeforeValidator(known_zone)]
ClockTime = Annotated[str, BeforeValidator(read_clock)]
Text = Annotated[str, StringConstraints(max_length=500)]
Positive = Annotated[float, Field(gt=0, le=LARGEST_NUMBER, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=LARGEST_NUMBER, allow_inf_nan=False)]
DurationMin = Annotated[float, Field(gt=0, le=MAX_SESSION_MINUTES, allow_inf_nan=False)]


class Value(BaseModel):
    """Immutable, closed: an unknown field is an error, a number is finite, a string is never taken for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Profile(Value):
    """Who the athlete is, as far as planning needs it."""

    timezone: Timezone
    priority: Priority = "balanced"
    level: Level = "intermediate"
    sex: Annotated[str, StringConstraints(pattern="^(female|male|other)$")] | None = None
    birth_year: Annotated[int, Field(ge=1900, le=2100)] | None = None
    body_mass_kg: Annotated[float, Field(gt=0, le=500)] | None = None
    hr_max: Annotated[float, Field(gt=0, le=260)] | None = None
    hr_rest: Annotated[float, Field(gt=0, le=200)] | None = None
    threshold_hr: Annotated[float, Field(gt=0, le=260)] | None = None
    threshold_pace_s_per_km: Annotated[float, Field(gt=0, le=3600)] | None = None
    one_rep_max_kg: dict[Id, Positive] | None = None
    day_strategy: DayStrategy | None = None
    phase: Phase | None = None
    week_starts_on: WeekStart = DEFAULT_WEEK_START

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def day_of(self, instant: datetime) -> date:
        """The athlete's own calendar date at that instant."""
        return instant.astimezone(self.zone).date()

    def week_of(self, day: date) -> date:
        """The first day of the athlete's week that holds ``day``."""
        return week_of(day, self.week_starts_on)


class ExerciseSet(Value):
    reps: Annotated[int, Field(ge=0, le=1000)]
    load_kg: NonNegative | None = None
    rir: Annotated[float, Field(ge=0, le=20)] | None = None


class Exercise(Value):
    name: Text
    region: Region | None = None
    sets: Annotated[list[ExerciseSet], Field(max_length=100)] = []


_KIND_AND_TAGS = ("kind", *TAGS)


class Tagged(BaseModel):
    """A session's kind and tags, as every message about a session has them."""

    kind: Kind
    type: RunType | None = None
    region: Region | None = None
    effort: Effort | None = None
    mode: Mode | None = None

    @property
    def tags(self) -> dict[str, Any]:
        """Kind and tags; a tag that was not given is None."""
        fields = self.__dict__
        return {name: fields[name] for name in _KIND_AND_TAGS}


class SessionTags(Tagged, Value):
    """What kind of session: only the tag that belongs to its kind may stand beside it."""

    @model_validator(mode="after")
    def _tags_fit_kind(self) -> Self:
        allowed = SESSION_KINDS[self.kind].tags
        for tag in TAGS:
            if getattr(self, tag) is not None and tag not in allowed:
                fits = " and ".join(sorted(allowed)) or "no tag"
                raise PydanticCustomError(
                    "tag_of_other_kind",
                    "'{tag}' does not belong to kind {kind}, which takes {fits}",
                    {"tag": tag, "kind": self.kind, "fits": fits},
                )
        return self


class PlannedRef(Value):
    """A planned session: ids may come back every week, so the week says which. ``week``: its first day."""

    week: Day
    id: Id


class DoneFields(SessionTags):
    """A session that was done. ``rpe`` is CR-10; ``avg_hr`` in beats per minute. ``timezone``: the clock of the place
    where it was done, which says on which day it counts; by default that of the offset, of a start in UTC the
    athlete's."""

    start: DoneInstant
    timezone: Timezone | None = None
    duration_min: DurationMin
    rpe: Annotated[float, Field(ge=0, le=10)] | None = None
    revision: Annotated[int, Field(ge=0, le=LARGEST_INTEGER)] = 0
    distance_km: NonNegative | None = None
    ascent_m: NonNegative | None = None
    avg_hr: Annotated[float, Field(ge=0, le=260)] | None = None
    exercises: Annotated[list[Exercise], Field(max_length=100)] = []
    protein_g_2h: NonNegative | None = None
    carb_g_2h: NonNegative | None = None
    planned: Id | PlannedRef | None = None
    confirmed: bool = False
    """What looks implausible or like a copy is so: it counts as it was sent."""

    @model_validator(mode="after")
    def _offset_fits(self) -> Self:
        on_one_clock(self.start, self.timezone)
        return self

    @property
    def stated_rpe(self) -> float | None:
        """An effort of 0 means that none was given: CR-10's 0 is lying down."""
        return self.rpe or None


class DoneSession(DoneFields):
    id: Id


class PlannedSession(SessionTags):
    """A session to be done; with ``start`` it is fixed (or proposed), without it the planner places it."""

    id: Id
    duration_min: DurationMin
    start: Instant | None = None
    timezone: Timezone | None = None
    key: bool = False

    @model_validator(mode="after")
    def _offset_fits(self) -> Self:
        on_one_clock(self.start, self.timezone)
        return self


class OfOneDay(Value):
    date: DoneDay


class DayLoad(OfOneDay):
    """Ready-made load of one local day, AU. A missing stream is 0; a missing date is unknown."""

    run: NonNegative = 0.0
    lift: NonNegative = 0.0
    other: NonNegative = 0.0


class MarkedDay(OfOneDay):
    state: DayState


class Wellness(WellnessItems, OfOneDay):
    """One morning. Items 1-5: 5 = worst, except mood and sleep_quality, where 5 = best."""


class Goal(Value):
    id: Id
    kind: GoalKind
    date: Day
    goal_class: Annotated[GoalClass, Field(alias="class")] = "A"
    distance_km: Positive | None = None
    target_time_s: Positive | None = None
    lift: Id | None = None
    target_kg: Positive | None = None
    name: Text | None = None


class WeekTemplate(Value):
    """The first week of a season: minutes, counts and weekly sets."""

    run_minutes: Annotated[float, Field(ge=0, le=MAX_WEEK_MINUTES)]
    long_run_minutes: Annotated[float, Field(ge=0, le=MAX_SESSION_MINUTES)] = 0.0
    quality_runs: Annotated[int, Field(ge=0, le=14)] = 0
    lifts: Annotated[int, Field(ge=0, le=14)] = 0
    lower_sets: Annotated[float, Field(ge=0, le=MAX_WEEK_SETS)] = 0.0
    upper_sets: Annotated[float, Field(ge=0, le=MAX_WEEK_SETS)] = 0.0


class Window(Value):
    """A time the athlete can train: a weekday's or one date's. ``to`` not after ``from`` ends on the next day."""

    day: Weekday | None = None
    date: Day | None = None
    opens: Annotated[ClockTime, Field(alias="from")]
    closes: Annotated[ClockTime, Field(alias="to")]

    @model_validator(mode="after")
    def _one_kind_of_day(self) -> Self:
        if (self.day is None) == (self.date is None):
            raise PydanticCustomError("day_or_date", "give either 'day' (mon to sun) or 'date', and not both")
        return self


class Limits(Value):
    max_sessions_per_day: Annotated[int, Field(ge=1, le=10)] = 2
    min_rest_days: Annotated[int, Field(ge=0, le=6)] = 1


class AfterLift(Value):
    """The lift just done and the run wished for after it."""

    lift: SessionTags
    run: "WishedRun"


class WishedRun(SessionTags):
    duration_min: DurationMin
    gap_hours: NonNegative | None = None
    can_separate: bool | None = None


class PublishedEvent(BaseModel):
    """Consumers declare the fields that they read and ignore the rest."""

    model_config = ConfigDict(frozen=True)

    def as_data(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class ReadEvent(BaseModel):
    """Another service's event, or a part of it: only the fields read here, the rest ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)
