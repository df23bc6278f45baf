"""Readiness assessed again under other rules, without telling anybody: which days would be judged otherwise."""

from datetime import timedelta
from typing import Final

from services.recovery.domain import assess_readiness
from services.recovery.store import RecoveryStore
from services.recovery.use_cases.gather import gather_readiness
from shared.bus.routes import Context
from shared.bus.rule_routes import Comparison, changes_of, compare_each
from shared.messages.rule_packs import DecisionChanged
from shared.rules.authoring.changed_decisions import changed_readiness
from shared.rules.lifecycle.dry_run import BothRules

EVERYBODY: Final = 1_000_000
"""To say of how many athletes those compared are some."""
DAYS_BACK: Final = 6


def compare_readiness(context: Context, both: BothRules) -> Comparison:
    """Today and the six days before."""
    store = RecoveryStore(context.db, context.tenant)

    def changes_for(athlete: str) -> list[DecisionChanged] | None:
        profile = store.profile_of(athlete)
        if profile is None:
            return None
        changes: list[DecisionChanged] = []
        today = profile.day_of(context.now())
        for back in range(DAYS_BACK, -1, -1):
            inputs = gather_readiness(store, {athlete: (profile, today - timedelta(days=back))})[athlete]
            before, after = (assess_readiness(inputs, rules).as_json() for rules in (both.before, both.after))
            changes += changes_of(athlete, changed_readiness(before, after))
        return changes

    return compare_each(store.recorded_athletes(EVERYBODY), changes_for)
