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
MARK_MINUTES = 5
"""Nobody goes for a run at 17:58."""


@dataclass(frozen=True, slots=True)
class Grid:
    """``step_minutes``: distance of the regular starts, on the local clock; other starts fall on multiples of
    ``mark_minutes`` there."""

    step_minutes: int
    zone: ZoneInfo
    mark_minutes: int = 1

    def mark_from(self, moment: int, minutes: int) -> int:
        """The first multiple of ``minutes`` on the local clock at or after a moment."""
        offset = local_time(moment, self.zone).utcoffset()
        shift = round(offset.total_seconds()) if offset else 0
        step = minutes * _MINUTE
        return -(-(moment + shift) // step) * step - shift

    def up(self, moment: int) -> int:
        return self.mark_from(moment, self.mark_minutes)

    def down(self, moment: int) -> int:
        above = self.up(moment)
        return above if above == moment else above - self.mark_minutes * _MINUTE


def edge_starts(span: Span, seconds: int, grid: Grid) -> set[int]:
    """The first and the last marks at which a session fits the window; where it holds none, its opening."""
    last = span.closes - seconds
    if last < span.opens:
        return set()
    edges = {mark for mark in (grid.up(span.opens), grid.down(last)) if span.opens <= mark <= last}
    return edges or {span.opens}


def grid_starts(span: Span, seconds: int, grid: Grid) -> Iterable[int]:
    """The window's edges and every grid point of the local clock in it."""
    yield from edge_starts(span, seconds, grid)
    first = grid.mark_from(span.opens, grid.step_minutes)
    yield from range(first, span.closes - seconds + 1, grid.step_minutes * _MINUTE)


def boundary_starts(
    session: PlannedSession, settled: Sequence[Entry], table: ConflictTable, spans: Sequence[Span], grid: Grid
) -> set[int]:
    """Starts at which a gap to a settled session is just kept ("exactly 24 h after"), inside the windows."""
    length = duration_seconds(session)
    moments: set[int] = set()
    for entry in settled:
        after = [0, *(bound for c in table.between(entry.id, session.id) for bound in gap_bounds_seconds(c))]
        before = [0, *(bound for c in table.between(session.id, entry.id) for bound in gap_bounds_seconds(c))]
        moments.update(grid.up(entry.ends + _whole_minute_up(bound)) for bound in after)
        moments.update(grid.down(entry.starts - length - _whole_minute_up(bound)) for bound in before)
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
