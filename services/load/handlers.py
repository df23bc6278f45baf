"""What the load service does with each message, and when it acts on its own."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from services.load.messages import GetLoad, ImportSessions, MarkDay, RecordSession, RemoveSession
from services.load.store import LoadAthleteRow, LoadStore, SessionRow
from services.load.use_cases.assess import assess_recorded, assess_today
from services.load.use_cases.compare_rules import compare_bands
from services.load.use_cases.gather import gather_series
from services.load.use_cases.publish import decided_by_bands
from services.load.use_cases.record import TrainingBatch
from shared.athletes.batches import AthleteBatch, Came, Moments, record_each
from shared.athletes.handlers import athlete_routes, known_profile
from shared.bus.routes import Accepted, Answered, Call, Context, Effect, Incoming, Rejected, Route, Timer, grouped
from shared.bus.rule_routes import rule_routes
from shared.messages.json_text import page
from shared.messages.values import Profile

MAX_DUE = 20_000
"""Athletes of one tenant looked up at once; who is left is looked up at the next turn of the timer."""
MIDNIGHT_CHECK_S = 60.0
REMOVED_CHECK_S = 3600.0
REMOVED_CONTENT_KEPT = timedelta(days=1)
REMOVED_MARK_KEPT = timedelta(days=400)
"""As long as by default the mark of an erase."""


def _handle(
    calls: Sequence[Call],
    record: Callable[[TrainingBatch, Context, Incoming[Any]], Came],
    sessions: Callable[[Any], Iterable[str]] = lambda body: (),
    moments: Moments = lambda body: (),
) -> Sequence[Accepted | Rejected | None]:
    """``sessions``: those that a message's body is about."""
    store = LoadStore(calls[0][0].db, calls[0][0].tenant)
    named = ((message.body.athlete, name) for _, message in calls for name in sessions(message.body))
    stored = store.rows_by(SessionRow, SessionRow.session, named)

    def begin(row: LoadAthleteRow, profile: Profile | None, context: Context) -> TrainingBatch:
        return TrainingBatch(row, profile, context, store=store, stored=stored)

    with store.db.no_autoflush:
        outcomes, batches = record_each(store, calls, begin, record, moments=moments)
        assess_recorded(store, batches)
    return outcomes


def record_sessions(calls: Sequence[Call]) -> Sequence[Accepted | Rejected | None]:
    def record(batch: TrainingBatch, context: Context, incoming: Incoming[RecordSession]) -> Effect:
        return batch.record(context, [incoming.body], incoming.version)[incoming.body.session]

    return _handle(calls, record, lambda body: [body.session], lambda body: [("/start", body.start)])


def import_sessions(calls: Sequence[Call]) -> Sequence[Accepted | Rejected | None]:
    def record(batch: TrainingBatch, context: Context, incoming: Incoming[ImportSessions]) -> Came:
        return batch.record(context, incoming.body.sessions, incoming.version)

    def starts(body: ImportSessions) -> Iterable[tuple[str, date]]:
        return [(f"/sessions/{at}/start", one.start) for at, one in enumerate(body.sessions)]

    return _handle(calls, record, lambda body: [one.session for one in body.sessions], starts)


def remove_sessions(calls: Sequence[Call]) -> Sequence[Accepted | Rejected | None]:
    def record(batch: TrainingBatch, context: Context, incoming: Incoming[RemoveSession]) -> Effect:
        return batch.remove(context, incoming.body.session, incoming.version)

    return _handle(calls, record, lambda body: [body.session])


def mark_days(calls: Sequence[Call]) -> Sequence[Accepted | Rejected | None]:
    def record(batch: TrainingBatch, context: Context, incoming: Incoming[MarkDay]) -> Effect:
        return batch.mark(context, incoming.body.date, incoming.body.state, incoming.version)

    return _handle(calls, record, moments=lambda body: [("/date", body.date)])


def get_load(context: Context, incoming: Incoming[GetLoad]) -> Answered:
    """The assessment of a day as it stands now, by the rules of that day: what was recorded since then counts."""
    store, body = LoadStore(context.db, context.tenant), incoming.body
    profile = known_profile(store, body.athlete)
    today = profile.day_of(context.now())
    on = body.date or today
    rules = context.rules_on(on)
    (series,) = gather_series(store, body.athlete, profile, max(on, today), rules, first=on)
    answer = {
        "athlete": body.athlete,
        **series.assess(on).as_json(),
        "provisional": on >= today,
        "decided_by": decided_by_bands(rules.pack("recovery")),
    }
    if body.days is not None:
        days = [on - timedelta(days=ago) for ago in range(body.days - 1, -1, -1)]
        left = [day for day in days if body.cursor is None or day >= body.cursor]
        answer["days"], told = page((series.assess(day).as_json() for day in left), body.limit)
        answer["next"] = left[told].isoformat() if told < len(left) else None
    return Answered(answer)


def after_put(context: Context, row: LoadAthleteRow, profile: Profile, before: Profile | None) -> None:
    """Scores anew what the profile changes, and lets take effect whatever was waiting for it."""
    store = LoadStore(context.db, context.tenant)
    batch = TrainingBatch(row, profile, context, store=store)
    batch.put(context, before, profile)
    assess_recorded(store, [batch])
    if before is None:
        context.settle(store.stands(row.athlete))


def due_after_midnight(context: Context) -> Sequence[str]:
    """Everybody whose local day has ended since the last assessment."""
    return LoadStore(context.db, context.tenant).due(context.now(), MAX_DUE)


def assess_after_midnight(context: Context, athletes: Sequence[str]) -> None:
    """Assesses those who are still due; once however often it is called, and in one step however many days were
    missed."""
    store = LoadStore(context.db, context.tenant)
    due = store.still_due(context.now(), athletes)
    assess_today(store, [AthleteBatch(row, row.profile, context, True, row.assessed_through) for row in due])


def forget_removed(context: Context) -> Sequence[str]:
    """What somebody removed is not kept; that it was removed is, so that a record still on its way brings nothing
    back."""
    now = context.now()
    LoadStore(context.db, context.tenant).forget_removed(now - REMOVED_CONTENT_KEPT, now - REMOVED_MARK_KEPT)
    return ()


ROUTES: tuple[Route, ...] = (
    grouped("command", "load.record-session", RecordSession, record_sessions),
    grouped("command", "load.import-sessions", ImportSessions, import_sessions),
    grouped("command", "load.remove-session", RemoveSession, remove_sessions),
    grouped("command", "load.mark-day", MarkDay, mark_days),
    Route("command", "load.get-load", GetLoad, get_load, query=True),
    *athlete_routes("load", LoadStore, after_put),
    *rule_routes("load", {"recovery": compare_bands}),
)
TIMERS: tuple[Timer, ...] = (
    Timer("assess-after-midnight", MIDNIGHT_CHECK_S, due_after_midnight, assess_after_midnight),
    Timer("forget-removed", REMOVED_CHECK_S, forget_removed),
)
