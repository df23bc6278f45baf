"""Which version of a session holds, and what it cost. No message order changes the outcome."""

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.load.domain import ScoredSession, score_session
from services.load.messages import RecordedSession
from services.load.store import LoadStore, SessionRow
from shared.db.versions import Version
from shared.messages.values import DoneSession, Profile

MEASURED = "session-rpe"
Known = MutableMapping[tuple[str, str], SessionRow]
"""What is held of the sessions that messages name, by (athlete, session); what is new is added."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session stood: other sessions' estimates of this kind, from this start on, may lean on it."""

    kind: str
    start: datetime


def record(
    store: LoadStore, athlete: str, sessions: Sequence[RecordedSession], version: Version, known: Known
) -> tuple[list[SessionRow], list[Place]]:
    """Keeps each session whose version wins: the highest revision, then the later ce-time, then the greater ce-id.

    Returns the rows that this changed and that count, and the places where they stood before.
    """
    changed: list[SessionRow] = []
    before: list[Place] = []
    for sent in sessions:
        row = known.get((athlete, sent.session))
        if row is None:
            row = known[athlete, sent.session] = _new_row(store, athlete, sent.session)
        elif _recorded(row) >= (sent.revision, *version):
            continue
        if row.counts and row.kind is not None and row.start is not None:
            before.append(Place(row.kind, row.start))
        row.revision, (row.recorded_at, row.recorded_id) = sent.revision, version
        done = sent.done
        row.body = done.model_dump(mode="json", exclude_defaults=True)
        row.start, row.duration_min, row.kind = done.start, done.duration_min, done.kind
        row.distance_km = done.distance_km
        row.counts = _counts(row)
        if row.counts:
            changed.append(row)
    return changed, before


def remove(store: LoadStore, athlete: str, session: str, version: Version, known: Known) -> SessionRow | None:
    """Marks the session removed as of ``version``; it counts again only when it is recorded later than that.

    The mark stays even for a session never heard of: its record may still be on the way. Returns the row if it counted.
    """
    row = known.get((athlete, session))
    if row is None:
        row = known[athlete, session] = _new_row(store, athlete, session)
    if row.removed_at is None or (row.removed_at, row.removed_id or "") < version:
        row.removed_at, row.removed_id = version
    counted = row.counts
    row.counts = _counts(row)
    return row if counted and not row.counts else None


def rescore(
    store: LoadStore,
    athlete: str,
    profile: Profile,
    settings: Mapping[str, Any],
    touched: Sequence[SessionRow],
    before: Sequence[Place] = (),
    nobody_leans: bool = False,
) -> list[tuple[SessionRow, ScoredSession]]:
    """Scores ``touched`` and every estimated session that leans on them; returns those, the leaning ones only if
    changed. All that was recorded must have been flushed. ``nobody_leans``: the caller knows of no estimated ones."""
    reach = timedelta(days=float(settings["own_effort_days"]))
    leaning: list[SessionRow] = []
    if not nobody_leans:
        places = [*places_of(touched), *before]
        leaning = [row for row in _leaning(store, athlete, places, reach) if row not in touched]
    unstated = [row for row in (*touched, *leaning) if row.body is not None and row.body.get("rpe") is None]
    comparable = _comparable(store, athlete, unstated, reach)
    scored = []
    for row in touched:
        one = score_session(done_session(row), profile, settings, comparable if row in unstated else ())
        row.load, row.method = one.load, one.method
        scored.append((row, one))
    for row in leaning:
        one = score_session(done_session(row), profile, settings, comparable)
        if (row.load, row.method) != (one.load, one.method):
            row.load, row.method = one.load, one.method
            scored.append((row, one))
    return scored


def done_session(row: SessionRow) -> DoneSession:
    return DoneSession.model_validate(row.body)


def places_of(rows: Iterable[SessionRow]) -> list[Place]:
    return [Place(row.kind, row.start) for row in rows if row.kind is not None and row.start is not None]


def _leaning(store: LoadStore, athlete: str, places: Sequence[Place], reach: timedelta) -> Iterable[SessionRow]:
    """Counting sessions without an effort of their own that start after a place and within ``reach`` of it."""
    for kind in sorted({place.kind for place in places}):
        starts = [place.start for place in places if place.kind == kind]
        yield from store.counting_rows(
            athlete,
            SessionRow.kind == kind,
            SessionRow.method != MEASURED,
            SessionRow.start > min(starts),
            SessionRow.start <= max(starts) + reach,
        )


def _comparable(store: LoadStore, athlete: str, unstated: Sequence[SessionRow], reach: timedelta) -> list[DoneSession]:
    starts = [row.start for row in unstated if row.start is not None]
    if not starts:
        return []
    rows = store.counting_rows(
        athlete,
        SessionRow.kind.in_({row.kind for row in unstated}),
        SessionRow.start >= min(starts) - reach,
        SessionRow.start < max(starts),
    )
    return [done_session(row) for row in rows if row.body is not None and row.body.get("rpe") is not None]


def _new_row(store: LoadStore, athlete: str, session: str) -> SessionRow:
    row = SessionRow(tenant=store.tenant, athlete=athlete, session=session, counts=False)
    store.db.add(row)
    return row


def _recorded(row: SessionRow) -> tuple[int, Any, str]:
    """The version held; a row that knows only a removal has none and loses to any."""
    if row.revision is None or row.recorded_at is None:
        return -1, None, ""
    return row.revision, row.recorded_at, row.recorded_id or ""


def _counts(row: SessionRow) -> bool:
    if row.recorded_at is None:
        return False
    if row.removed_at is None:
        return True
    return (row.recorded_at, row.recorded_id or "") > (row.removed_at, row.removed_id or "")
