"""The placing problem in numbers: for every session the starts it may take, and what speaks against which two."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from services.scheduling.domain.availability import DAYS_IN_WEEK, Span, midnight
from services.scheduling.domain.calendar import Entry, around_of, duration_seconds, entry_of
from services.scheduling.domain.conflicts import ConflictTable, RowLimit, gap_bounds_seconds
from services.scheduling.domain.placing.preferences import Preferences
from services.scheduling.domain.week_plan import ConflictMember, WeekInputs
from shared.contract.words import WEEKDAYS, BudgetSpent
from shared.messages.values import Limits, PlannedSession
from shared.rules.model import Conflict

Seconds = npt.NDArray[np.int64]
Forbidden = npt.NDArray[np.bool_]
OTHER_DAY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One session of the problem. ``starts``: candidate seconds, ascending; ``days``: index of each one's local day in
    the week, or -1; ``waits``: whole minutes from the opening of its window; ``outside``: not within any window.

    A fixed session (``fixed``) or one of the surroundings (``context``) has exactly one candidate.
    """

    session: PlannedSession
    starts: Seconds
    days: Seconds
    day_numbers: Seconds
    waits: Seconds
    outside: Forbidden
    fixed: bool = False
    context: bool = False

    @property
    def id(self) -> str:
        return self.session.id

    @property
    def seconds(self) -> int:
        return duration_seconds(self.session)

    def thinned(self, most: int) -> "Piece":
        """With at most so many of its starts, evenly taken."""
        if len(self.starts) <= most:
            return self
        kept = self.kept(most)
        taken = {name: getattr(self, name)[kept] for name in ("starts", "days", "day_numbers", "waits", "outside")}
        return replace(self, **taken)

    def kept(self, most: int) -> npt.NDArray[np.intp]:
        """Which of its starts are left when it is thinned."""
        count = len(self.starts)
        return np.arange(count) if count <= most else np.arange(most) * count // most

    @property
    def movable(self) -> bool:
        return not self.fixed and not self.context


@dataclass(frozen=True, slots=True)
class PlacementProblem:
    """All pieces in order of their ids, so that the order of the input cannot matter."""

    pieces: tuple[Piece, ...]
    table: ConflictTable
    limits: Limits
    week: tuple[date, ...]
    row_limits: tuple[RowLimit, ...] = ()

    @property
    def movable(self) -> tuple[Piece, ...]:
        return tuple(piece for piece in self.pieces if piece.movable)

    def thinned(self, most: int) -> "PlacementProblem":
        """The same with at most so many starts of each piece, evenly taken: what is possible here is possible."""
        return replace(self, pieces=tuple(piece.thinned(most) for piece in self.pieces))

    def pairs(self) -> Iterable[tuple[Piece, Piece]]:
        """Every two pieces of which one at least is not of the surroundings."""
        for i, one in enumerate(self.pieces):
            for other in self.pieces[i + 1 :]:
                if not (one.context and other.context):
                    yield one, other


def week_days(week_start: date) -> tuple[date, ...]:
    return tuple(week_start + timedelta(days=n) for n in range(DAYS_IN_WEEK))


def fixed_piece(entry: Entry, week: Sequence[date]) -> Piece:
    """A session that stays where it is."""
    day = week.index(entry.day) if entry.day in week else OTHER_DAY
    return Piece(
        entry.session,
        np.array([entry.starts], dtype=np.int64),
        np.array([day], dtype=np.int64),
        np.array([entry.day.toordinal()], dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.bool_),
        fixed=not entry.context,
        context=entry.context,
    )


