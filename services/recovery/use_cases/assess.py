"""From stored state to today's readiness and the events that tell it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from services.recovery.domain import DayFacts, Readiness, ReadinessInputs, assess_with_facts
from services.recovery.messages import OverreachingFlagged, ReadinessAssessed
from services.recovery.store import RecoveryAthleteRow, RecoveryStore
from services.recovery.use_cases.gather import gather_readiness
from shared.athletes.day_digests import changed_days
from shared.bus.routes import Context
from shared.messages.values import Profile

MOST_DAYS_TOLD = 84
ATHLETES_READ_AT_ONCE = 20
NOTHING_KNOWN = {"confidence": 0.0, "has_data": False, "signs_over_7_days": 0.0}
"""The facts of a day before anything was recorded."""


@dataclass(frozen=True, slots=True)
class ToAssess:
    """An athlete whose today has to be assessed; the facts of days from ``changed_from`` on may have changed.

    ``context``: of the message that led to it, or of the last of several.
    """

    context: Context
    row: RecoveryAthleteRow
    profile: Profile
    changed_from: date | None = None

    @property
    def today(self) -> date:
        return self.profile.day_of(self.context.now())


def assess_today(store: RecoveryStore, athletes: Sequence[ToAssess]) -> None:
    """Assesses each athlete's today and tells it. All that was recorded must have been flushed."""
    with store.db.no_autoflush:
        for start in range(0, len(athletes), ATHLETES_READ_AT_ONCE):
            part = athletes[start : start + ATHLETES_READ_AT_ONCE]
            inputs = gather_readiness(store, {one.row.athlete: (one.profile, one.today) for one in part})
            for one in part:
                _assess(one.context, one.row, one.changed_from, inputs[one.row.athlete])


def _assess(context: Context, row: RecoveryAthleteRow, changed_from: date | None, inputs: ReadinessInputs) -> None:
    """Tells, with readiness, the facts of the days from ``changed_from`` on that differ from those told before; what
    was told already is not told again. Only today's signs are flagged."""
    today = inputs.on
    changed = min((day for day in (changed_from, row.untold_from) if day is not None), default=today)
    begin = max(changed, today - timedelta(days=MOST_DAYS_TOLD - 1))
    row.untold_from = None
    earlier = [begin + timedelta(days=index) for index in range((today - begin).days)]
    readiness, facts = assess_with_facts(inputs, earlier, context.rules)
    days = [_told_day(day, of_day) for day, of_day in [*facts.items(), (today, readiness.facts)]]
    days, row.told_days = _news(days, row.told_days, today)
    event = ReadinessAssessed.model_validate({"athlete": row.athlete, **readiness.as_json(), "days": days})
    data = event.as_data()
    digest = sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
    if digest != row.told_digest:
        row.told_digest = digest
        context.emit("readiness-assessed", data, row.athlete)
    _flag(context, row, readiness)


def _news(
    days: list[dict[str, Any]], told: Mapping[str, int], today: date
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    news, after = changed_days(days, told, NOTHING_KNOWN)
    oldest = (today - timedelta(days=MOST_DAYS_TOLD)).isoformat()
    return [dict(day) for day in news], {day: digest for day, digest in after.items() if day > oldest}


def _told_day(day: date, facts: DayFacts) -> dict[str, Any]:
    return {"date": day.isoformat(), **{name: value for name, value in facts.items() if value is not None}}


def _flag(context: Context, row: RecoveryAthleteRow, readiness: Readiness) -> None:
    action = None if readiness.action == "none" else readiness.action
    if action is not None and action != row.told_action:
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
    if action != row.told_action:
        row.told_action = action
