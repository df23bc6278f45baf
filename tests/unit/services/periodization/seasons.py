"""A season that is quick to write down: twelve weeks from Monday 2026-03-02, template of the contract's example."""

from datetime import date
from typing import Any

from services.periodization.domain import Season, SeasonInputs, plan_season
from shared.messages.values import Goal, Profile, WeekTemplate
from shared.rules.decisions import Rules

START = date(2026, 3, 2)
TEMPLATE = WeekTemplate(run_minutes=240, long_run_minutes=90, quality_runs=1, lifts=3, lower_sets=16, upper_sets=18)


def race(day: str, goal_class: str = "A", id: str = "race", **more: Any) -> Goal:
    return Goal.model_validate({"id": id, "kind": "race", "class": goal_class, "date": day, **more})


def strength_test(day: str, id: str = "test", **more: Any) -> Goal:
    return Goal.model_validate({"id": id, "kind": "strength", "class": "A", "date": day, **more})


def season(rules: Rules, *goals: Goal, **changed: Any) -> Season:
    """Twelve weeks from Monday 2026-03-02, template of the contract's example, nothing known about any day."""
    inputs: dict[str, Any] = {
        "start": START,
        "weeks": 12,
        "template": TEMPLATE,
        "goals": goals,
        "profile": Profile(timezone="Europe/Berlin"),
        "history": {},
        "coach_deloads": (),
        "on": START,
    }
    return plan_season(SeasonInputs(**{**inputs, **changed}), rules)
