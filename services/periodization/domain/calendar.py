"""Where weeks, goals, tapers and recovery weeks lie on the calendar of a season. Week indices count from 0."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from services.periodization.domain.season import WEEK_DAYS, CoachDeload, PlannedGoal, Standing
from shared.contract.words import GOAL_CLASSES, GoalClass
from shared.messages.values import Goal


@dataclass(frozen=True, slots=True)
class TaperSpot:
    """A week's place in the taper to ``race``: ``week`` counts from 1 to ``weeks``."""

    race: Goal
    week: int
    weeks: int
    race_week: bool


@dataclass(frozen=True, slots=True)
class SeasonCalendar:
    start: date
    weeks: int
    goals: tuple[Goal, ...]

    def index(self, day: date) -> int:
        """Week index of a day; negative before the season, ``weeks`` or more after it."""
        return (day - self.start).days // WEEK_DAYS

    def starts(self, index: int) -> date:
        return self.start + timedelta(days=WEEK_DAYS * index)

    def races(self) -> tuple[Goal, ...]:
        return tuple(goal for goal in self.goals if goal.kind == "race")

    def strength_tests(self) -> tuple[Goal, ...]:
        return tuple(goal for goal in self.goals if goal.kind == "strength")

    def goals_in(self, index: int) -> tuple[Goal, ...]:
        return tuple(goal for goal in self.goals if self.index(goal.date) == index)

    def next_of(self, goals: Sequence[Goal], index: int) -> Goal | None:
        """The first of ``goals`` in week ``index`` or later; on one day the more important first."""
        coming = [goal for goal in goals if self.index(goal.date) >= index]
        return min(coming, key=lambda goal: (goal.date, GOAL_CLASSES.index(goal.goal_class), goal.id), default=None)

    def planned_goals(self) -> tuple[PlannedGoal, ...]:
        found = []
        for goal in sorted(self.goals, key=lambda goal: (goal.date, goal.id)):
            index = self.index(goal.date)
            standing: Standing = "in-season" if 0 <= index < self.weeks else "before-season"
            if index >= self.weeks:
                standing = "after-season"
            found.append(PlannedGoal(goal, index + 1 if standing == "in-season" else None, standing))
        return tuple(found)

    def taper_spots(self, settings: Mapping[str, Any]) -> dict[int, list[TaperSpot]]:
        """Per week index the tapers it belongs to.

        The race's week is the taper's last when the race is on day ``taper_week_from_day`` of it (1 = its first day) or
        later. A race earlier in its week is tapered to in the weeks before, and its own week stays as light.
        """
        spots: dict[int, list[TaperSpot]] = {}
        for race in self.races():
            weeks = taper_weeks(race.goal_class, settings)
            if weeks == 0:
                continue
            race_index = self.index(race.date)
            day_of_week = (race.date - self.starts(race_index)).days + 1
            early = day_of_week < settings["taper_week_from_day"]
            last = race_index - 1 if early else race_index
            for number in range(1, weeks + 1):
                index = last - weeks + number
                spots.setdefault(index, []).append(TaperSpot(race, number, weeks, index == race_index))
            if early:
                spots.setdefault(race_index, []).append(TaperSpot(race, weeks, weeks, True))
        return spots

    def recovery_weeks(self, settings: Mapping[str, Any]) -> frozenset[int]:
        """Weeks after an A race that belong to recovering from it."""
        weeks = int(settings["recovery_weeks_after_a_race"])
        return frozenset(
            self.index(race.date) + offset
            for race in self.races()
            if race.goal_class == "A"
            for offset in range(1, weeks + 1)
        )

    def coach_weeks(self, deloads: Sequence[CoachDeload], settings: Mapping[str, Any]) -> dict[int, CoachDeload]:
        """The weeks that a coach's deload makes light: those it covers for ``coach_deload_covers_days`` days or more,
        or the one it covers most (the earlier on a tie) when it covers none so far."""
        found: dict[int, CoachDeload] = {}
        for deload in sorted(deloads, key=lambda deload: deload.start):
            covered: dict[int, int] = {}
            for offset in range(deload.days):
                index = self.index(deload.start + timedelta(days=offset))
                covered[index] = covered.get(index, 0) + 1
            long_enough = [index for index, days in covered.items() if days >= settings["coach_deload_covers_days"]]
            for index in long_enough or [max(covered, key=lambda index: (covered[index], -index))]:
                found.setdefault(index, deload)
        return found


def taper_weeks(goal_class: GoalClass, settings: Mapping[str, Any]) -> int:
    """Whole weeks of taper to a race of this class; 0 for none."""
    days = float(settings["taper_days"][goal_class])
    return int(-(-days // WEEK_DAYS))
