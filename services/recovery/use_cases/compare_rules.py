"""Readiness assessed again under other rules, without publishing anything: which days would be judged otherwise."""

from collections.abc import Iterator, Sequence
from datetime import date

from services.recovery.domain import assess_readiness
from services.recovery.store import RecoveryStore
from services.recovery.use_cases.gather import gather_readiness
from shared.athletes.batches import compare_days
from shared.bus.routes import Context
from shared.bus.rule_routes import Comparison
from shared.messages.values import Profile
from shared.rules.authoring.changed_decisions import changed_readiness
from shared.rules.lifecycle.dry_run import BothRules


def compare_readiness(context: Context, both: BothRules) -> Comparison:
    store = RecoveryStore(context.db, context.tenant)

    def differing(athlete: str, profile: Profile, days: Sequence[date]) -> Iterator[tuple[str, str]]:
        for day in days:
            inputs = gather_readiness(store, {athlete: (profile, day)})[athlete]
            before, after = (assess_readiness(inputs, rules).as_json() for rules in (both.before, both.after))
            yield from changed_readiness(before, after)

    return compare_days(context, store, store.recorded_athletes(), differing)
