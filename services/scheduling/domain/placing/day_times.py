"""The times of a week whose days are settled: every session as early in its window as the others let it.

A plain search over bit sets: with the days given, few sessions touch each other, and each has some thirty starts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.scheduling.domain.placing.budget import CELL, PAIR_TABLE, STEP, Budget
from services.scheduling.domain.placing.pair_costs import REFUSED, PairCosts
from services.scheduling.domain.placing.placement import Forbidden, PlacementProblem

_MAX_STEPS = 20_000
"""Steps of one search; more only for a week that is to be searched in another way."""


class TooManySteps(RuntimeError):
    """The search ended before it found any times or could rule them out."""


@dataclass(slots=True)
class DayTimes:
    """The starts that each piece has on its day (most welcome first), and which of them suit which of another."""

    budget: Budget
    starts: dict[str, list[int]] = field(default_factory=dict)
    waits: dict[str, list[int]] = field(default_factory=dict)
    suits: dict[str, dict[str, list[int]]] = field(default_factory=dict)

    def groups(self) -> list[list[str]]:
        """Pieces that depend on each other, directly or through others."""
        found: list[list[str]] = []
        seen: set[str] = set()
        for name in self.starts:
            if name in seen:
                continue
            group, waiting = [], [name]
            seen.add(name)
            while waiting:
                group.append(waiting.pop())
                fresh = [other for other in self.suits[group[-1]] if other not in seen]
                seen.update(fresh)
                waiting += fresh
            found.append(sorted(group))
        return found

    def earliest(self, group: Sequence[str], any_will_do: bool = False) -> dict[str, int] | None:
        """Index of each piece's start with the least sum of waits; None when none suit. ``any_will_do``: the first
        found."""
        search = _Search(self, any_will_do)
        search.place({}, {name: (1 << len(self.starts[name])) - 1 for name in group}, 0)
        self.budget.spend(STEP * max(search.steps, 1))
        if search.best is None:
            if search.steps > _MAX_STEPS:
                raise TooManySteps
            return None
        return {name: self.starts[name][at] for name, at in search.best.items()}

    def at_odds(self, group: Sequence[str]) -> list[str]:
        """Pieces of a group without times that have none among themselves; without any one of them there are."""
        rest = list(group)
        for name in group:
            fewer = [other for other in rest if other != name]
            if self.earliest(fewer, any_will_do=True) is None:
                rest = fewer
        return rest


class _Search:
    def __init__(self, times: DayTimes, any_will_do: bool) -> None:
        self.times, self.any_will_do = times, any_will_do
        self.best: dict[str, int] | None = None
        self.least = 0
        self.steps = 0

    def place(self, placed: dict[str, int], open_: dict[str, int], waited: int) -> None:
        """Places the pieces still ``open_`` (bits = starts left), the one with the fewest starts first."""
        if not open_:
            if self.best is None or waited < self.least:
                self.best, self.least = dict(placed), waited
            return
        name = min(open_, key=lambda one: (open_[one].bit_count(), one))
        left = open_[name]
        while left:
            bit = left & -left
            left ^= bit
            at = bit.bit_length() - 1
            self.steps += 1
            if self.steps > _MAX_STEPS or (self.best is not None and self.any_will_do):
                return
            rest = self._rest(name, at, open_)
            if rest is None:
                continue
            so_far = waited + self.times.waits[name][at]
            if self.best is not None and so_far + self._least(rest) >= self.least:
                continue
            placed[name] = at
            self.place(placed, rest, so_far)
            del placed[name]

    def _rest(self, name: str, at: int, open_: dict[str, int]) -> dict[str, int] | None:
        suits = self.times.suits[name]
        rest = {}
        for other, bits in open_.items():
            if other != name:
                if other in suits:
                    bits &= suits[other][at]
                    if not bits:
                        return None
                rest[other] = bits
        return rest

    def _least(self, open_: dict[str, int]) -> int:
        return sum(self.times.waits[name][(bits & -bits).bit_length() - 1] for name, bits in open_.items())


def times_on_days(
    problem: PlacementProblem,
    tables: Mapping[tuple[str, str], PairCosts],
    days: Mapping[str, int],
    granted: Mapping[tuple[str, str], int] | None,
    budget: Budget,
) -> DayTimes:
    """The starts on these days, and which suit each other: at no more than ``granted`` (None: at any cost but a hard
    rule)."""
    times = DayTimes(budget)
    for piece in problem.pieces:
        here = np.flatnonzero(piece.days == days[piece.id]) if piece.movable else np.zeros(1, dtype=np.intp)
        order = here[np.lexsort((piece.starts[here], piece.waits[here]))]
        times.starts[piece.id] = order.tolist()
        times.waits[piece.id] = piece.waits[order].tolist()
        times.suits[piece.id] = {}
    for one, other in problem.pairs():
        most = REFUSED - 1 if granted is None else granted[one.id, other.id]
        suits = tables[one.id, other.id].within(times.starts[one.id], times.starts[other.id], most)
        budget.spend(PAIR_TABLE / 10 + CELL * suits.size)
        if not suits.all():
            times.suits[one.id][other.id] = _bit_sets(suits)
            times.suits[other.id][one.id] = _bit_sets(suits.T)
    return times


def _bit_sets(rows: Forbidden) -> list[int]:
    packed = np.packbits(rows, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]
