"""From sessions, ready-made loads and marked days to one figure per local day and stream: known, zero or unknown."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from services.load.domain.quality import Doubt, DoubtableSession, Screened
from shared.contract.sessions import LOAD_PARTS, SESSION_KINDS
from shared.contract.words import DayState, Stream
from shared.messages.values import DayLoad, MarkedDay

Loads = NDArray[np.float64]
MAX_OVERLAPS = 3
"""Sessions that one is told to overlap with; without a bound a month recorded ten times over has thousands of pairs."""


class CountedSession(DoubtableSession, Protocol):
    """What a daily sum needs of a scored session: ``ScoredSession``, or a stored row of the same figures."""

    @property
    def end(self) -> datetime: ...
    @property
    def type(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class DoneRun:
    """A run as far as its length matters. ``distance_km`` is None when it was not measured."""

    session: str
    duration_min: float
    distance_km: float | None


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two done sessions at the same time: perhaps one session recorded twice. ``day`` is the later one's local date."""

    day: date
    first: str
    second: str
    stream: Stream


@dataclass(frozen=True, slots=True)
class DailyLoads:
    """AU per local day from ``first`` on, one array entry a day; NaN = unknown, 0 = known to be without load.

    ``states`` has one entry per day: what was marked, else ``unknown``, else ``rest`` for a day without a record
    between records, else None (a day with a record).
    """

    first: date
    run: Loads
    lift: Loads
    other: Loads
    states: tuple[DayState | None, ...]
    runs: Mapping[date, tuple[DoneRun, ...]]
    overlaps: tuple[Overlap, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    races: Mapping[date, float] = field(default_factory=dict)
    """AU of the races of a day."""

    @property
    def combined(self) -> Loads:
        return self.run + self.lift + self.other

    def stream(self, name: Stream) -> Loads:
        loads: Loads = getattr(self, name)
        return loads

    def days(self) -> list[date]:
        return [self.first + timedelta(days=index) for index in range(len(self.run))]

    @property
    def through(self) -> date:
        """The last day held (the day before ``first`` when nothing is held)."""
        return self.first + timedelta(days=len(self.run) - 1)

    def state(self, on: date) -> DayState | None:
        index = (on - self.first).days
        return self.states[index] if 0 <= index < len(self.states) else "unknown"


def daily_loads(
    scored: Sequence[CountedSession],
    ready_made: Sequence[DayLoad],
    marked: Sequence[MarkedDay],
    zone: ZoneInfo,
    through: date,
    quality: Screened | None = None,
) -> DailyLoads:
    """Sum load by the sessions' days (those without a clock of their own in ``zone``), up to and including ``through``.

    Between the first and the last recorded day a day without a record is rest (0); a date missing inside ready-made
    loads is unknown, and so is every day after the last record. A mark fills a day: ``rest``, ``sick`` and
    ``travel`` mean that nothing beyond the recorded sessions was done; ``unknown`` makes the whole day unknown,
    whatever was recorded. Sessions and a ready-made load of the same day add up, but for what ``quality`` sets aside; a
    day with a session whose minutes are set aside has an unknown load.
    """
    quality = quality or Screened(day_loads=ready_made)
    counted = [one for one in scored if "session" not in quality.aside.get(one.id, ())]
    sums, runs = _summed(counted, quality, zone, through)
    ready_days = set()
    for load in sorted(quality.day_loads, key=lambda d: (d.date, d.run, d.lift, d.other)):
        if load.date > through:
            continue
        ready_days.add(load.date)
        totals = sums[load.date]
        for row, part in enumerate(LOAD_PARTS):
            totals[row] += getattr(load, part)
    states: dict[date, DayState] = {mark.date: mark.state for mark in marked if mark.date <= through}
    recorded = set(sums) | {day for day, state in states.items() if state != "unknown"}
    if not recorded:
        return _nothing(through)
    first, last = min(recorded), max(recorded)
    ready_span = (min(ready_days), max(ready_days)) if ready_days else None

    days = [first + timedelta(days=index) for index in range((through - first).days + 1)]
    table = np.zeros((len(LOAD_PARTS), len(days)))
    seen_states: list[DayState | None] = []
    for index, day in enumerate(days):
        state = states.get(day)
        if state is None and day not in sums:
            missing_ready = ready_span is not None and ready_span[0] < day < ready_span[1]
            state = "unknown" if day > last or missing_ready else "rest"
        seen_states.append(state)
        table[:, index] = np.nan if state == "unknown" else sums.get(day, 0.0)
    return DailyLoads(
        first,
        table[0],
        table[1],
        table[2],
        tuple(seen_states),
        {day: tuple(done) for day, done in runs.items()},
        _overlaps(counted, zone, through),
        tuple(doubt for doubt in quality.doubts if doubt.day <= through),
        _raced(counted, zone),
    )


def _summed(
    sessions: Sequence[CountedSession], quality: Screened, zone: ZoneInfo, through: date
) -> tuple[dict[date, list[float]], dict[date, list[DoneRun]]]:
    """By day the load of each part, and the runs; a session whose minutes are set aside costs something unknown."""
    sums: dict[date, list[float]] = defaultdict(lambda: [0.0] * len(LOAD_PARTS))
    runs: dict[date, list[DoneRun]] = defaultdict(list)
    for one in sorted(sessions, key=lambda s: (s.start, s.id)):
        day = one.day_in(zone)
        if day > through:
            continue
        aside = quality.aside.get(one.id, ())
        sums[day][LOAD_PARTS.index(SESSION_KINDS[one.kind].part)] += math.nan if "duration_min" in aside else one.load
        if one.kind == "run" and "duration_min" not in aside:
            distance = None if "distance_km" in aside else one.distance_km
            runs[day].append(DoneRun(one.id, one.duration_min, distance))
    return sums, runs


def _raced(sessions: Sequence[CountedSession], zone: ZoneInfo) -> Mapping[date, float]:
    races: dict[date, float] = defaultdict(float)
    for one in sessions:
        if one.type == "race":
            races[one.day_in(zone)] += one.load
    return races


def _nothing(through: date) -> DailyLoads:
    empty = np.zeros(0)
    return DailyLoads(through + timedelta(days=1), empty, empty, empty, (), {})


def _overlaps(scored: Sequence[CountedSession], zone: ZoneInfo, through: date) -> tuple[Overlap, ...]:
    found: list[Overlap] = []
    running: list[CountedSession] = []
    for one in sorted(scored, key=lambda s: (s.start, s.id)):
        running = sorted(
            (other for other in running if other.end > one.start), key=lambda other: (other.end, other.id), reverse=True
        )[:MAX_OVERLAPS]
        day = one.day_in(zone)
        if day <= through:
            earlier = sorted(running, key=lambda other: (other.start, other.id))
            found += [Overlap(day, other.id, one.id, SESSION_KINDS[one.kind].stream) for other in earlier]
        running.append(one)
    return tuple(found)