def movable_piece(
    session: PlannedSession, starts: Iterable[int], spans: Sequence[Span], week: Sequence[date], zone: ZoneInfo
) -> Piece:
    """A session to be placed, with its candidate starts (those on days of the week only)."""
    begins = np.array([midnight(day, zone) for day in (*week, week[-1] + timedelta(days=1))], dtype=np.int64)
    kept = np.array(sorted({t for t in starts if begins[0] <= t < begins[-1]}), dtype=np.int64)
    days = np.searchsorted(begins, kept, side="right").astype(np.int64) - 1
    length = duration_seconds(session)
    waits = np.zeros(len(kept), dtype=np.int64)
    outside = np.ones(len(kept), dtype=np.bool_)
    for span in spans:
        inside = (kept >= span.opens) & (kept + length <= span.closes)
        outside &= ~inside
        # A window that began on the day before counts from midnight: what matters is early on its own day.
        opened = np.maximum(span.opens, begins[np.clip(days, 0, None)])
        waits = np.where(inside, (kept - opened) // 60, waits)
    ordinals = days + week[0].toordinal()
    return Piece(session, kept, days, ordinals, waits.astype(np.int64), outside)


def forbidden_by(conflict: Conflict, first: Piece, then: Piece) -> Forbidden:
    """Matrix [start of first, start of then]: where the conflict speaks, ``first`` being the earlier one."""
    gaps = then.starts[None, :] - (first.starts[:, None] + first.seconds)
    low, high = gap_bounds_seconds(conflict)
    matrix = (gaps >= low) & (gaps < high) & (gaps >= 0)
    if conflict.same_day is not None:
        same = first.day_numbers[:, None] == then.day_numbers[None, :]
        matrix &= same if conflict.same_day else ~same
    return np.asarray(matrix, dtype=np.bool_)


def overlapping(one: Piece, other: Piece) -> Forbidden:
    """Matrix [start of one, start of other]: where the two would overlap."""
    begins, ends = one.starts[:, None], one.starts[:, None] + one.seconds
    matrix = (begins < other.starts[None, :] + other.seconds) & (other.starts[None, :] < ends)
    return np.asarray(matrix, dtype=np.bool_)


def spoken_against(one: Piece, other: Piece, table: ConflictTable, hard: bool) -> dict[str, Forbidden]:
    """Per rule the matrix [start of one, start of other] of what it speaks against, in either order."""
    ask = table.hard if hard else table.soft
    matrices: dict[str, Forbidden] = {}
    for conflict in ask(one.id, other.id):
        matrix = forbidden_by(conflict, one, other)
        matrices[conflict.rule.id] = matrices.get(conflict.rule.id, False) | matrix
    for conflict in ask(other.id, one.id):
        matrix = forbidden_by(conflict, other, one).T
        matrices[conflict.rule.id] = matrices.get(conflict.rule.id, False) | matrix
    return {rule: matrix for rule, matrix in matrices.items() if matrix.any()}


@dataclass(frozen=True, slots=True)
class Placement:
    """``chosen``: index of each piece's start. ``optimal``: proved that no calendar costs less."""

    chosen: Mapping[str, int]
    optimal: bool


def settled_entries(inputs: WeekInputs) -> list[Entry]:
    """Fixed sessions of the week and the surroundings, on the clock."""
    own = {(inputs.week_start, session.id) for session in inputs.sessions}
    entries = [
        entry_of(s.model_copy(update={"start": s.start.astimezone(inputs.zone), "timezone": None}), inputs.zone)
        for s in inputs.sessions
        if s.start is not None
    ]
    starts_on = WEEKDAYS[inputs.week_start.weekday()]
    return entries + around_of(own, entries, inputs.context, inputs.zone, starts_on)


@dataclass(frozen=True, slots=True)
class Question:
    """A week with all that the rules and the athlete say about it: what is left is arithmetic, wherever it is done."""

    inputs: WeekInputs
    spans: Sequence[Span]
    table: ConflictTable
    rows: tuple[RowLimit, ...]
    limits: Limits
    grid_minutes: int
    preferences: Preferences


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of it on one grid. ``left``: of the week's budget. ``best`` None: none on this grid, or undecided."""

    problem: PlacementProblem
    fine: bool
    left: float
    best: Placement | None = None
    conflict: tuple[ConflictMember, ...] = ()
    suggestions: tuple[str, ...] = ()
    budget: BudgetSpent | None = None
