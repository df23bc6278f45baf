"""What two sessions at two starts cost each other, and the least of it for every two days."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.scheduling.domain.conflicts import gap_bounds_seconds
from services.scheduling.domain.placing.budget import CELL, PAIR_TABLE, Budget
from services.scheduling.domain.placing.placement import Forbidden, Piece, PlacementProblem
from services.scheduling.domain.placing.preferences import POINT
from shared.rules.model import Conflict

Costs = npt.NDArray[np.int64]
REFUSED = 2**40
"""Dearer than all soft rules together: a hard rule speaks against it, or the two would overlap."""

# Of so few rules each may be a bit of a byte.
_MAX_BITS = 5
_YEARS = 2**29


@dataclass(frozen=True, slots=True, eq=False)
class PairCosts:
    """``ranks``: matrix [start of one, start of other] of places in ``costs``, which ascend from 0 to ``REFUSED``, in
    preference units; mostly a byte each, as there are hundreds of such matrices. ``by_day``: the least cost for every
    two days (in the order of ``Piece.days``)."""

    ranks: npt.NDArray[np.unsignedinteger]
    costs: Costs
    by_day: Costs

    @property
    def levels(self) -> tuple[int, ...]:
        """The costs above 0 that may occur, ascending."""
        return tuple(self.costs[1:-1].tolist())

    def within(self, here: list[int], there: list[int], most: int) -> Forbidden:
        """Which of these starts suit each other at no more than ``most``."""
        dearer = np.searchsorted(self.costs, most, side="right")
        suits: Forbidden = self.ranks[np.ix_(here, there)] < dearer
        return suits


@dataclass(slots=True)
class PairTables:
    """Tables by pair, made when first asked for. One may serve many problems about the same pieces."""

    budget: Budget
    _made: dict[tuple[object, ...], PairCosts] = field(default_factory=dict)

    def of(self, problem: PlacementProblem, one: Piece, other: Piece, soft: bool) -> PairCosts:
        """The costs of two pieces; without ``soft`` only what is refused counts."""
        table = problem.table
        forth, back = table.hard(one.id, other.id), table.hard(other.id, one.id)
        hard_rules = {conflict.rule.id for conflict in (*forth, *back)}
        if soft:
            forth, back = forth + table.soft(one.id, other.id), back + table.soft(other.id, one.id)
        rules = tuple(conflict.rule.id for conflict in (*forth, *back))
        key = (one.id, len(one.starts), other.id, len(other.starts), soft, rules)
        if key not in self._made:
            self.budget.spend(PAIR_TABLE + CELL * len(one.starts) * len(other.starts))
            self._made[key] = _pair_costs(one, other, forth, back, hard_rules)
        return self._made[key]


def _pair_costs(
    one: Piece, other: Piece, forth: tuple[Conflict, ...], back: tuple[Conflict, ...], hard_rules: set[str]
) -> PairCosts:
    # Seconds of some weeks fit into 32 bits, which halves the memory to go through; years away is years away.
    here, there = (np.clip(piece.starts - one.starts[0], -_YEARS, _YEARS).astype(np.int32) for piece in (one, other))
    one_first = there[None, :] - (here[:, None] + np.int32(one.seconds))
    other_first = here[:, None] - (there[None, :] + np.int32(other.seconds))
    same_day = one.day_numbers[:, None] == other.day_numbers[None, :]
    refused: Forbidden = (one_first < 0) & (other_first < 0)
    strained: dict[str, Forbidden] = {}
    penalty: dict[str, int] = {}
    for conflicts, gaps in ((forth, one_first), (back, other_first)):
        for conflict in conflicts:
            matrix = _spoken_against(conflict, gaps, same_day)
            rule = conflict.rule
            if rule.id in hard_rules:
                refused |= matrix
            elif rule.penalty > 0 and matrix.any():
                penalty[rule.id] = round(rule.penalty * POINT)
                strained[rule.id] = strained[rule.id] | matrix if rule.id in strained else matrix
    ranks, costs = _ranked(refused, list(strained.values()), [penalty[rule] for rule in strained])
    return PairCosts(ranks, costs, costs[_least_by_day(ranks, one, other)])


def _spoken_against(conflict: Conflict, gaps: npt.NDArray[np.int32], same_day: Forbidden) -> Forbidden:
    low, high = gap_bounds_seconds(conflict)
    matrix: Forbidden = gaps >= low
    if high != float("inf"):
        matrix &= gaps < high
    if conflict.same_day is not None:
        matrix &= same_day if conflict.same_day else ~same_day
    return matrix


def _ranked(
    refused: Forbidden, strained: Sequence[Forbidden], penalties: Sequence[int]
) -> tuple[npt.NDArray[np.unsignedinteger], Costs]:
    """Ranks and costs of ``PairCosts``."""
    if len(strained) > _MAX_BITS:
        summed = np.where(
            refused, REFUSED, sum(matrix * points for matrix, points in zip(strained, penalties, strict=True))
        )
        costs = np.union1d(summed, [0, REFUSED])
        return np.searchsorted(costs, summed).astype(np.uint32), costs
    # Each rule is strained or not, so only sums of penalties can occur; some of them may not, which does no harm.
    sums = [
        sum(points for bit, points in enumerate(penalties) if 1 << bit & which) for which in range(1 << len(strained))
    ]
    costs = np.array([*sorted(set(sums)), REFUSED], dtype=np.int64)
    which = np.zeros(refused.shape, dtype=np.uint8)
    for bit, matrix in enumerate(strained):
        which |= matrix.view(np.uint8) << np.uint8(bit)
    ranks = np.searchsorted(costs, sums).astype(np.uint8)[which] if strained else which
    ranks[refused] = len(costs) - 1
    return ranks, costs


def _least_by_day(ranks: npt.NDArray[np.unsignedinteger], one: Piece, other: Piece) -> npt.NDArray[np.unsignedinteger]:
    rows = np.minimum.reduceat(ranks, _first_of_each_day(one), axis=0)
    least: npt.NDArray[np.unsignedinteger] = np.minimum.reduceat(rows, _first_of_each_day(other), axis=1)
    return least


def _first_of_each_day(piece: Piece) -> npt.NDArray[np.intp]:
    return np.flatnonzero(np.diff(piece.days, prepend=-2))
