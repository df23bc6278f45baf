"""Which starts the planner tries: a grid inside the windows, and the moments at which a gap is just kept."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from services.scheduling.domain.availability import Span
from services.scheduling.domain.calendar import Entry, duration_seconds, local_time
from services.scheduling.domain.conflicts import ConflictTable, gap_bounds_seconds
from shared.messages.values import PlannedSession

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Grid:
    """``step_minutes``: distance of the regular starts, on the local clock."""

    step_minutes: int
    zone: ZoneInfo


def grid_starts(span: Span, seconds: int, grid: Grid) -> Iterable[int]:
    """The window's opening, every grid point of the local clock in it, and the last start that still fits."""
    last = span.closes - seconds
    if last < span.opens:
        return
    yield span.opens
    offset = local_time(span.opens, grid.zone).utcoffset()
    shift = round(offset.total_seconds()) if offset else 0
    step = grid.step_minutes * _MINUTE
    first = math.ceil((span.opens + shift) / step) * step - shift
    yield from range(first, last + 1, step)
    yield last


def boundary_starts(
    session: PlannedSession, settled: Sequence[Entry], table: ConflictTable, spans: Sequence[Span]
) -> set[int]:
    """Starts at which a gap to a settled session is kept to the second ("exactly 24 h after"), inside the windows."""
    length = duration_seconds(session)
    moments: set[int] = set()
    for entry in settled:
        moments.update((entry.ends, entry.starts - length))
        for conflict in table.between(entry.id, session.id):
            moments.update(entry.ends + _whole_minute_up(bound) for bound in gap_bounds_seconds(conflict))
        for conflict in table.between(session.id, entry.id):
            moments.update(entry.starts - length - _whole_minute_up(bound) for bound in gap_bounds_seconds(conflict))
    return {moment for moment in moments if any(span.holds(moment, length) for span in spans)}


def _whole_minute_up(seconds: float) -> int:
    # An endless gap has no far edge; a week away is out of every window's reach.
    return math.ceil(seconds / _MINUTE) * _MINUTE if math.isfinite(seconds) else 14 * 24 * 3600


def chained_starts(
    session: PlannedSession,
    others: Sequence[tuple[PlannedSession, set[int]]],
    table: ConflictTable,
    spans: Sequence[Span],
) -> set[int]:
    """Starts at which a gap is just kept to another movable session that stands at one of its own edge starts."""
    length = duration_seconds(session)
    moments: set[int] = set()
    for other, edges in others:
        after = {0, *_bounds(table, other.id, session.id)}
        before = {0, *_bounds(table, session.id, other.id)}
        for edge in edges:
            moments.update(edge + duration_seconds(other) + gap for gap in after)
            moments.update(edge - length - gap for gap in before)
    return {moment for moment in moments if any(span.holds(moment, length) for span in spans)}


def _bounds(table: ConflictTable, first: str, then: str) -> set[int]:
    return {_whole_minute_up(bound) for c in table.hard(first, then) for bound in gap_bounds_seconds(c)}
