"""Which day each session takes, with the least that two days cost two sessions: small, and never dearer than the truth.

Whether times of day exist that keep to these costs is asked of ``day_times``; where they do not, a cut says so.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from ortools.sat.python import cp_model

from services.scheduling.domain.placing.budget import CLAUSE
from services.scheduling.domain.placing.pair_costs import REFUSED, PairCosts, PairTables
from services.scheduling.domain.placing.placement import OTHER_DAY, Piece, PlacementProblem
from services.scheduling.domain.placing.preferences import Preferences
from services.scheduling.domain.placing.week_model import Cost, Literal, WeekModel

Pair = tuple[str, str]


class DayModel(WeekModel):
    """``preferences`` None: only whether the week is possible."""

    def __init__(self, problem: PlacementProblem, tables: PairTables, preferences: Preferences | None) -> None:
        super().__init__(problem)
        self.budget = tables.budget
        self.tables: dict[Pair, PairCosts] = {
            (one.id, other.id): tables.of(problem, one, other, soft=preferences is not None)
            for one, other in problem.pairs()
        }
        self._steps: dict[Pair, list[Literal]] = {}
        cost: Cost = []
        for one, other in problem.pairs():
            cost += self._weigh(one, other)
        for earlier, later in self.twins():
            self._order(earlier.id, later.id)
        if preferences is not None:
            cost += self.week_cost(preferences)
            self.cp.minimize(cp_model.LinearExpr.sum(cost) if cost else 0)

    def _weigh(self, one: Piece, other: Piece) -> Cost:
        """Refuse what no times of two days allow; let the rest cost at least what its best times cost."""
        table = self.tables[one.id, other.id]
        levels = (0, *table.levels)
        steps: list[Literal] = [self.cp.new_bool_var(f"{one.id} {other.id} >= {level}") for level in table.levels]
        self._steps[one.id, other.id] = steps
        for lower, higher in zip(steps, steps[1:], strict=False):
            self.cp.add_implication(higher, lower)
        here, there = self._literals(one), self._literals(other)
        self.budget.spend(CLAUSE * (1 + np.count_nonzero(table.by_day)))
        for i, j in zip(*table.by_day.nonzero(), strict=True):
            least = int(table.by_day[i, j])
            clause = [~here[i], ~there[j]]
            if least < REFUSED:
                clause.append(steps[table.levels.index(least)])
            self.cp.add_bool_or(clause)
        return [(levels[k + 1] - levels[k]) * step for k, step in enumerate(steps)]

    def _literals(self, piece: Piece) -> list[Literal]:
        days = dict.fromkeys(piece.days.tolist())
        return [self.true if day == OTHER_DAY else self.on_day[piece.id][day] for day in days]

    def _order(self, earlier: str, later: str) -> None:
        for day, literal in self.on_day[earlier].items():
            self.cp.add_bool_or([~literal, *(at for other, at in self.on_day[later].items() if other >= day)])

    def chosen_days(self, solver: cp_model.CpSolver) -> dict[str, int]:
        """Per movable piece its day."""
        return {
            piece.id: next(day for day, at in self.on_day[piece.id].items() if solver.boolean_value(at))
            for piece in self.problem.movable
        }

    def granted(self, solver: cp_model.CpSolver) -> dict[Pair, int]:
        """Per pair what it may cost in this solution."""
        return {
            pair: max((level for level, step in zip(self.tables[pair].levels, steps, strict=True)
                       if solver.boolean_value(step)), default=0)
            for pair, steps in self._steps.items()
        }  # fmt: skip

    def cut(self, days: Mapping[str, int], together: Sequence[str], granted: Mapping[Pair, int] | None) -> None:
        """The pieces ``together`` cannot stand on these days unless one of their pairs costs more than ``granted``;
        with None they cannot at all."""
        clause = [~self.on_day[piece][days[piece]] for piece in together if piece in days]
        inside = set(together)
        for pair, steps in self._steps.items() if granted is not None else ():
            if inside.issuperset(pair):
                dearer = [
                    step
                    for level, step in zip(self.tables[pair].levels, steps, strict=True)
                    if granted is not None and level > granted[pair]
                ]
                clause += dearer[:1]
        self.cp.add_bool_or(clause)
