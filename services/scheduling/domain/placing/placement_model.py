"""The whole placing problem as one CP-SAT model: a literal per candidate start, order literals for stretches of time.

``reached[k]`` says that a session starts at its k-th candidate or later, so "b must not start in this stretch while a
starts here" is one clause of three literals, whatever the grid.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from services.scheduling.domain.placing.budget import CELL, LARGE_CLAUSE, Budget
from services.scheduling.domain.placing.placement import Forbidden, Piece, PlacementProblem, overlapping, spoken_against
from services.scheduling.domain.placing.preferences import POINT, Preferences
from services.scheduling.domain.placing.week_model import Cost, Literal, WeekModel


class PlacementModel(WeekModel):
    """``at``: per piece the literals of its starts, of which exactly one holds."""

    def __init__(self, problem: PlacementProblem, budget: Budget) -> None:
        super().__init__(problem)
        self._budget = budget
        self.at: dict[str, list[Literal]] = {}
        self._reached: dict[str, list[Literal]] = {}
        self._broken: list[Literal] = []
        for piece in problem.pieces:
            self._place(piece)
        for one, other in problem.pairs():
            union = overlapping(one, other)
            for matrix in spoken_against(one, other, problem.table, hard=True).values():
                union = union | matrix
            self._add_clauses(one, other, union, ())
        for earlier, later in self.twins():
            reached = self._reached[later.id]
            for k, at in enumerate(self.at[earlier.id]):
                self.cp.add_bool_or([~at, *reached[k + 1 : k + 2]])

    def _place(self, piece: Piece) -> None:
        count = len(piece.starts)
        self._budget.spend(LARGE_CLAUSE * count)
        if not piece.movable:
            self.at[piece.id] = self._reached[piece.id] = [self.true]
            return
        at: list[Literal] = [self.cp.new_bool_var(f"{piece.id}@{k}") for k in range(count)]
        reached: list[Literal] = [self.true]
        reached += [self.cp.new_bool_var(f"{piece.id}>={k}") for k in range(1, count)]
        self.cp.add_exactly_one(at)
        for k in range(count):
            # at[k] <=> reached[k] and not reached[k + 1]
            self.cp.add_implication(at[k], reached[k])
            later = reached[k + 1 : k + 2]
            for one in later:
                self.cp.add_implication(one, reached[k])
                self.cp.add_bool_or(~at[k], ~one)
            self.cp.add_bool_or(~reached[k], *later, at[k])
        self.at[piece.id], self._reached[piece.id] = at, reached
        for day, here in self.on_day[piece.id].items():
            within = [at[k] for k in np.flatnonzero(piece.days == day).tolist()]
            self.cp.add(cp_model.LinearExpr.sum(within) == here)

    def _add_clauses(self, one: Piece, other: Piece, matrix: Forbidden, unless: tuple[Literal, ...]) -> None:
        """One clause per stretch of forbidden starts; ``unless`` any of these literals holds."""
        self._budget.spend(CELL * matrix.size)
        if not matrix.any():
            return
        if len(one.starts) > len(other.starts):
            one, other, matrix = other, one, matrix.T
        at, reached = self.at[one.id], self._reached[other.id]
        padded = np.zeros((matrix.shape[0], matrix.shape[1] + 2), dtype=np.int8)
        padded[:, 1:-1] = matrix
        steps = np.diff(padded, axis=1)
        rows, lows = np.nonzero(steps == 1)
        _, highs = np.nonzero(steps == -1)
        self._budget.spend(LARGE_CLAUSE * len(rows))
        for row, low, high in zip(rows.tolist(), lows.tolist(), highs.tolist(), strict=True):
            clause = [~at[row], ~reached[low], *unless]
            if high < len(reached):
                clause.append(reached[high])
            self.cp.add_bool_or(clause)

    def minimize(self, preferences: Preferences) -> None:
        """Soft rules first, then the preferences; both in one weighted sum (see ``preferences.POINT``)."""
        cost: Cost = []
        penalties = {rule.id: rule.penalty for rule in self.problem.table.pack.rules}
        for one, other in self.problem.pairs():
            for rule, matrix in spoken_against(one, other, self.problem.table, hard=False).items():
                if penalties[rule] > 0:
                    broken = self.cp.new_bool_var(f"{rule}: {one.id} {other.id}")
                    self._broken.append(broken)
                    self._add_clauses(one, other, matrix, (broken,))
                    cost.append(round(penalties[rule] * POINT) * broken)
        cost += self.week_cost(preferences)
        self.cp.minimize(cp_model.LinearExpr.sum(cost) if cost else 0)

    def hint(self, chosen: Mapping[str, int]) -> None:
        """A placement to go out from."""
        for piece in self.problem.movable:
            for k, (at, reached) in enumerate(zip(self.at[piece.id], self._reached[piece.id], strict=True)):
                self.cp.add_hint(at, k == chosen[piece.id])
                if k:
                    self.cp.add_hint(reached, k <= chosen[piece.id])

    def as_early_as_possible(self, solver: cp_model.CpSolver) -> cp_model.CpModel:
        """The second step: the days and the strained rules as solved, each session early in its window."""
        early: Any = self.cp.clone()
        early.clear_hints()
        waiting: Cost = []
        for literal in self._broken:
            if not solver.boolean_value(literal):
                early.add_bool_or(~early.get_bool_var_from_proto_index(literal.index))
        for piece in self.problem.movable:
            for literal in self.on_day[piece.id].values():
                if solver.boolean_value(literal):
                    early.add_bool_or(early.get_bool_var_from_proto_index(literal.index))
            for wait, at in zip(piece.waits.tolist(), self.at[piece.id], strict=True):
                chosen = early.get_bool_var_from_proto_index(at.index)
                early.add_hint(chosen, solver.boolean_value(at))
                if wait:
                    waiting.append(wait * chosen)
        early.minimize(cp_model.LinearExpr.sum(waiting) if waiting else 0)
        model: cp_model.CpModel = early
        return model
