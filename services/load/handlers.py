"""The load service's use cases: a message in, state changed, events out. Knows neither nameko nor kombu."""

from collections.abc import Sequence
from datetime import date, timedelta

from services.load.assessing import (
    assess_today,
    decided_by_bands,
    stored_daily,
    tell_scored,
    today_of,
)
from services.load.band_trial import compare_bands
from services.load.domain import LoadSeries, local_day
from services.load.messages import (
    AthleteErased,
    EraseAthlete,
    GetLoad,
    ImportSessions,
    MarkDay,
    PutAthlete,
    RecordedSession,
    RecordSession,
    RemoveSession,
)
from services.load.recording import MEASURED, Place, record, remove, rescore
from services.load.store import RULES, AthleteRow, LoadStore, SessionRow, Version
from shared.bus.handling import Accepted, Answered, Context, Incoming, Rejected, Route, Timer
from shared.bus.rule_news import rule_routes
from shared.messages.problems import Problem
from shared.messages.values import Profile

PENDING = Accepted({"pending": "athlete"})
ERASED = Accepted({"ignored": "the athlete was erased later than this was sent"})
ATHLETES_PER_ROUND = 200
MIDNIGHT_CHECK_S = 60.0


def record_session(context: Context, incoming: Incoming[RecordSession]) -> Accepted:
    return _record(context, incoming.body.athlete, [incoming.body], (incoming.time, incoming.id))


def import_sessions(context: Context, incoming: Incoming[ImportSessions]) -> Accepted:
    return _record(context, incoming.body.athlete, incoming.body.sessions, (incoming.time, incoming.id))


def _record(context: Context, athlete: str, sessions: Sequence[RecordedSession], version: Version) -> Accepted:
    store = LoadStore(context.db, context.tenant)
    if store.erased_since(athlete, version[0]):
        return ERASED
    row = store.locked_athlete(athlete)
    changed, before = record(store, athlete, sessions, version)
    profile = store.profile(row)
    if profile is None:
        return PENDING
    _score_and_assess(context, store, row, profile, changed, before)
    return Accepted()


def remove_session(context: Context, incoming: Incoming[RemoveSession]) -> Accepted:
    store = LoadStore(context.db, context.tenant)
    athlete, version = incoming.body.athlete, (incoming.time, incoming.id)
    if store.erased_since(athlete, incoming.time):
        return ERASED
    row = store.locked_athlete(athlete)
    gone = remove(store, athlete, incoming.body.session, version)
    profile = store.profile(row)
    if profile is None:
        return PENDING
    if gone is not None:
        _score_and_assess(context, store, row, profile, [gone])
    return Accepted()


def _score_and_assess(
    context: Context,
    store: LoadStore,
    row: AthleteRow,
    profile: Profile,
    touched: Sequence[SessionRow],
    before: Sequence[Place] = (),
    other_days: Sequence[date] = (),
) -> None:
    """Scores what changed and what leans on it, tells each, then assesses today once."""
    if not touched:
        return
    scored = rescore(store, row.athlete, profile, context.rules.settings("recovery"), touched, before)
    for session, one in scored:
        tell_scored(context, session, one, profile)
    starts = [one.start for _, one in scored] + [place.start for place in before]
    days = [*(local_day(start, profile.zone) for start in starts), *other_days]
    assess_today(context, store, row, profile, min(days))


def mark_day(context: Context, incoming: Incoming[MarkDay]) -> Accepted:
    store = LoadStore(context.db, context.tenant)
    body = incoming.body
    if store.erased_since(body.athlete, incoming.time):
        return ERASED
    row = store.locked_athlete(body.athlete)
    kept = store.mark(body.athlete, body.date, body.state, (incoming.time, incoming.id))
    profile = store.profile(row)
    if profile is None:
        return PENDING
    if kept:
        assess_today(context, store, row, profile, body.date)
    return Accepted()


def get_load(context: Context, incoming: Incoming[GetLoad]) -> Answered:
    """The assessment of a day as it stands now, by the rules of that day: what was recorded since then counts."""
    store = LoadStore(context.db, context.tenant)
    body = incoming.body
    row = store.athlete(body.athlete)
    profile = store.profile(row) if row is not None else None
    if profile is None:
        raise Rejected([Problem("/athlete", "unknown_athlete", f"no athlete {body.athlete} is known")])
    today = today_of(context, profile)
    on = body.date or today
    through = max(on, today)
    daily = stored_daily(store, body.athlete, profile, through)
    rules = context.rules_on(on)
    series = LoadSeries(daily, rules.settings("recovery"), through)
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


def put_athlete(context: Context, incoming: Incoming[PutAthlete]) -> Accepted:
    """Keeps the newest profile, and lets take effect whatever was waiting for it."""
    store = LoadStore(context.db, context.tenant)
    body, version = incoming.body, (incoming.time, incoming.id)
    if store.erased_since(body.athlete, incoming.time):
        return ERASED
    row = store.locked_athlete(body.athlete)
    if row.put_at is not None and (row.put_at, row.put_id or "") >= version:
        return Accepted()
    before = store.profile(row)
    profile = body.profile
    row.profile = profile.model_dump(mode="json", exclude_defaults=True) | {"timezone": profile.timezone}
    row.put_at, row.put_id = version
    affected = [one for one in store.counting_rows(body.athlete) if _affected(one, before, profile)]
    new_days = before is None or before.timezone != profile.timezone
    marked = [mark.date for mark in store.marks(body.athlete)] if new_days else []
    if affected:
        _score_and_assess(context, store, row, profile, affected, other_days=marked)
    elif new_days:
        assess_today(context, store, row, profile, min(marked, default=None))
    return Accepted()


def _affected(session: SessionRow, before: Profile | None, after: Profile) -> bool:
    """Whether a new profile changes the session's day or score."""
    if before is None or session.load is None:
        return True
    if session.start is not None and local_day(session.start, before.zone) != local_day(session.start, after.zone):
        return True
    hearts = [(p.hr_rest, p.hr_max, p.sex) for p in (before, after)]
    return session.method != MEASURED and hearts[0] != hearts[1]


def erase_athlete(context: Context, incoming: Incoming[EraseAthlete]) -> Accepted:
    store = LoadStore(context.db, context.tenant)
    store.erase(incoming.body.athlete, incoming.time)
    context.emit("athlete-erased", AthleteErased(athlete=incoming.body.athlete).as_data(), incoming.body.athlete)
    return Accepted()


def assess_after_midnight(context: Context) -> None:
    """Assesses every athlete whose local day has ended since the last assessment; once however often it is called, and
    in one step however many days were missed."""
    store = LoadStore(context.db, context.tenant)
    for row in store.due(context.now(), ATHLETES_PER_ROUND):
        profile = store.profile(row)
        if profile is not None:
            assess_today(context, store, row, profile, row.assessed_through)


ROUTES: tuple[Route, ...] = (
    Route("command", "load.record-session", RecordSession, record_session),
    Route("command", "load.import-sessions", ImportSessions, import_sessions),
    Route("command", "load.remove-session", RemoveSession, remove_session),
    Route("command", "load.mark-day", MarkDay, mark_day),
    Route("command", "load.get-load", GetLoad, get_load, query=True),
    Route("command", "athlete.put", PutAthlete, put_athlete, replies=False),
    Route("command", "athlete.erase", EraseAthlete, erase_athlete, replies=False),
    *rule_routes("load", RULES, {"recovery": compare_bands}),
)
TIMERS: tuple[Timer, ...] = (Timer("assess-after-midnight", MIDNIGHT_CHECK_S, assess_after_midnight),)
