"""The load service's use cases: a message in, state changed, events out. Knows neither nameko nor kombu."""

from collections.abc import Sequence
from datetime import timedelta

from services.load.domain import local_day
from services.load.messages import (
    GetLoad,
    ImportSessions,
    MarkDay,
    RecordSession,
    RemoveSession,
)
from services.load.store import LoadAthleteRow, LoadStore, SessionRow
from services.load.use_cases.assess import ToAssess, assess_today, decided_by_bands
from services.load.use_cases.batch import Desk, settle, take
from services.load.use_cases.compare_rules import compare_bands
from services.load.use_cases.gather import gather_series
from services.load.use_cases.record import MEASURED
from shared.athletes.handlers import athlete_routes
from shared.bus.routes import Accepted, Answered, Call, Context, Incoming, Rejected, Route, Timer, alone
from shared.bus.rule_routes import rule_routes
from shared.messages.problems import Problem
from shared.messages.values import Profile

MOST_DUE = 20_000
"""Athletes of one tenant looked up at once; who is left is looked up at the next turn of the timer."""
MIDNIGHT_CHECK_S = 60.0
REMOVED_CHECK_S = 3600.0
REMOVED_CONTENT_KEPT = timedelta(days=1)
REMOVED_MARK_KEPT = timedelta(days=400)
"""As long as by default the mark of an erase."""


def record_sessions(calls: Sequence[Call]) -> Sequence[Accepted]:
    def keep(desk: Desk, context: Context, incoming: Incoming[RecordSession]) -> None:
        desk.record(context, [incoming.body], (incoming.time, incoming.id))

    return take(calls, keep, lambda body: [body.session])


def import_sessions(calls: Sequence[Call]) -> Sequence[Accepted]:
    def keep(desk: Desk, context: Context, incoming: Incoming[ImportSessions]) -> None:
        desk.record(context, incoming.body.sessions, (incoming.time, incoming.id))

    return take(calls, keep, lambda body: [one.session for one in body.sessions])


def remove_sessions(calls: Sequence[Call]) -> Sequence[Accepted]:
    def keep(desk: Desk, context: Context, incoming: Incoming[RemoveSession]) -> None:
        desk.remove(context, incoming.body.session, (incoming.time, incoming.id))

    return take(calls, keep, lambda body: [body.session])


def mark_days(calls: Sequence[Call]) -> Sequence[Accepted]:
    def keep(desk: Desk, context: Context, incoming: Incoming[MarkDay]) -> None:
        desk.mark(context, incoming.body.date, incoming.body.state, (incoming.time, incoming.id))

    return take(calls, keep)


def get_load(context: Context, incoming: Incoming[GetLoad]) -> Answered:
    """The assessment of a day as it stands now, by the rules of that day: what was recorded since then counts."""
    store = LoadStore(context.db, context.tenant)
    body = incoming.body
    profile = store.profile_of(body.athlete)
    if profile is None:
        raise Rejected([Problem("/athlete", "unknown_athlete", f"no athlete {body.athlete} is known")])
    today = profile.day_of(context.now())
    on = body.date or today
    rules = context.rules_on(on)
    (series,) = gather_series(store, body.athlete, profile, max(on, today), rules)
    answer = {
        "athlete": body.athlete,
        **series.assess(on).as_json(),
        "provisional": on >= today,
        "decided_by": decided_by_bands(rules.pack("recovery")),
    }
    if body.days is not None:
        asked = [on - timedelta(days=ago) for ago in range(body.days - 1, -1, -1)]
        answer["days"] = [series.assess(day).as_json() for day in asked]
    return Answered(answer)


def after_put(context: Context, row: LoadAthleteRow, profile: Profile, before: Profile | None) -> None:
    """Scores anew what the profile changes, and lets take effect whatever was waiting for it."""
    store = LoadStore(context.db, context.tenant)
    desk = Desk(store, row, profile, {}, context)
    for one in store.counting_rows(row.athlete):
        if _affected(one, before, profile):
            desk.touched[one.session] = (one, context)
    new_days = before is None or before.timezone != profile.timezone
    if desk.touched or new_days:
        marked = store.marks([row.athlete])[row.athlete] if new_days else []
        desk.days += [mark.date for mark in marked] or [profile.day_of(context.now())]
    settle(store, [desk])


def _affected(session: SessionRow, before: Profile | None, after: Profile) -> bool:
    """Whether a new profile changes the session's day or score."""
    if before is None or session.load is None:
        return True
    if session.start is not None and local_day(session.start, before.zone) != local_day(session.start, after.zone):
        return True
    hearts = [(p.hr_rest, p.hr_max, p.sex) for p in (before, after)]
    return session.method != MEASURED and hearts[0] != hearts[1]


def due_after_midnight(context: Context) -> Sequence[str]:
    """Everybody whose local day has ended since the last assessment."""
    return LoadStore(context.db, context.tenant).due(context.now(), MOST_DUE)


def assess_after_midnight(context: Context, athletes: Sequence[str]) -> None:
    """Assesses those who are still due; once however often it is called, and in one step however many days were
    missed."""
    store = LoadStore(context.db, context.tenant)
    due = [(row, row.profile) for row in store.still_due(context.now(), athletes)]
    assess_today(store, [ToAssess(context, row, one, row.assessed_through) for row, one in due if one is not None])


def forget_removed(context: Context) -> Sequence[str]:
    """What somebody removed is not kept; that it was removed is, so that a record still on its way brings nothing
    back."""
    now = context.now()
    LoadStore(context.db, context.tenant).forget_removed(now - REMOVED_CONTENT_KEPT, now - REMOVED_MARK_KEPT)
    return ()


ROUTES: tuple[Route, ...] = (
    Route("command", "load.record-session", RecordSession, alone(record_sessions), handle_many=record_sessions),
    Route("command", "load.import-sessions", ImportSessions, alone(import_sessions), handle_many=import_sessions),
    Route("command", "load.remove-session", RemoveSession, alone(remove_sessions), handle_many=remove_sessions),
    Route("command", "load.mark-day", MarkDay, alone(mark_days), handle_many=mark_days),
    Route("command", "load.get-load", GetLoad, get_load, query=True),
    *athlete_routes("load", LoadStore, after_put),
    *rule_routes("load", {"recovery": compare_bands}),
)
TIMERS: tuple[Timer, ...] = (
    Timer("assess-after-midnight", MIDNIGHT_CHECK_S, due_after_midnight, assess_after_midnight),
    Timer("forget-removed", REMOVED_CHECK_S, forget_removed),
)
