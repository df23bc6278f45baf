"""Messages about an athlete's days, taken together: rows are read once, and each athlete's today is assessed once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.recovery.messages import LoadAssessed, RecordWellness, SessionScored
from services.recovery.store import RecoveryAthleteRow, RecoveryStore
from services.recovery.use_cases.assess import ToAssess, assess_today
from shared.athletes.handlers import ERASED
from shared.bus.routes import Accepted, Call, Context, Forgotten, Incoming
from shared.contract.words import STREAMS
from shared.messages.values import Profile

PENDING = Accepted({"pending": "athlete"})


@dataclass(slots=True)
class Desk:
    """One athlete's share of the messages. ``context``: of the last one that made an assessment necessary."""

    row: RecoveryAthleteRow
    profile: Profile | None
    context: Context
    due: bool = False
    changed_from: date | None = None

    @property
    def athlete(self) -> str:
        return str(self.row.athlete)

    def assess(self, context: Context, changed_from: date | None = None) -> None:
        """Once all messages are written down."""
        self.context, self.due = context, True
        days = [day for day in (self.changed_from, changed_from) if day is not None]
        self.changed_from = min(days, default=None)


Keep = Callable[[Desk, Context, Incoming[Any]], None]


def record_mornings(calls: Sequence[Call]) -> Sequence[Accepted | None]:
    store = _store(calls)
    held = store.held_mornings((incoming.body.athlete, incoming.body.date) for _, incoming in calls)

    def keep(desk: Desk, context: Context, incoming: Incoming[RecordWellness]) -> None:
        body, version = incoming.body, (incoming.time, incoming.id)
        new = store.keep_morning(body.athlete, body.date, body.given, version, held)
        if new and desk.profile is not None and body.date <= desk.profile.day_of(context.now()):
            desk.assess(context, body.date)

    return _take(store, calls, keep)


def hear_loads_assessed(calls: Sequence[Call]) -> Sequence[Accepted | None]:
    """Keeps the days' ratios and states; then today's readiness is assessed."""
    store = _store(calls)
    held = store.held_load_days(
        (incoming.body.athlete, day.date) for _, incoming in calls for day in incoming.body.days
    )

    def keep(desk: Desk, context: Context, incoming: Incoming[LoadAssessed]) -> None:
        row, version = desk.row, (incoming.time, incoming.id)
        days: dict[date, tuple[str | None, Mapping[str, Any]]] = {
            day.date: (
                day.state,
                {name: [getattr(day, f"acwr_{name}"), getattr(day, f"status_{name}")] for name in STREAMS},
            )
            for day in incoming.body.days
        }
        store.keep_load_days(desk.athlete, days, version, held)
        if row.load_told_at is None or (row.load_told_at, row.load_told_id or "") < version:
            row.load_told_at, row.load_told_id = version
        desk.assess(context, min(days, default=None))

    return _take(store, calls, keep, told=True)


def hear_sessions_scored(calls: Sequence[Call]) -> Sequence[Accepted | None]:
    """Keeps what sessions say about effort and strength.

    The load service tells its assessment right after its sessions, so that message brings the readiness; only when it
    overtook this one is readiness assessed here.
    """
    store = _store(calls)
    held = store.held_sessions((incoming.body.athlete, incoming.body.session) for _, incoming in calls)

    def keep(desk: Desk, context: Context, incoming: Incoming[SessionScored]) -> None:
        row, body, version = desk.row, incoming.body, (incoming.time, incoming.id)
        told = {
            "removed": body.removed,
            "date": body.date,
            "kind": body.kind,
            "type": body.type,
            "rpe": None if body.removed else body.rpe,
            "e1rm": [] if body.removed else [[one.lift, one.e1rm_kg] for one in body.e1rm],
        }
        touched = store.keep_session(body.athlete, body.session, told, version, held)
        if touched is None:
            return
        row.untold_from = touched if row.untold_from is None else min(row.untold_from, touched)
        if row.load_told_at is not None and (row.load_told_at, row.load_told_id or "") > version:
            desk.assess(context)

    return _take(store, calls, keep, told=True)


def _store(calls: Sequence[Call]) -> RecoveryStore:
    return RecoveryStore(calls[0][0].db, calls[0][0].tenant)


def _take(store: RecoveryStore, calls: Sequence[Call], keep: Keep, told: bool = False) -> list[Accepted | None]:
    """``keep`` writes one message down; each athlete's today is assessed when all are. ``told``: by another service,
    whose events about an erased athlete do not count until the athlete is put again."""
    erased = store.erased({incoming.body.athlete for _, incoming in calls})
    ignored = [_is_ignored(store, erased, incoming, told) for _, incoming in calls]
    heard = [incoming for (_, incoming), is_ignored in zip(calls, ignored, strict=True) if not is_ignored]
    rows = store.locked_athletes(incoming.body.athlete for incoming in heard)
    desks: dict[str, Desk] = {}
    outcomes: list[Accepted | None] = []
    for (context, incoming), is_ignored in zip(calls, ignored, strict=True):
        if is_ignored:
            outcomes.append(Forgotten() if told else ERASED)
            continue
        row = rows[incoming.body.athlete]
        desk = desks.get(row.athlete)
        if desk is None:
            desk = desks[row.athlete] = Desk(row, row.profile, context)
        keep(desk, context, incoming)
        outcomes.append(None if told else PENDING if desk.profile is None else Accepted())
    store.db.flush()
    to_assess = [
        ToAssess(desk.context, desk.row, desk.profile, desk.changed_from)
        for desk in desks.values()
        if desk.due and desk.profile is not None
    ]
    assess_today(store, to_assess)
    return outcomes


def _is_ignored(store: RecoveryStore, erased: Mapping[str, datetime], incoming: Incoming[Any], told: bool) -> bool:
    at = erased.get(incoming.body.athlete)
    if at is None:
        return False
    return store.is_erased(incoming.body.athlete, incoming.time) if told else at >= incoming.time
