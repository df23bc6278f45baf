"""From what is stored to today's readiness."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import partial

from services.recovery.domain import ReadinessInputs, assess_with_facts
from services.recovery.store import RecoveryAthleteRow, RecoveryStore
from services.recovery.use_cases.gather import gather_readiness
from services.recovery.use_cases.publish import publish_flag, publish_readiness
from shared.athletes.batches import AthleteBatch, assess_each
from shared.athletes.day_digests import first_day
from shared.messages.values import Profile


def assess_today(store: RecoveryStore, batches: Iterable[AthleteBatch[RecoveryAthleteRow]]) -> None:
    """Assesses each athlete's today where that is due, and publishes it."""
    assess_each(store, batches, partial(gather_readiness, store), _assess)


def _assess(batch: AthleteBatch[RecoveryAthleteRow], profile: Profile, today: date, inputs: ReadinessInputs) -> None:
    row = batch.row
    changed = min((day for day in (batch.changed_from, row.unpublished_from) if day is not None), default=today)
    begin = max(changed, first_day(today))
    row.unpublished_from = None
    earlier = [begin + timedelta(days=index) for index in range((today - begin).days)]
    readiness, facts = assess_with_facts(inputs, earlier, batch.context.rules)
    publish_readiness(batch.context, row, readiness, facts)
    publish_flag(batch.context, row, readiness)
