"""What the recovery service does with each message."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from services.recovery.domain import assess_readiness
from services.recovery.messages import GetReadiness, LoadAssessed, RecordWellness, SessionScored, WeekPlanned
from services.recovery.store import DoneSessionRow, LoadDayRow, MorningRow, RecoveryAthleteRow, RecoveryStore
from services.recovery.use_cases.assess import assess_today
from services.recovery.use_cases.compare_rules import compare_readiness
from services.recovery.use_cases.gather import gather_readiness
from services.recovery.use_cases.record import record_done, record_load, record_morning, record_week
from shared.athletes.batches import AthleteBatch, Came, Moments, record_each
from shared.athletes.handlers import athlete_routes, known_profile
from shared.bus.routes import (
    APPLIED,
    Accepted,
    Answered,
    Call,
    Context,
    Incoming,
    Rejected,
    Route,
    Timer,
    alone,
    grouped,
)
from shared.bus.rule_routes import rule_routes
from shared.db.versions import is_newer
from shared.messages.values import Profile

Batch = AthleteBatch[RecoveryAthleteRow]


def _store(calls: Sequence[Call]) -> RecoveryStore:
    return RecoveryStore(calls[0][0].db, calls[0][0].tenant)


def _handle(
    store: RecoveryStore,
    calls: Sequence[Call],
    record: Callable[[Batch, Context, Incoming[Any]], Came | None],
    are_events: bool = True,
    moments: Moments = lambda body: (),
) -> Sequence[Accepted | Rejected | None]:
    outcomes, batches = record_each(store, calls, Batch, record, are_events, moments)
    store.db.flush()
    assess_today(store, batches)
    return outcomes


def record_mornings(calls: Sequence[Call]) -> Sequence[Accepted | Rejected | None]:
    store = _store(calls)
    stored = store.rows_by(
        MorningRow, MorningRow.date, ((message.body.athlete, message.body.date) for _, message in calls)
    )

    def record(batch: Batch, context: Context, incoming: Incoming[RecordWellness]) -> Came:
        effects = record_morning(store, stored, incoming.body, incoming.version)
        if (
            APPLIED in effects.values()
            and batch.profile is not None
            and incoming.body.date <= batch.profile.day_of(context.now())
        ):
            batch.due(context, incoming.body.date)
        return effects

    return _handle(store, calls, record, are_events=False, moments=lambda body: [("/date", body.date)])


def on_loads_assessed(calls: Sequence[Call]) -> Sequence[Accepted | Rejected | None]:
    store = _store(calls)
    stored = store.rows_by(
        LoadDayRow,
        LoadDayRow.date,
        ((message.body.athlete, day.date) for _, message in calls for day in message.body.days),
    )

    def record(batch: Batch, context: Context, incoming: Incoming[LoadAssessed]) -> None:
        batch.due(context, record_load(store, stored, batch.row, incoming.body, incoming.version))

    return _handle(store, calls, record)


def on_sessions_scored(calls: Sequence[Call]) -> Sequence[Accepted | Rejected | None]:
    """The load service publishes its assessment right after its sessions, so that message brings the readiness; only
    when it overtook this one is readiness assessed here."""
    store = _store(calls)
    stored = store.rows_by(
        DoneSessionRow, DoneSessionRow.session, ((message.body.athlete, message.body.session) for _, message in calls)
    )

    def record(batch: Batch, context: Context, incoming: Incoming[SessionScored]) -> None:
        row, version = batch.row, incoming.version
        if record_done(store, stored, row, incoming.body, version) and not is_newer(
            version, row.load_version_time, row.load_version_id
        ):
            batch.due(context)

    return _handle(store, calls, record)


def on_week_planned(calls: Sequence[Call]) -> Sequence[Accepted | Rejected | None]:
    """Today's sessions pass today's gate."""
    store = _store(calls)

    def record(batch: Batch, context: Context, incoming: Incoming[WeekPlanned]) -> None:
        if record_week(store, incoming.body, incoming.version):
            batch.due(context)

    return _handle(store, calls, record)


def get_readiness(context: Context, incoming: Incoming[GetReadiness]) -> Answered:
    store, body = RecoveryStore(context.db, context.tenant), incoming.body
    profile = known_profile(store, body.athlete)
    on = body.date or profile.day_of(context.now())
    inputs = gather_readiness(store, {body.athlete: (profile, on)})[body.athlete]
    return Answered({"athlete": body.athlete, **assess_readiness(inputs, context.rules_on(on)).as_json()})


def after_put(context: Context, row: RecoveryAthleteRow, profile: Profile, before: Profile | None) -> None:
    changed_from = date.min if before is None else None
    store = RecoveryStore(context.db, context.tenant)
    assess_today(store, [Batch(row, profile, context, True, changed_from)])
    if before is None:
        context.settle(store.stands(row.athlete))


ROUTES: tuple[Route, ...] = (
    grouped("command", "recovery.record-wellness", RecordWellness, record_mornings),
    Route("command", "recovery.get-readiness", GetReadiness, get_readiness, query=True),
    *athlete_routes("recovery", RecoveryStore, after_put),
    grouped("event", "load.load-assessed", LoadAssessed, on_loads_assessed),
    grouped("event", "load.session-scored", SessionScored, on_sessions_scored),
    Route("event", "scheduling.week-planned", WeekPlanned, alone(on_week_planned)),
    *rule_routes("recovery", {"recovery": compare_readiness}),
)
TIMERS: tuple[Timer, ...] = ()
"""None: a new local day reaches this service as the load service's assessment of it."""
