"""The recovery service's use cases: a message in, state changed, events out. Knows neither nameko nor kombu."""

from datetime import date

from services.recovery.messages import (
    GetReadiness,
    LoadAssessed,
    RecordWellness,
    SessionScored,
    WeekPlanned,
)
from services.recovery.store import RecoveryStore
from services.recovery.use_cases.assess import ToAssess, assess_day, assess_today, today_of
from services.recovery.use_cases.batch import hear_loads_assessed, hear_sessions_scored, record_mornings
from services.recovery.use_cases.compare_rules import compare_readiness
from shared.athletes.handlers import athlete_routes
from shared.bus.routes import Answered, Context, Forgotten, Incoming, Rejected, Route, Timer, alone
from shared.bus.rule_routes import rule_routes
from shared.messages.problems import Problem
from shared.messages.values import Profile


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


def after_put(context: Context, athlete: str, before: Profile | None) -> None:
    store = RecoveryStore(context.db, context.tenant)
    row, profile = store.known_athlete(athlete)
    assess_today(store, [ToAssess(context, row, profile, date.min if before is None else None)])


def hear_week_planned(context: Context, incoming: Incoming[WeekPlanned]) -> Forgotten | None:
    """Keeps the calendar; today's sessions pass today's gate."""
    store = RecoveryStore(context.db, context.tenant)
    body = incoming.body
    if store.is_erased(body.athlete, incoming.time):
        return Forgotten()
    row = store.locked_athlete(body.athlete)
    sessions = [session.planned.model_dump(mode="json") for session in body.sessions]
    kept = store.keep_week(body.athlete, body.week_start, sessions, (incoming.time, incoming.id))
    profile = store.profile(row)
    if profile is not None and kept:
        context.db.flush()
        assess_today(store, [ToAssess(context, row, profile)])
    return None


ROUTES: tuple[Route, ...] = (
    Route("command", "recovery.record-wellness", RecordWellness, alone(record_mornings), handle_many=record_mornings),
    Route("command", "recovery.get-readiness", GetReadiness, get_readiness, query=True),
    *athlete_routes("recovery", RecoveryStore, after_put),
    Route("event", "load.load-assessed", LoadAssessed, alone(hear_loads_assessed), handle_many=hear_loads_assessed),
    Route("event", "load.session-scored", SessionScored, alone(hear_sessions_scored), handle_many=hear_sessions_scored),
    Route("event", "scheduling.week-planned", WeekPlanned, hear_week_planned),
    *rule_routes("recovery", {"recovery": compare_readiness}),
)
TIMERS: tuple[Timer, ...] = ()
"""None: a new local day reaches this service as the load service's assessment of it."""
