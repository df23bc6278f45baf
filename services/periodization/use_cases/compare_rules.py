"""Seasons planned again under other rules, without telling anybody: what would change for whom."""

from typing import Final

from services.periodization.domain import plan_season
from services.periodization.store import planned_athletes
from services.periodization.use_cases.plan import athlete_season
from shared.bus.routes import Context
from shared.bus.rule_routes import Comparison, changes_of, compare_each
from shared.messages.rule_packs import DecisionChanged
from shared.rules.authoring.changed_decisions import changed_season
from shared.rules.lifecycle.dry_run import BothRules

EVERYBODY: Final = 1_000_000
"""To say of how many athletes those compared are some."""


def compare_seasons(context: Context, both: BothRules) -> Comparison:
    """The weeks of the current season from the current one on; those planned most recently first."""

    def changes_for(athlete: str) -> list[DecisionChanged] | None:
        known = athlete_season(context, athlete)
        if known is None:
            return None
        before, after = (
            plan_season(known.inputs(rules), rules).from_week_of(known.today, None).as_json()
            for rules in (both.before, both.after)
        )
        return changes_of(athlete, changed_season(before, after))

    return compare_each(planned_athletes(context.db, context.tenant, EVERYBODY), changes_for)
