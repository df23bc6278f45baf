"""The recovery service's use cases: a message in, state changed, events out. Knows neither nameko nor kombu."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.recovery.assessing import assess_day, assess_today, today_of
from services.recovery.messages import (
    AthleteErased,
    EraseAthlete,
    GetReadiness,
    LoadAssessed,
    PutAthlete,
    RecordWellness,
    SessionScored,
    WeekPlanned,
)
from services.recovery.readiness_trial import compare_readiness
from services.recovery.store import RULES, RecoveryStore
from shared.bus.handling import Accepted, Answered, Context, Incoming, Rejected, Route, Timer
from shared.bus.rule_news import rule_routes
from shared.messages.problems import Problem
from shared.messages.words import STREAMS

PENDING = Accepted({"pending": "athlete"})
ERASED = Accepted({"ignored": "the athlete was erased later than this was sent"})


def record_wellness(context: Context, incoming: Incoming[RecordWellness]) -> Accepted:
    store = RecoveryStore(context.db, context.tenant)
    body = incoming.body
    if store.erased_since(body.athlete, incoming.time):
        return ERASED
    row = store.locked_athlete(body.athlete)
    new = store.keep_morning(body.athlete, body.date, body.fields_given, (incoming.time, incoming.id))
    profile = store.profile(row)
    if profile is None:
        return PENDING
    if new and body.date <= today_of(context, profile):
        assess_today(context, store, row, profile, body.date)
    return Accepted()


def get_readiness(context: Context, incoming: Incoming[GetReadiness]) -> Answered:
    store = RecoveryStore(context.db, context.tenant)
    body = incoming.body
    row = store.athlete(body.athlete)
    profile = store.profile(row) if row is not None else None
    if profile is None:
        raise Rejected([Problem("/athlete", "unknown_athlete", f"no athlete {body.athlete} is known")])
    on = body.date or today_of(context, profile)
    readiness = assess_day(context, store, body.athlete, profile, on)
    return Answered({"athlete": body.athlete, **readiness.as_json()})


def put_athlete(context: Context, incoming: Incoming[PutAthlete]) -> Accepted:
    """Keeps the newest profile, and lets take effect whatever was waiting for it."""
    store = RecoveryStore(context.db, context.tenant)
    body, version = incoming.body, (incoming.time, incoming.id)
    if store.erased_since(body.athlete, incoming.time):
        return ERASED
    row = store.locked_athlete(body.athlete)
    if row.put_at is not None and (row.put_at, row.put_id or "") >= version:
        return Accepted()
    first = row.profile is None
    profile = body.profile
    row.profile = profile.model_dump(mode="json", exclude_defaults=True) | {"timezone": profile.timezone}
    row.put_at, row.put_id = version
    assess_today(context, store, row, profile, date.min if first else None)
    return Accepted()


def erase_athlete(context: Context, incoming: Incoming[EraseAthlete]) -> Accepted:
    store = RecoveryStore(context.db, context.tenant)
    store.erase(incoming.body.athlete, incoming.time)
    context.emit("athlete-erased", AthleteErased(athlete=incoming.body.athlete).as_data(), incoming.body.athlete)
    return Accepted()


def hear_load_assessed(context: Context, incoming: Incoming[LoadAssessed]) -> None:
    """Keeps the days' ratios and states; then today's readiness is assessed."""
    store = RecoveryStore(context.db, context.tenant)
    body = incoming.body
    if store.is_erased(body.athlete):
        return
    row = store.locked_athlete(body.athlete)
    days: dict[date, tuple[str | None, Mapping[str, Any]]] = {
        day.date: (
            day.state,
            {name: [getattr(day, f"acwr_{name}"), getattr(day, f"status_{name}")] for name in STREAMS},
        )
        for day in body.days
    }
    version = (incoming.time, incoming.id)
    store.keep_load_days(body.athlete, days, version)
    if row.load_told_at is None or (row.load_told_at, row.load_told_id or "") < version:
        row.load_told_at, row.load_told_id = version
    profile = store.profile(row)
    if profile is not None:
        assess_today(context, store, row, profile, min(days, default=None))


def hear_session_scored(context: Context, incoming: Incoming[SessionScored]) -> None:
    """Keeps what the session says about effort and strength.

    The load service tells its assessment right after its sessions, so that message brings the readiness; only when it
    overtook this one is readiness assessed here.
    """
    store = RecoveryStore(context.db, context.tenant)
    body = incoming.body
    if store.is_erased(body.athlete):
        return
    row = store.locked_athlete(body.athlete)
    told = {
        "removed": body.removed,
        "date": body.date,
        "kind": body.kind,
        "type": body.type,
        "rpe": body.rpe,
        "e1rm": [[one.lift, one.e1rm_kg] for one in body.e1rm],
    }
    version = (incoming.time, incoming.id)
    touched = store.keep_session(body.athlete, body.session, told, version)
    if touched is None:
        return
    row.untold_from = touched if row.untold_from is None else min(row.untold_from, touched)
    profile = store.profile(row)
    if profile is not None and row.load_told_at is not None and (row.load_told_at, row.load_told_id or "") > version:
        assess_today(context, store, row, profile)


def hear_week_planned(context: Context, incoming: Incoming[WeekPlanned]) -> None:
    """Keeps the calendar; today's sessions pass today's gate."""
    store = RecoveryStore(context.db, context.tenant)
    body = incoming.body
    if store.is_erased(body.athlete):
        return
    row = store.locked_athlete(body.athlete)
    sessions = [session.planned.model_dump(mode="json") for session in body.sessions]
    kept = store.keep_week(body.athlete, body.week_start, sessions, (incoming.time, incoming.id))
    profile = store.profile(row)
    if profile is not None and kept:
        assess_today(context, store, row, profile)


ROUTES: tuple[Route, ...] = (
    Route("command", "recovery.record-wellness", RecordWellness, record_wellness),
    Route("command", "recovery.get-readiness", GetReadiness, get_readiness, query=True),
    Route("command", "athlete.put", PutAthlete, put_athlete, replies=False),
    Route("command", "athlete.erase", EraseAthlete, erase_athlete, replies=False),
    Route("event", "load.load-assessed", LoadAssessed, hear_load_assessed),
    Route("event", "load.session-scored", SessionScored, hear_session_scored),
    Route("event", "scheduling.week-planned", WeekPlanned, hear_week_planned),
    *rule_routes("recovery", RULES, {"recovery": compare_readiness}),
)
TIMERS: tuple[Timer, ...] = ()
"""None: a new local day reaches this service as the load service's assessment of it."""
