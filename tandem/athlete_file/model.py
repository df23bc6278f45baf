"""The athlete file's model: the contract's fields, built from the value types that the messages use too."""

from typing import Annotated

from pydantic import Field

from shared.messages.values import (
    AfterLift,
    Day,
    DayLoad,
    DoneSession,
    Goal,
    Id,
    Limits,
    MarkedDay,
    PlannedSession,
    Profile,
    Text,
    Value,
    WeekTemplate,
    Wellness,
    Window,
)


class Athlete(Profile):
    """Who the athlete is; ``id`` is what the messages call ``athlete``."""

    id: Id

    def profile(self) -> Profile:
        """What planning needs, without the id: the body of ``athlete.put``."""
        return Profile.model_validate(self.model_dump(exclude={"id"}))


class SeasonPlan(Value):
    """``start`` is what set-goals calls ``season_start``; ``weeks`` how many weeks to plan."""

    start: Day
    weeks: Annotated[int, Field(ge=1, le=104)] | None = None
    week_template: WeekTemplate | None = None


class WeekToPlan(Value):
    """A week's sessions: with ``start`` proposed or fixed, without it to be placed; none = from the season."""

    start: Day
    sessions: list[PlannedSession] | None = None


class CoachDecision(Value):
    """A deload that a coach ordered (the message start-deload)."""

    start: Annotated[Day, Field(alias="from")]
    days: Annotated[int, Field(ge=1, le=28)] = 7
    reason: Text | None = None


class AthleteFile(Value):
    """One athlete: who, what was done, how the mornings were, what is wanted and when there is time."""

    athlete: Athlete | None = None
    sessions: list[DoneSession] = []
    daily_load: list[DayLoad] = []
    days: list[MarkedDay] = []
    wellness: list[Wellness] = []
    goals: list[Goal] = []
    availability: list[Window] | None = None
    limits: Limits | None = None
    season: SeasonPlan | None = None
    week: WeekToPlan | None = None
    deloads: list[CoachDecision] = []
    after_lift: AfterLift | None = None
    notes: dict[str, Text] | None = None
