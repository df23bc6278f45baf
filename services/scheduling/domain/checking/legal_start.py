"""The nearest start at which a session breaks no hard rule: exact, by the edges of the forbidden stretches of time."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from services.scheduling.domain.availability import Span, spans_of_week
from services.scheduling.domain.calendar import Entry, local_time
from services.scheduling.domain.checking.day_limits import rest_days
from services.scheduling.domain.checking.verdict import LegalStart
from services.scheduling.domain.conflicts import ConflictTable, gap_bounds_seconds
from shared.contract.words import WeekStart
from shared.messages.times import week_of
from shared.messages.values import Limits, Window

REACH_SECONDS = 7 * 24 * 3600
_MINUTE = 60
_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a start is judged against. ``spans`` None = any time of day; ``limits`` None = no limits.

    ``frees_day``: the move has to give the week its rest days back, not only take none.
    """

    table: ConflictTable
    zone: ZoneInfo | None
    starts_on: WeekStart
    limits: Limits | None = None
    spans: Sequence[Span] | None = None
    frees_day: bool = False


def spans_around(entry: Entry, windows: Sequence[Window], zone: ZoneInfo, starts_on: WeekStart) -> list[Span]:
    """The availability of the weeks within reach of a session."""
    start = week_of(entry.day, starts_on)
    return [
        span for weeks in (-2, -1, 0, 1, 2) for span in spans_of_week(windows, start + timedelta(weeks=weeks), zone)
    ]


def nearest_legal(entry: Entry, others: Sequence[Entry], around: Surroundings) -> LegalStart | None:
    """The start nearest to the session's own, on whole minutes and within 7 days either way; None if there is none.

    Forbidden starts form stretches whose edges are gap limits, other sessions, windows and midnights, so the nearest
    allowed minute is the present start or touches such an edge. Of two equally near starts the later is taken. Races
    are never moved.
    """
    if entry.session.type == "race":
        return None
    near = sorted(_edge_minutes(entry, others, around), key=lambda t: (abs(t - entry.starts), -t))
    for starts in near:
        if abs(starts - entry.starts) <= REACH_SECONDS and _is_legal(entry, starts, others, around):
            return LegalStart(entry.id, local_time(starts, around.zone, entry.session.start))
    return None


def _edge_minutes(entry: Entry, others: Sequence[Entry], around: Surroundings) -> set[int]:
    length = entry.ends - entry.starts
    edges: set[float] = set(_midnights(entry, around.zone))
    for other in others:
        edges.update((other.ends, other.starts - length))
        for conflict in around.table.hard(other.id, entry.id):
            edges.update(other.ends + bound for bound in gap_bounds_seconds(conflict))
        for conflict in around.table.hard(entry.id, other.id):
            edges.update(other.starts - length - bound for bound in gap_bounds_seconds(conflict))
    for span in around.spans or ():
        edges.update((span.opens, span.closes - length))
    minutes = {entry.starts}
    for edge in edges:
        if math.isfinite(edge) and abs(edge - entry.starts) <= REACH_SECONDS + _DAY:
            floor = math.floor(edge / _MINUTE) * _MINUTE
            minutes.update((floor - _MINUTE, floor, floor + _MINUTE))
    return minutes


def _midnights(entry: Entry, zone: ZoneInfo | None) -> Iterable[int]:
    here = local_time(entry.starts, zone, entry.session.start)
    for days in range(-8, 9):
        day = here.date() + timedelta(days=days)
        yield round(here.replace(year=day.year, month=day.month, day=day.day, hour=0, minute=0, second=0).timestamp())


def _is_legal(entry: Entry, starts: int, others: Sequence[Entry], around: Surroundings) -> bool:
    moved = entry.at(starts, around.zone)
    if around.spans is not None and not any(span.holds(starts, moved.ends - starts) for span in around.spans):
        return False
    return _keeps_limits(entry, moved, others, around) and all(
        keeps_hard_rules(moved, other, around.table) for other in others
    )


def keeps_hard_rules(one: Entry, other: Entry, table: ConflictTable) -> bool:
    """Whether two placed sessions neither overlap nor break a hard pair rule."""
    first, then = (one, other) if one.starts <= other.starts else (other, one)
    gap = then.starts - first.ends
    if gap < 0:
        return False
    same_day = first.day == then.day
    for conflict in table.hard(first.id, then.id):
        low, high = gap_bounds_seconds(conflict)
        if low <= gap < high and conflict.same_day in (None, same_day):
            return False
    return True


def _keeps_limits(entry: Entry, moved: Entry, others: Sequence[Entry], around: Surroundings) -> bool:
    limits = around.limits
    if limits is None:
        return True
    per_day = Counter(other.day for other in others)
    if per_day[moved.day] >= limits.max_sessions_per_day:
        return False
    # A move may use up a rest day only where enough are left; a week that has too few already must not lose another.
    for start in {week_of(entry.day, around.starts_on), week_of(moved.day, around.starts_on)}:
        after = rest_days([*others, moved], start)
        enough = after >= limits.min_rest_days
        if not enough and (around.frees_day or after < rest_days([*others, entry], start)):
            return False
    return True
