"""Which events say what changed: today's readiness with the days whose facts changed, and lasting signs."""

import json
from collections.abc import Mapping
from datetime import date
from hashlib import sha256

from services.recovery.domain import DayFacts, Readiness
from services.recovery.messages import OverreachingFlagged, ReadinessAssessed
from services.recovery.store import RecoveryAthleteRow
from shared.athletes.day_digests import changed_days, of_days_published
from shared.bus.routes import Context

NOTHING_KNOWN = {"confidence": 0.0, "has_data": False, "sick": False, "signs_over_7_days": 0.0}
"""The facts of a day before anything was recorded."""


def publish_readiness(
    context: Context, row: RecoveryAthleteRow, readiness: Readiness, earlier: Mapping[date, DayFacts]
) -> None:
    """With readiness the facts of those of its day and the ``earlier`` days that differ from what was published of
    them; nothing if all was published already."""
    facts = [
        {"date": day.isoformat(), **{name: value for name, value in of_day.items() if value is not None}}
        for day, of_day in [*earlier.items(), (readiness.date, readiness.facts)]
    ]
    days, digests = changed_days(facts, row.published_days, NOTHING_KNOWN)
    row.published_days = of_days_published(digests, readiness.date)
    event = ReadinessAssessed.model_validate({"athlete": row.athlete, **readiness.as_json(), "days": days})
    data = event.as_data()
    digest = sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
    if digest != row.published_digest:
        row.published_digest = digest
        context.emit("readiness-assessed", data, row.athlete)


def publish_flag(context: Context, row: RecoveryAthleteRow, readiness: Readiness) -> None:
    """Today's signs, when they ask for something else than they did."""
    action = None if readiness.action == "none" else readiness.action
    if action == row.published_action:
        return
    row.published_action = action
    if action is not None:
        flagged = OverreachingFlagged.model_validate(
            {
                "athlete": row.athlete,
                "date": readiness.date,
                "signs": [sign.as_json() for sign in readiness.signs],
                "action": action,
                "asked_for": list(readiness.asked_for),
                "decided_by": [decided.as_json() for decided in readiness.action_decided_by],
            }
        )
        context.emit("overreaching-flagged", flagged.as_data(), row.athlete)
