"""Messages about training, taken together: rows are read once, and each athlete's today is assessed once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.load.messages import RecordedSession
from services.load.store import LoadAthleteRow, LoadStore, SessionRow
from services.load.use_cases.assess import ToAssess, assess_today, tell_scored
from services.load.use_cases.record import MEASURED, Known, Place, places_of, record, remove, rescore
from shared.athletes.handlers import ERASED
from shared.bus.routes import Accepted, Call, Context, Incoming
from shared.db.versions import Version
from shared.messages.values import Profile

PENDING = Accepted({"pending": "athlete"})


@dataclass(slots=True)
class Desk:
    """One athlete's share of the messages. ``context``: of the last message that changed something."""

    store: LoadStore
    row: LoadAthleteRow
    profile: Profile | None
    known: Known
    context: Context
    touched: dict[str, tuple[SessionRow, Context]] = field(default_factory=dict)
    before: list[Place] = field(default_factory=list)
    days: list[date] = field(default_factory=list)

    @property
    def athlete(self) -> str:
        return str(self.row.athlete)

    @property
    def places(self) -> list[Place]:
        """Where something changed."""
        return [*places_of(row for row, _ in self.touched.values()), *self.before]

    def record(self, context: Context, sessions: Sequence[RecordedSession], version: Version) -> None:
        self._make_room(one.session for one in sessions)
        changed, before = record(self.store, self.athlete, sessions, version, self.known)
        self._touch(context, changed)
        self.before += before

    def remove(self, context: Context, session: str, version: Version) -> None:
        self._make_room([session])
        gone = remove(self.store, self.athlete, session, version, self.known)
        self._touch(context, [] if gone is None else [gone])

    def mark(self, context: Context, day: date, state: str, version: Version) -> None:
        if day in self.days:
            self.store.db.flush()  # so that the earlier mark of the same day is found
        if self.store.mark(self.athlete, day, state, version):
            self.days.append(day)
            self.context = context

    def tell(self, nobody_leans: bool = False) -> None:
        """Scores what changed and what leans on it; tells each session on behalf of the message that changed it."""
        if not self.touched or self.profile is None:
            return
        rows = [row for row, _ in self.touched.values()]
        settings = self.context.rules.settings("recovery")
        scored = rescore(self.store, self.athlete, self.profile, settings, rows, self.before, nobody_leans)
        for session, one in scored:
            _, context = self.touched.get(session.session, (session, self.context))
            tell_scored(context, session, one, self.profile)
            self.days.append(self.profile.day_of(one.start))
        self.days += [self.profile.day_of(place.start) for place in self.before]
        self.touched, self.before = {}, []

    def to_assess(self) -> ToAssess | None:
        if not self.days or self.profile is None:
            return None
        return ToAssess(self.context, self.row, self.profile, min(self.days))

    def _touch(self, context: Context, rows: Iterable[SessionRow]) -> None:
        for row in rows:
            self.touched[row.session] = (row, context)
            self.context = context

    def _make_room(self, sessions: Iterable[str]) -> None:
        """A session that comes twice is told twice: each of its messages has its own event."""
        if any(session in self.touched for session in sessions):
            self.store.db.flush()
            self.tell()


def take(
    calls: Sequence[Call],
    keep: Callable[[Desk, Context, Incoming[Any]], None],
    named: Callable[[Any], Iterable[str]] = lambda body: (),
) -> list[Accepted]:
    """``keep`` writes one message down; what follows from all of them is worked out and told afterwards.

    ``named``: the sessions that a message's body is about.
    """
    db, tenant = calls[0][0].db, calls[0][0].tenant
    store = LoadStore(db, tenant)
    erased = store.erased({incoming.body.athlete for _, incoming in calls})
    heard = [incoming for _, incoming in calls if not _after(erased, incoming)]
    rows = store.locked_athletes(incoming.body.athlete for incoming in heard)
    known = store.sessions((incoming.body.athlete, name) for incoming in heard for name in named(incoming.body))
    desks: dict[str, Desk] = {}
    outcomes: list[Accepted] = []
    with db.no_autoflush:
        for context, incoming in calls:
            if _after(erased, incoming):
                outcomes.append(ERASED)
                continue
            row = rows[incoming.body.athlete]
            desk = desks.get(row.athlete)
            if desk is None:
                desk = desks[row.athlete] = Desk(store, row, row.profile, known, context)
            keep(desk, context, incoming)
            outcomes.append(PENDING if desk.profile is None else Accepted())
        settle(store, list(desks.values()))
    return outcomes


def settle(store: LoadStore, desks: Sequence[Desk]) -> None:
    """Tells what changed, then assesses each athlete's today once. Written in bulk: athlete by athlete would cost a
    statement each."""
    store.db.flush()
    places = {desk.athlete: desk.places for desk in desks if desk.touched and desk.profile is not None}
    since = min((place.start for found in places.values() for place in found), default=None)
    lean = set() if since is None else store.with_estimates(list(places), since, MEASURED)
    for desk in desks:
        desk.tell(nobody_leans=desk.athlete not in lean)
    store.db.flush()
    assess_today(store, [one for desk in desks if (one := desk.to_assess()) is not None])


def _after(erased: Mapping[str, Any], incoming: Incoming[Any]) -> bool:
    at = erased.get(incoming.body.athlete)
    return at is not None and at >= incoming.time
