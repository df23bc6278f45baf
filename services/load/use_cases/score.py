"""What sessions cost, and which others cost something else because of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.load.domain import ScoredSession, score_session
from services.load.domain.settings import LoadSettings
from services.load.store import LoadStore, SessionRow
from shared.messages.times import STORED
from shared.messages.values import DoneSession, Profile

MEASURED = "session-rpe"


@dataclass(frozen=True, slots=True)
class EstimateBasis:
    """Where a session stands or stood: estimates of sessions of this kind that start later may rest on it."""

    kind: str
    start: datetime


def bases_of(rows: Iterable[SessionRow]) -> list[EstimateBasis]:
    return [EstimateBasis(row.kind, row.start) for row in rows if row.kind is not None and row.start is not None]


def rescore(
    store: LoadStore,
    athlete: str,
    profile: Profile,
    settings: Mapping[str, Any],
    changed: Sequence[SessionRow],
    before: Sequence[EstimateBasis] = (),
    has_estimates: bool = True,
) -> list[tuple[SessionRow, ScoredSession]]:
    """Scores ``changed`` and every estimated session that rests on them; returns those, the estimated ones only if
    their score is another. All that was recorded must have been flushed. ``before``: where the changed sessions stood.
    """
    numbers = LoadSettings.of(settings)
    reach = timedelta(days=numbers.own_effort_days)
    resting: list[SessionRow] = []
    if has_estimates:
        bases = [*bases_of(changed), *before]
        resting = [row for row in _resting_on(store, athlete, bases, reach) if row not in changed]
    unstated = [row for row in (*changed, *resting) if row.body is not None and row.body.get("rpe") is None]
    comparable = _comparable(store, athlete, unstated, reach)
    scored = []
    for row in changed:
        one = score_session(done_session(row), profile, numbers, comparable if row in unstated else ())
        row.load, row.method = one.load, one.method
        scored.append((row, one))
    for row in resting:
        one = score_session(done_session(row), profile, numbers, comparable)
        if (row.load, row.method) != (one.load, one.method):
            row.load, row.method = one.load, one.method
            scored.append((row, one))
    return scored


def done_session(row: SessionRow) -> DoneSession:
    return DoneSession.model_validate(row.body, context=STORED)


def _resting_on(
    store: LoadStore, athlete: str, bases: Sequence[EstimateBasis], reach: timedelta
) -> Iterable[SessionRow]:
    """Counting sessions without an effort of their own that start after a basis and within ``reach`` of it."""
    for kind in sorted({basis.kind for basis in bases}):
        starts = [basis.start for basis in bases if basis.kind == kind]
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
    return [done_session(row) for row in rows if row.body is not None and row.body.get("rpe")]
