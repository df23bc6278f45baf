"""What a season is planned from and what it is: the inputs, a week's targets, the whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Literal

from shared.contract.words import DeloadCause, PackKind, Phase, Priority
from shared.messages.values import Goal, Profile, WeekTemplate
from shared.rules.model import DecidedBy, Facts

WEEK_DAYS = 7
JSON_DIGITS = 6
"""Targets are computed in full precision; JSON shows this many decimals, so 254.4 does not read 254.39999999999998."""

Standing = Literal["in-season", "before-season", "after-season"]


@dataclass(frozen=True, slots=True)
class CoachDeload:
    """A coach's decision: a deload of ``days`` days from ``start`` on."""

    start: date
    days: int = WEEK_DAYS
    reason: str | None = None

    @property
    def end(self) -> date:
        """First day after the deload."""
        return self.start + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class SeasonChoices:
    """What was wished for; None: left to the defaults."""

    goals: Sequence[Goal] = ()
    season_start: date | None = None
    week_template: WeekTemplate | None = None
    weeks: int | None = None


@dataclass(frozen=True, slots=True)
class SeasonInputs:
    """Everything that a season depends on. ``history``: athlete-day features per local date, may be empty; days after
    ``on`` are not looked at. Weeks begin on the weekday of ``start``."""

    start: date
    weeks: int
    template: WeekTemplate
    goals: Sequence[Goal]
    profile: Profile | None
    history: Mapping[date, Facts]
    coach_deloads: Sequence[CoachDeload]
    on: date

    def __post_init__(self) -> None:
        if self.weeks < 1:
            raise ValueError(f"a season has at least one week, not {self.weeks}")


@dataclass(frozen=True, slots=True)
class SeasonWeek:
    """The targets of one week. Minutes and weekly sets; ``easy_share`` is a fraction of ``run_minutes``, which leaves
    races out. ``phase`` is ``deload`` exactly when ``deload`` is true."""

    number: int
    start: date
    phase: Phase
    deload: bool
    reasons: tuple[str, ...]
    run_minutes: float
    easy_share: float
    lift_sessions: int
    lower_sets: float
    upper_sets: float
    long_run_minutes: float
    quality_runs: int
    priority: Priority
    decided_by: tuple[DecidedBy, ...] = ()

    @property
    def end(self) -> date:
        """First day after the week."""
        return self.start + timedelta(days=WEEK_DAYS)

    def targets(self) -> dict[str, Any]:
        return {
            "run_minutes": round(self.run_minutes, JSON_DIGITS),
            "easy_share": round(self.easy_share, JSON_DIGITS),
            "lift_sessions": self.lift_sessions,
            "lower_sets": round(self.lower_sets, JSON_DIGITS),
            "upper_sets": round(self.upper_sets, JSON_DIGITS),
            "long_run_minutes": round(self.long_run_minutes, JSON_DIGITS),
            "quality_runs": self.quality_runs,
            "priority": self.priority,
        }

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "start": self.start.isoformat(),
            "phase": self.phase,
            "deload": self.deload,
            "reasons": list(self.reasons),
            **self.targets(),
            "decided_by": [decided.as_json() for decided in self.decided_by],
        }


@dataclass(frozen=True, slots=True)
class PlannedGoal:
    """A goal and where it falls: ``week`` counts from 1 and is None outside the season."""

    goal: Goal
    week: int | None
    standing: Standing

    def as_json(self) -> dict[str, Any]:
        return {
            **self.goal.model_dump(mode="json", by_alias=True, exclude_none=True),
            "week": self.week,
            "standing": self.standing,
        }


@dataclass(frozen=True, slots=True)
class DeloadStart:
    """A deload that the plan begins: ``cause`` says whether the calendar, a trigger or a coach asked for it."""

    week: int
    start: date
    days: int
    cause: DeloadCause
    reason: str
    decided_by: tuple[DecidedBy, ...]


@dataclass(frozen=True, slots=True)
class Season:
    """``asked``: what the season's rules were asked about each week, by its first day; for explanations only."""

    weeks: tuple[SeasonWeek, ...]
    goals: tuple[PlannedGoal, ...]
    deloads: tuple[DeloadStart, ...] = field(default=())
    asked: Mapping[date, tuple[tuple[PackKind, Facts], ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def decided_by(self) -> tuple[DecidedBy, ...]:
        return tuple(dict.fromkeys(decided for week in self.weeks for decided in week.decided_by))

    def week_of(self, day: date) -> SeasonWeek | None:
        return next((week for week in self.weeks if week.start <= day < week.end), None)

    def from_week_of(self, day: date, weeks: int | None) -> "Season":
        """Only so many ``weeks`` (None: all) from that of ``day`` on."""
        return replace(self, weeks=tuple(week for week in self.weeks if week.end > day)[:weeks])

    def as_json(self) -> dict[str, Any]:
        return {
            "weeks": [week.as_json() for week in self.weeks],
            "goals": [goal.as_json() for goal in self.goals],
            "decided_by": [decided.as_json() for decided in self.decided_by],
        }
