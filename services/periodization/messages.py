"""What the periodization service accepts, what it emits, and what it reads of other services' events."""

from collections import Counter
from datetime import date
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.athletes.messages import athlete_erased
from shared.contract.words import DeloadCause, EffectWord, Phase, Priority, Severity
from shared.messages.rule_packs import By, PackId, PackVersion, RulesActivated, RulesTried, Why
from shared.messages.values import Day, Goal, Id, PlannedSession, ReadEvent, Text, Value, WeekTemplate

MAX_GOALS = 100
MAX_WEEKS_ASKED = 104
LONGEST_DELOAD_DAYS = 28
MAX_DAYS_IN_EVENT = 400


class SetGoals(Value):
    """All the athlete's goals: those not named any more are dropped. What is left out of the rest stays as it was."""

    athlete: Id
    goals: Annotated[list[Goal], Field(max_length=MAX_GOALS)]
    season_start: Day | None = None
    week_template: WeekTemplate | None = None
    weeks: Annotated[int, Field(ge=1, le=MAX_WEEKS_ASKED)] | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        twice = sorted(name for name, count in Counter(goal.id for goal in self.goals).items() if count > 1)
        if twice:
            raise PydanticCustomError(
                "duplicate_id", "each goal may stand once, but these stand more often: {ids}", {"ids": ", ".join(twice)}
            )
        return self


class StartDeload(Value):
    """A coach's decision. The same ``from`` again replaces the earlier one."""

    athlete: Id
    start: Annotated[Day, Field(alias="from")]
    days: Annotated[int, Field(ge=1, le=LONGEST_DELOAD_DAYS)] = 7
    reason: Text | None = None


class GetSeason(Value):
    """``weeks`` of the season, beginning with the week of day ``from``; both left out: the whole season."""

    athlete: Id
    first: Annotated[Day | None, Field(alias="from")] = None
    weeks: Annotated[int, Field(ge=1, le=MAX_WEEKS_ASKED)] | None = None


class PutPack(Value):
    """A tenant's own pack as text; it is checked and kept, and counts once it is activated."""

    text: Annotated[str, Field(min_length=1)]
    author: By
    reason: Why


class ActivatePack(Value):
    """``dry_run``: only say what would change."""

    pack: PackId
    version: PackVersion
    author: By
    reason: Why
    dry_run: bool = False


class RollBackPack(Value):
    """To ``version``, or to what was in force before the latest activation of this pack's kind."""

    pack: PackId
    version: PackVersion | None = None
    author: By
    reason: Why
    dry_run: bool = False


class GetPacks(Value):
    """``on``: a day, also a past one (default: today, UTC)."""

    on: Day | None = None


class AssessedDay(BaseModel):
    """One day's figures under the names of the rule vocabulary: any of them may stand in a tenant's deload rule."""

    model_config = ConfigDict(extra="allow", frozen=True)

    date: Day

    @property
    def figures(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class LoadAssessed(ReadEvent):
    athlete: Id
    days: Annotated[list[AssessedDay], Field(max_length=MAX_DAYS_IN_EVENT)] = []


class ReadinessAssessed(ReadEvent):
    athlete: Id
    days: Annotated[list[AssessedDay], Field(max_length=MAX_DAYS_IN_EVENT)] = []


class AthleteErasedElsewhere(ReadEvent):
    athlete: Id
    service: str
    effect: EffectWord = "applied"


class Decided(BaseModel):
    pack: str
    version: str
    hash: str
    rule: str
    severity: Severity


class WeekTargets(BaseModel):
    """Minutes, weekly sets and counts; ``easy_share`` is a fraction of ``run_minutes``, which leaves races out."""

    run_minutes: float
    easy_share: float
    lift_sessions: int
    lower_sets: float
    upper_sets: float
    long_run_minutes: float
    quality_runs: int
    priority: Priority


class SeasonWeekTold(WeekTargets):
    number: int
    start: date
    phase: Phase
    deload: bool
    reasons: list[str]


class SeasonPlanned(BaseModel):
    """The season, whenever anything in it changes; ``weeks_before``: how many weeks, over for a year, are left out.

    Where the weeks' ``reasons`` would not fit they are empty here and stand in each week's week-targets-set.
    """

    athlete: Id
    weeks: list[SeasonWeekTold]
    weeks_before: int
    goals: list[dict[str, Any]]
    decided_by: list[Decided]


class WeekTargetsSet(BaseModel):
    """One week from the current one on whose targets or sessions changed; ``sessions`` are the week filled."""

    athlete: Id
    week_start: date
    number: int
    phase: Phase
    deload: bool
    targets: WeekTargets
    sessions: list[PlannedSession]
    reasons: list[str]
    decided_by: list[Decided]


class DeloadStarted(BaseModel):
    """A deload that begins this week, or one that a trigger or a coach has newly asked for."""

    model_config = ConfigDict(populate_by_name=True)

    athlete: Id
    start: Annotated[date, Field(alias="from")]
    days: int
    cause: DeloadCause
    reason: str
    decided_by: list[Decided]


EVENTS: dict[str, type[BaseModel]] = {
    "periodization.season-planned": SeasonPlanned,
    "periodization.week-targets-set": WeekTargetsSet,
    "periodization.deload-started": DeloadStarted,
    "periodization.athlete-erased": athlete_erased("periodization"),
    "periodization.rules-tried": RulesTried,
    "periodization.rules-activated": RulesActivated,
}
