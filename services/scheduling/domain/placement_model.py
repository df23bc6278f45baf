"""The placing problem as a CP-SAT model: one literal per candidate start, order literals for stretches of time.

``reached[k]`` says that a session starts at its k-th candidate or later, so "b must not start in this stretch while a
starts here" is one clause of three literals, whatever the grid.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ortools.sat.python import cp_model

from services.scheduling.domain.calendar import class_facts
from services.scheduling.domain.conflicts import is_binding
from services.scheduling.domain.placement import (
    OTHER_DAY,
    Forbidden,
    Piece,
    Problem,
    overlapping,
    spoken_against,
)
from services.scheduling.domain.preferences import POINT, Preferences
from services.scheduling.domain.week_features import is_demanding, is_hard

Literal = cp_model.BoolVarT


@dataclass(slots=True)
class PiecePlace:
    """The literals of one piece: exactly one of ``at`` holds while ``present`` does."""

    present: Literal
    at: list[Literal]
    reached: list[Literal]
    on_day: dict[int, Literal] = field(default_factory=dict)


class PlacementModel:
    """Variables and hard constraints. With ``members`` every rule, limit and session can be switched off by a literal,
    which is how an infeasible week is explained."""

    def __init__(self, problem: Problem, members: bool = False) -> None:
        self.problem = problem
        self.cp = cp_model.CpModel()
        self.switch: dict[tuple[str, str], cp_model.IntVar] = {}
        self.breakable: list[Literal] = []
        self._members = members
        self._true = self.cp.new_constant(1)
        self.places = {piece.id: self._place(piece) for piece in problem.pieces}
        for one, other in problem.pairs():
            self._forbid(one, other)
        self._limit_days()
        for limit in problem.row_limits:
            if is_binding(limit.rule):
                self._limit_row(limit.days, _not(self.member("rule", limit.rule.id)))
        if not members:
            self._order_twins()

    def member(self, kind: str, name: str) -> Literal:
        """The literal under which a constraint holds; always true unless members can be switched off."""
        if not self._members:
            return self._true
        if (kind, name) not in self.switch:
            self.switch[kind, name] = self.cp.new_bool_var(f"{kind}:{name}")
        return self.switch[kind, name]

    def _place(self, piece: Piece) -> PiecePlace:
        kind = "context" if piece.context else "fixed" if piece.fixed else "session"
        present = self.member(kind, piece.id)
        count = len(piece.starts)
        if count == 1 and not piece.movable:
            place = PiecePlace(present, [present], [present])
        else:
            at: list[Literal] = [self.cp.new_bool_var(f"{piece.id}@{k}") for k in range(count)]
            self.cp.add(cp_model.LinearExpr.sum(at) == present)
            reached: list[Literal] = [present]
            reached += [self.cp.new_bool_var(f"{piece.id}>={k}") for k in range(1, count)]
            for k in range(count):
                later = reached[k + 1] if k + 1 < count else None
                # at[k] <=> reached[k] and not reached[k + 1]
                self.cp.add_implication(at[k], reached[k])
                if later is None:
                    self.cp.add_bool_or(_not(reached[k]), at[k])
                else:
                    self.cp.add_implication(later, reached[k])
                    self.cp.add_bool_or(_not(at[k]), _not(later))
                    self.cp.add_bool_or(_not(reached[k]), later, at[k])
            place = PiecePlace(present, at, reached)
            if piece.outside.any():
                windows = self.member("availability", "availability")
                for k in np.flatnonzero(piece.outside).tolist():
                    self.cp.add_bool_or(_not(at[k]), _not(windows))
        self._mark_days(piece, place)
        return place

    def _mark_days(self, piece: Piece, place: PiecePlace) -> None:
        for day in sorted({int(d) for d in piece.days if d != OTHER_DAY}):
            within = [place.at[k] for k in np.flatnonzero(piece.days == day).tolist()]
            if len(within) == 1:
                place.on_day[day] = within[0]
                continue
            here = self.cp.new_bool_var(f"{piece.id} on {day}")
            self.cp.add(cp_model.LinearExpr.sum(within) == here)
            place.on_day[day] = here

    def _forbid(self, one: Piece, other: Piece) -> None:
        matrices: dict[str, Forbidden] = spoken_against(one, other, self.problem.table, hard=True)
        apart = overlapping(one, other)
        if self._members:
            self._add_clauses(one, other, apart, ())
            for rule, matrix in matrices.items():
                self._add_clauses(one, other, matrix, (_not(self.member("rule", rule)),))
        else:
            union = apart
            for matrix in matrices.values():
                union = union | matrix
            self._add_clauses(one, other, union, ())

    def _add_clauses(self, one: Piece, other: Piece, matrix: Forbidden, unless: tuple[Literal, ...]) -> None:
        """One clause per stretch of forbidden starts; ``unless`` any of these literals holds."""
        if not matrix.any():
            return
        if len(one.starts) > len(other.starts):
            one, other, matrix = other, one, matrix.T
        at, reached = self.places[one.id].at, self.places[other.id].reached
        padded = np.zeros((matrix.shape[0], matrix.shape[1] + 2), dtype=np.int8)
        padded[:, 1:-1] = matrix
        steps = np.diff(padded, axis=1)
        rows, lows = np.nonzero(steps == 1)
        _, highs = np.nonzero(steps == -1)
        for row, low, high in zip(rows.tolist(), lows.tolist(), highs.tolist(), strict=True):
            clause = [_not(at[row]), _not(reached[low]), *unless]
            if high < len(reached):
                clause.append(reached[high])
            self.cp.add_bool_or(clause)

    def _limit_days(self) -> None:
        limits, week = self.problem.limits, self.problem.week
        taken = []
        # What is already settled may be more than the limits allow; then nothing is added to it.
        settled = Counter(
            day for piece in self.problem.pieces if piece.context for day in piece.days.tolist() if day != OTHER_DAY
        )
        for day in range(len(week)):
            here = [place.on_day[day] for place in self.places.values() if day in place.on_day]
            if not here:
                continue
            room = max(limits.max_sessions_per_day, settled[day])
            if len(here) > room:
                holds = self.member("limit", "max_sessions_per_day")
                self.cp.add(cp_model.LinearExpr.sum(here) <= room).only_enforce_if(holds)
            used = self.cp.new_bool_var(f"day {day} used")
            for literal in here:
                self.cp.add_implication(literal, used)
            self.cp.add_bool_or([*here, _not(used)])
            taken.append(used)
        most = max(len(week) - limits.min_rest_days, len(settled))
        if len(taken) > most:
            holds = self.member("limit", "min_rest_days")
            self.cp.add(cp_model.LinearExpr.sum(taken) <= most).only_enforce_if(holds)
            # Follows from the above; said outright, so that too many sessions for the days are seen without search.
            both = [holds, self.member("limit", "max_sessions_per_day")]
            present = [place.present for place in self.places.values() if place.on_day]
            room = most * max(limits.max_sessions_per_day, *settled.values(), 0)
            if len(present) > room:
                self.cp.add(cp_model.LinearExpr.sum(present) <= room).only_enforce_if(both)

    def _order_twins(self) -> None:
        """Sessions that nothing tells apart are placed in the order of their ids: fewer equal calendars to search."""
        last: dict[tuple[object, ...], Piece] = {}
        for piece in self.problem.movable:
            identity = (*class_facts(piece.session).values(), piece.starts.tobytes())
            earlier = last.get(identity)
            if earlier is not None:
                first, then = self.places[earlier.id], self.places[piece.id]
                for k in range(len(piece.starts)):
                    later = [then.reached[k + 1]] if k + 1 < len(then.reached) else []
                    self.cp.add_bool_or([_not(first.at[k]), *later])
            last[identity] = piece

    def forbid_days(self, days: Mapping[str, int]) -> None:
        """Exclude one assignment of sessions to days (a week rule spoke against it)."""
        self.cp.add_bool_or([_not(self.places[piece].on_day[day]) for piece, day in days.items()])

    def minimize(self, preferences: Preferences) -> None:
        """Soft rules first, then the preferences; both in one weighted sum (see ``preferences.POINT``)."""
        cost: list[cp_model.LinearExprT] = []
        penalties = {rule.id: rule.penalty for rule in self.problem.table.pack.rules}
        for one, other in self.problem.pairs():
            for rule, matrix in spoken_against(one, other, self.problem.table, hard=False).items():
                if penalties[rule] > 0:
                    broken = self._breakable(f"{rule}: {one.id} {other.id}")
                    self._add_clauses(one, other, matrix, (broken,))
                    cost.append(round(penalties[rule] * POINT) * broken)
        for limit in self.problem.row_limits:
            if not is_binding(limit.rule) and limit.rule.penalty > 0:
                broken = self._breakable(limit.rule.id)
                self._limit_row(limit.days, broken)
                cost.append(round(limit.rule.penalty * POINT) * broken)
        cost += self._day_costs(preferences)
        self.cp.minimize(cp_model.LinearExpr.sum(cost) if cost else 0)

    def _breakable(self, name: str) -> Literal:
        literal = self.cp.new_bool_var(name)
        self.breakable.append(literal)
        return literal

    def _limit_row(self, days: int, unless: Literal) -> None:
        """No ``days`` demanding days in a row, unless ``unless``; the row may begin before the week."""
        first = self.problem.week[0].toordinal()
        demanding: dict[int, list[Literal]] = {}
        for piece in self.problem.pieces:
            if is_demanding(piece.session):
                place = self.places[piece.id]
                for number in sorted(set(piece.day_numbers.tolist())):
                    inside = place.on_day.get(number - first)
                    demanding.setdefault(number, []).append(place.present if inside is None else inside)
        tired: dict[int, Literal] = {}
        for number, literals in demanding.items():
            tired[number] = self.cp.new_bool_var(f"day {number - first} demanding")
            for literal in literals:
                self.cp.add_implication(literal, tired[number])
        for last in range(first, first + len(self.problem.week)):
            row = [tired[number] for number in range(last - days + 1, last + 1) if number in tired]
            if len(row) == days:
                self.cp.add_bool_or([*(_not(day) for day in row), unless])

    def _day_costs(self, preferences: Preferences) -> list[cp_model.LinearExprT]:
        in_week = [piece for piece in self.problem.pieces if self.places[piece.id].on_day]
        costs: list[cp_model.LinearExprT] = []
        for kind in ("run", "lift", "other"):
            costs += self._beyond_first([p for p in in_week if p.session.kind == kind], preferences.same_kind)
        if preferences.strategy == "spread":
            return costs + self._beyond_first(in_week, preferences.shared_day)
        for day in range(len(self.problem.week)):
            hard = [p for p in in_week if is_hard(p.session) and day in self.places[p.id].on_day]
            if hard:
                counted = self.cp.new_bool_var(f"hard day {day}")
                for piece in hard:
                    self.cp.add_implication(self.places[piece.id].on_day[day], counted)
                costs.append(preferences.hard_day * counted)
        return costs

    def _beyond_first(self, pieces: Sequence[Piece], weight: int) -> list[cp_model.LinearExprT]:
        """``weight`` for each piece beyond the first of its day, as all pieces minus the days they use: in this form
        the solver sees at once how many must share."""
        costs: list[cp_model.LinearExprT] = [weight * len(pieces)]
        for day in range(len(self.problem.week)):
            here = [self.places[p.id].on_day[day] for p in pieces if day in self.places[p.id].on_day]
            if here:
                used = self.cp.new_bool_var("")
                self.cp.add_bool_or([*here, _not(used)])
                costs.append(-weight * used)
        return costs

    def as_early_as_possible(self, solver: cp_model.CpSolver) -> cp_model.CpModel:
        """The second step: the days and the strained rules as solved, each session early in its window."""
        early = self.cp.clone()
        waiting: list[cp_model.LinearExprT] = []
        for literal in self.breakable:
            if not solver.boolean_value(literal):
                early.add_bool_or(_not(early.get_bool_var_from_proto_index(literal.index)))
        for piece in self.problem.movable:
            place = self.places[piece.id]
            for literal in place.on_day.values():
                if solver.boolean_value(literal):
                    early.add_bool_or(early.get_bool_var_from_proto_index(literal.index))
            for wait, at in zip(piece.waits.tolist(), place.at, strict=True):
                chosen = early.get_bool_var_from_proto_index(at.index)
                early.add_hint(chosen, solver.boolean_value(at))
                if wait:
                    waiting.append(wait * chosen)
        early.minimize(cp_model.LinearExpr.sum(waiting) if waiting else 0)
        return early


def new_solver(deterministic_seconds: float) -> cp_model.CpSolver:
    """One worker, a fixed seed and a budget in deterministic time: the same answer on every machine."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = deterministic_seconds
    # Measured on weeks of 7 to 10 sessions: probing and symmetry search cost more than they find.
    solver.parameters.cp_model_probing_level = 0
    solver.parameters.symmetry_level = 0
    return solver


def _not(literal: Literal) -> Literal:
    return ~literal
