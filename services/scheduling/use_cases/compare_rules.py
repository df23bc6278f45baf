"""Planned weeks checked again under other rules, without telling anybody: which calendars would be judged otherwise."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from services.scheduling.domain.week_plan import placed_from_json
from services.scheduling.store import PlanRow, planned_athletes
from services.scheduling.use_cases.record import AthleteContext, athlete_context
from shared.bus.routes import Context
from shared.bus.rule_routes import Comparison, changes_of, compare_each
from shared.messages.rule_packs import DecisionChanged
from shared.rules.authoring.changed_decisions import changed_verdicts
from shared.rules.lifecycle.dry_run import BothRules

WEEKS_BACK: Final = timedelta(weeks=4)


def compare_weeks(context: Context, both: BothRules) -> Comparison:
    """The plans of the last four weeks, of this one and of those to come."""

    def changes_for(athlete: str) -> list[DecisionChanged] | None:
        one = athlete_context(context, athlete)
        plans = [] if one is None else one.store.plans_since(one.profile.week_of(one.today) - WEEKS_BACK)
        if one is None or not plans:
            return None
        return [change for plan in plans for change in changes_of(athlete, _changed(one, plan, both))]

    # Weeks may begin on other days, and where an athlete lives it may still be yesterday.
    since = context.now().date() - timedelta(days=7) - WEEKS_BACK
    return compare_each(planned_athletes(context.db, context.tenant, since), changes_for)


def _changed(athlete: AthleteContext, plan: PlanRow, both: BothRules) -> Iterator[tuple[str, str]]:
    calendar = athlete.gather_plan(plan.week_start, [placed_from_json(one).standing for one in plan.placed])
    before, after = (calendar.verdict(rules).as_json() for rules in (both.before, both.after))
    for _, sentence in changed_verdicts(before, after):
        yield f"week of {plan.week_start.isoformat()}", sentence
