"""From stored state to today's readiness and the events that tell it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from services.recovery.domain import (
    DayFacts,
    EasyRun,
    Readiness,
    ReadinessInputs,
    StreamRatio,
    StrengthMark,
    assess_with_facts,
)
from services.recovery.messages import OverreachingFlagged, ReadinessAssessed
from services.recovery.store import Morning, RecoveryAthleteRow, RecoveryStore
from shared.athletes.day_digests import changed_days
from shared.bus.routes import Context
from shared.contract.sessions import EASY_RUN_TYPES
from shared.contract.words import DAYS_OUT_OF_NORMAL, STREAMS, Stream
from shared.messages.values import PlannedSession, Profile
from shared.rules.athlete_facts import athlete_facts

MOST_DAYS_TOLD = 84
ATHLETES_READ_AT_ONCE = 20
DAYS_LOOKED_BACK = 240
"""The days told, the baseline and week before the oldest of them, and room for signs that last for months."""
NOTHING_KNOWN = {"confidence": 0.0, "has_data": False, "signs_over_7_days": 0.0}
"""The facts of a day before anything was recorded."""
LoadsByDay = dict[date, Mapping[Stream, StreamRatio]]


def today_of(context: Context, profile: Profile) -> date:
    """The athlete's own calendar date now."""
    return context.now().astimezone(profile.zone).date()


def stored_inputs(store: RecoveryStore, athlete: str, profile: Profile, on: date) -> tuple[ReadinessInputs, LoadsByDay]:
    """What is known for assessing ``on``, and the load ratios of every day looked back to."""
    return stored_inputs_of(store, {athlete: (profile, on)})[athlete]


def stored_inputs_of(
    store: RecoveryStore, wanted: Mapping[str, tuple[Profile, date]]
) -> dict[str, tuple[ReadinessInputs, LoadsByDay]]:
    """The same of several athletes, each on a day of their own, read at once."""
    names, days = list(wanted), [on for _, on in wanted.values()]
    since = min(days) - timedelta(days=DAYS_LOOKED_BACK)
    load_days, done = store.load_days(names, since), store.sessions(names, since)
    mornings, planned = store.mornings(names, since), store.planned(names, min(days), max(days))
    return {
        name: _inputs(profile, on, mornings[name], load_days[name], done[name], planned[name])
        for name, (profile, on) in wanted.items()
    }


def _inputs(
    profile: Profile,
    on: date,
    mornings: Sequence[Morning],
    load_days: Sequence[Any],
    sessions: Sequence[Any],
    planned: Sequence[PlannedSession],
) -> tuple[ReadinessInputs, LoadsByDay]:
    since = on - timedelta(days=DAYS_LOOKED_BACK)
    loads: LoadsByDay = {}
    excluded = set()
    for day, state, figures in load_days:
        if day < since:
            continue
        loads[day] = {name: StreamRatio(*figures[name]) for name in STREAMS if name in figures}
        if state in DAYS_OUT_OF_NORMAL:
            excluded.add(day)
    done = [row for row in sessions if row[0] >= since]
    inputs = ReadinessInputs(
        on=on,
        wellness=[morning for morning in mornings if morning.date >= since],
        excluded_days=frozenset(excluded),
        loads=loads.get(on, {}),
        easy_runs=[EasyRun(day, rpe) for day, kind, type_, rpe, _ in done if _is_easy(kind, type_) and rpe is not None],
        strength=[StrengthMark(day, lift, kilograms) for day, _, _, _, e1rm in done for lift, kilograms in e1rm],
        planned_today=[
            session
            for session in planned
            if session.start is not None and session.start.astimezone(profile.zone).date() == on
        ],
        who=athlete_facts(profile),
    )
    return inputs, loads


def _is_easy(kind: str, type_: str | None) -> bool:
    return kind == "run" and type_ in EASY_RUN_TYPES


def assess_day(context: Context, store: RecoveryStore, athlete: str, profile: Profile, on: date) -> Readiness:
    """By the rules in force on that day."""
    inputs, loads = stored_inputs(store, athlete, profile, on)
    readiness, _ = assess_with_facts(inputs, loads, (), context.rules_on(on))
    return readiness


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
        return today_of(self.context, self.profile)


def assess_today(store: RecoveryStore, athletes: Sequence[ToAssess]) -> None:
    """Assesses each athlete's today and tells it. All that was recorded must have been flushed."""
    with store.db.no_autoflush:
        for start in range(0, len(athletes), ATHLETES_READ_AT_ONCE):
            part = athletes[start : start + ATHLETES_READ_AT_ONCE]
            known = stored_inputs_of(store, {one.row.athlete: (one.profile, one.today) for one in part})
            for one in part:
                _assess(one.context, one.row, one.today, one.changed_from, *known[one.row.athlete])


def _assess(
    context: Context,
    row: RecoveryAthleteRow,
    today: date,
    changed_from: date | None,
    inputs: ReadinessInputs,
    loads: LoadsByDay,
) -> None:
    """Tells, with readiness, the facts of the days from ``changed_from`` on that differ from those told before; what
    was told already is not told again. Only today's signs are flagged."""
    changed = min((day for day in (changed_from, row.untold_from) if day is not None), default=today)
    begin = max(changed, today - timedelta(days=MOST_DAYS_TOLD - 1))
    row.untold_from = None
    earlier = [begin + timedelta(days=index) for index in range((today - begin).days)]
    readiness, facts = assess_with_facts(inputs, loads, earlier, context.rules)
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
