"""What two sessions at two starts cost each other, and the least of it for every two days."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.scheduling.domain.conflicts import gap_bounds_seconds
from services.scheduling.domain.placing.budget import CELL, PAIR_TABLE, Budget
from services.scheduling.domain.placing.placement import Forbidden, Piece, PlacementProblem
from services.scheduling.domain.placing.preferences import POINT
from shared.rules.model import Conflict

Costs = npt.NDArray[np.int32] | npt.NDArray[np.uint8]
REFUSED = 2**31 - 1
"""Dearer than all soft rules together: a hard rule speaks against it, or the two would overlap."""

# Sums of so few penalties are counted out faster than the matrix can be searched for them.
_MAX_SUMMED = 5
_YEARS = 2**29
_ALLOWED = 254


@dataclass(frozen=True, slots=True, eq=False)
class PairCosts:
    """``costs``: matrix [start of one, start of other] in preference units; bytes of 0 and 255 where a rule only allows
    or refuses. ``by_day``: its least value for every two days (in the order of ``Piece.days``); ``levels``: the costs
    above 0 that may occur, ascending."""

    costs: Costs
    by_day: Costs
    levels: tuple[int, ...]

    def within(self, here: list[int], there: list[int], most: int) -> Forbidden:
        """Which of these starts suit each other at no more than ``most``."""
        least = min(most, _ALLOWED) if self.costs.dtype == np.uint8 else most
        suits: Forbidden = self.costs[np.ix_(here, there)] <= least
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
    if not strained:
        # A byte for each cell: conflicts are searched for in hundreds of such tables.
        either = refused.view(np.uint8) * np.uint8(_ALLOWED + 1)
        return PairCosts(either, np.where(_least_by_day(either, one, other) > 0, REFUSED, 0), ())
    costs, levels = _summed(refused, strained, penalty)
    return PairCosts(costs, _least_by_day(costs, one, other), levels)


def _spoken_against(conflict: Conflict, gaps: npt.NDArray[np.int32], same_day: Forbidden) -> Forbidden:
    low, high = gap_bounds_seconds(conflict)
    matrix: Forbidden = gaps >= low
    if high != float("inf"):
        matrix &= gaps < high
    if conflict.same_day is not None:
        matrix &= same_day if conflict.same_day else ~same_day
    return matrix


def _summed(
    refused: Forbidden, strained: Mapping[str, Forbidden], penalty: Mapping[str, int]
) -> tuple[Costs, tuple[int, ...]]:
    costs = np.zeros(refused.shape, dtype=np.int32)
    dearest = (REFUSED - 1) // max(len(penalty), 1)
    penalty = {rule: min(points, dearest) for rule, points in penalty.items()}
    for rule, matrix in strained.items():
        costs += matrix * np.int32(penalty[rule])
    costs[refused] = REFUSED
    if len(penalty) > _MAX_SUMMED:
        return costs, tuple(level for level in np.unique(costs).tolist() if 0 < level < REFUSED)
    # Each rule is strained or not, so only sums of penalties can occur; some of them may not, which does no harm.
    levels = {0}
    for rule in strained:
        levels |= {level + penalty[rule] for level in levels}
    return costs, tuple(sorted(levels - {0}))


def _least_by_day(costs: Costs, one: Piece, other: Piece) -> Costs:
    rows = np.minimum.reduceat(costs, _first_of_each_day(one), axis=0)
    return np.asarray(np.minimum.reduceat(rows, _first_of_each_day(other), axis=1), dtype=np.int32)


def _first_of_each_day(piece: Piece) -> npt.NDArray[np.intp]:
    return np.flatnonzero(np.diff(piece.days, prepend=-2))
