"""Planned weeks checked again under other rules, without telling anybody: which calendars would be judged otherwise."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from services.scheduling.domain.calendar import monday_of
from services.scheduling.domain.checking.check import check_week
from services.scheduling.domain.week_plan import placed_from_json
from services.scheduling.store import PlanRow, SchedulingStore
from services.scheduling.use_cases.plan import Desk, surroundings
from shared.bus.routes import Context
from shared.bus.rule_routes import Comparison, changes_of, compare_each
from shared.messages.rule_packs import DecisionChanged
from shared.rules.authoring.changed_decisions import changed_verdicts
from shared.rules.lifecycle.dry_run import BothRules

WEEKS_BACK: Final = 4


def compare_weeks(context: Context, both: BothRules) -> Comparison:
    """The plans of the last four weeks, of this one and of those to come."""
    store = SchedulingStore(context.db, context.tenant)

    def changes_for(athlete: str) -> list[DecisionChanged] | None:
        row = store.athlete(athlete)
        profile = None if row is None else store.profile(row)
        if row is None or profile is None:
            return None
        desk = Desk(context, store, row, profile)
        plans = store.plans_since(athlete, monday_of(desk.today) - timedelta(weeks=WEEKS_BACK))
        if not plans:
            return None
        return [change for plan in plans for change in changes_of(athlete, _changed(desk, plan, both))]

    # A day earlier, as it may still be Sunday where an athlete lives.
    since = monday_of(context.now().date() - timedelta(days=1)) - timedelta(weeks=WEEKS_BACK)
    return compare_each(store.planned_athletes(since), changes_for)


def _changed(desk: Desk, plan: PlanRow, both: BothRules) -> Iterator[tuple[str, str]]:
    sessions = [
        placed.session.model_copy(update={"start": placed.start})
        for placed in (placed_from_json(one) for one in plan.placed)
    ]
    profile = desk.profile_in(plan.week_start)
    around = surroundings(desk, plan.week_start, {session.id for session in sessions})

    def verdict(rules: Any) -> Mapping[str, Any]:
        return check_week(sessions, profile, rules, desk.limits, around, desk.windows).as_json()

    for _, sentence in changed_verdicts(verdict(both.before), verdict(both.after)):
        yield f"week of {plan.week_start.isoformat()}", sentence
