"""The recovery service's use cases: a message in, state changed, events out. Knows neither nameko nor kombu."""

from datetime import date

from services.recovery.domain import assess_readiness
from services.recovery.messages import (
    GetReadiness,
    LoadAssessed,
    RecordWellness,
    SessionScored,
    WeekPlanned,
)
from services.recovery.store import RecoveryAthleteRow, RecoveryStore
from services.recovery.use_cases.assess import ToAssess, assess_today
from services.recovery.use_cases.batch import hear_loads_assessed, hear_sessions_scored, record_mornings
from services.recovery.use_cases.compare_rules import compare_readiness
from services.recovery.use_cases.gather import gather_readiness
from shared.athletes.handlers import athlete_routes
from shared.bus.routes import Answered, Context, Forgotten, Incoming, Rejected, Route, Timer, alone
from shared.bus.rule_routes import rule_routes
from shared.messages.problems import Problem
from shared.messages.values import Profile


def get_readiness(context: Context, incoming: Incoming[GetReadiness]) -> Answered:
    store = RecoveryStore(context.db, context.tenant)
    body = incoming.body
    profile = store.profile_of(body.athlete)
    if profile is None:
        raise Rejected([Problem("/athlete", "unknown_athlete", f"no athlete {body.athlete} is known")])
    on = body.date or profile.day_of(context.now())
    inputs = gather_readiness(store, {body.athlete: (profile, on)})[body.athlete]
    readiness = assess_readiness(inputs, context.rules_on(on))
    return Answered({"athlete": body.athlete, **readiness.as_json()})


def after_put(context: Context, row: RecoveryAthleteRow, profile: Profile, before: Profile | None) -> None:
    store = RecoveryStore(context.db, context.tenant)
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
    profile = row.profile
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
