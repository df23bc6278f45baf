"""Value types that messages and the athlete file have in common.

Field names are the contract's. A message adds ``athlete`` (and ``session``); the athlete file nests and says ``id``.
"""

import difflib
import re
from datetime import date, datetime, timedelta
from functools import cache
from typing import Annotated, Any, Self, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.contract.sessions import SESSION_KINDS, TAGS, Effort, Kind, Mode, Region, RunType
from shared.contract.wellness import WellnessItems
from shared.contract.words import (
    DEFAULT_WEEK_START,
    WEEKDAYS,
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

MAX_SESSION_MINUTES = 96 * 60
LARGEST_NUMBER = 1e9
"""Far beyond every load, weight, distance and time of a person; no sum of such numbers overflows."""
LARGEST_INTEGER = 2**53 - 1
"""What every JSON reader keeps exact; a revision may be milliseconds since 1970."""
MAX_WEEK_MINUTES = 7 * 24 * 60
MAX_WEEK_SETS = 1000
FIRST_YEAR, LAST_YEAR = 1900, 2199
FIRST_RECORD = date(1970, 1, 1)
"""A day or two after it is what a clock that was never set says; nothing was recorded before."""
STORED = {"stored": True}
"""The context in which a model is read back."""

Moment = TypeVar("Moment", bound=date)
_RFC3339 = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?$")
_ISO_DATE = re.compile(r"^\d{4}-\d\d-\d\d$")
_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if not isinstance(value, str) or not _RFC3339.match(value):
        raise PydanticCustomError(
            "time_format", "write a time as RFC 3339 with an offset, like 2026-03-02T07:00:00+01:00"
        )
    try:
        parsed = datetime.fromisoformat(value.upper().replace("Z", "+00:00"))
    except ValueError as error:
        raise PydanticCustomError("time_impossible", "no such time: {why}", {"why": str(error)}) from None
    _check_year(parsed.year)
    if parsed.tzinfo is None:
        raise PydanticCustomError(
            "offset_missing", "a time needs its offset, like {value}+01:00 or {value}Z", {"value": value}
        )
    return parsed


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _ISO_DATE.match(value):
        raise PydanticCustomError("date_format", "write a date as YYYY-MM-DD")
    try:
        parsed = date.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("date_impossible", "no such date: {why}", {"why": str(error)}) from None
    _check_year(parsed.year)
    return parsed


def _check_year(year: int) -> None:
    """Keeps every sum of a time and a duration inside what a datetime can hold."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        allowed = {"first": FIRST_YEAR, "last": LAST_YEAR, "year": year}
        raise PydanticCustomError("year_range", "the year must be between {first} and {last}, not {year}", allowed)


@cache
def _zone_names() -> frozenset[str]:
    """Read once: the standard library walks the zone files each time it is asked, some 20 ms."""
    return frozenset(available_timezones())


def _zone(value: Any) -> Any:
    if isinstance(value, str) and value not in _zone_names():
        message = "'{value}' is no IANA time zone{hint}"
        raise PydanticCustomError("unknown_timezone", message, {"value": value[:60], "hint": _zone_hint(value)})
    return value


def _zone_hint(value: str) -> str:
    """The zone that was probably meant, by its whole name or by its city."""
    by_plain_name = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(available_timezones(), reverse=True)}
    by_plain_name |= {zone.casefold(): zone for zone in available_timezones()}
    plain = value[:60].strip().replace(" ", "_").casefold()
    near = difflib.get_close_matches(plain, by_plain_name, n=1, cutoff=0.7)
    return f"; did you mean '{by_plain_name[near[0]]}'?" if near else ", like Europe/Berlin or America/New_York"


def _not_too_old(value: Moment, info: ValidationInfo) -> Moment:
    """What is read again from where it was taken to before this was asked stays."""
    day = value.date() if isinstance(value, datetime) else value
    if day < FIRST_RECORD and info.context != STORED:
        raise PydanticCustomError("too_old", "what was done before {first} is not taken", {"first": str(FIRST_RECORD)})
    return value


def _clock(value: Any) -> Any:
    if not isinstance(value, str) or not _CLOCK.match(value):
        raise PydanticCustomError("clock_format", 'write a clock time as "HH:MM" between 00:00 and 24:00')
    return value


Id = Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$")]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Day = Annotated[date, BeforeValidator(_day)]
DoneInstant = Annotated[datetime, BeforeValidator(_instant), AfterValidator(_not_too_old)]
DoneDay = Annotated[date, BeforeValidator(_day), AfterValidator(_not_too_old)]
Timezone = Annotated[str, BeforeValidator(_zone)]
ClockTime = Annotated[str, BeforeValidator(_clock)]
Text = Annotated[str, StringConstraints(max_length=500)]
Positive = Annotated[float, Field(gt=0, le=LARGEST_NUMBER, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=LARGEST_NUMBER, allow_inf_nan=False)]
DurationMin = Annotated[float, Field(gt=0, le=MAX_SESSION_MINUTES, allow_inf_nan=False)]


class Value(BaseModel):
    """Immutable, closed: an unknown field is an error, a number is finite, a string is never taken for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def day_of_session(start: datetime, timezone: str | None, zone: ZoneInfo) -> date:
    """A session's day: the date of its start on its own clock, that of its time zone or else of its offset. Only a
    start in UTC that names no time zone is read in ``zone``, the athlete's."""
    own = ZoneInfo(timezone) if timezone is not None else None if start.utcoffset() else zone
    return (start if own is None else start.astimezone(own)).date()


def week_of(day: date, starts_on: Weekday = DEFAULT_WEEK_START) -> date:
    """The first day of the week that holds ``day``."""
    return day - timedelta(days=(day.weekday() - WEEKDAYS.index(starts_on)) % len(WEEKDAYS))


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


def _on_one_clock(start: datetime | None, timezone: str | None) -> None:
    """Refuses an offset that the time zone does not have then; a start in UTC says nothing of a clock."""
    if start is None or timezone is None or not start.utcoffset():
        return
    there = start.astimezone(ZoneInfo(timezone))
    if there.utcoffset() != start.utcoffset():
        raise PydanticCustomError(
            "offset_mismatch",
            "at {start} the clocks of {zone} show {there}: correct the offset or the timezone",
            {"start": start.isoformat(), "zone": timezone, "there": there.isoformat()},
        )


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
        _on_one_clock(self.start, self.timezone)
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
        _on_one_clock(self.start, self.timezone)
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
