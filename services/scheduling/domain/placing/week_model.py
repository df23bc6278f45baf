"""What a week's days decide, as a CP-SAT model: limits, rows of demanding days, and the cost of sharing days."""

from collections import Counter
from collections.abc import Mapping, Sequence

from ortools.sat.python import cp_model

from services.scheduling.domain.calendar import class_facts
from services.scheduling.domain.conflicts import is_binding
from services.scheduling.domain.placing.placement import OTHER_DAY, Piece, PlacementProblem
from services.scheduling.domain.placing.preferences import POINT, Preferences, is_midweek
from services.scheduling.domain.week_features import is_demanding, is_hard
from shared.contract.sessions import KINDS

Literal = cp_model.BoolVarT
Cost = list[cp_model.LinearExprT]


class WeekModel:
    """``on_day``: per piece and day of the week the literal that the piece stands there (exactly one holds)."""

    def __init__(self, problem: PlacementProblem) -> None:
        self.problem = problem
        self.cp = cp_model.CpModel()
        self.true = self.cp.new_constant(1)
        self.on_day: dict[str, dict[int, Literal]] = {piece.id: self._days_of(piece) for piece in problem.pieces}
        self._limit_days()
        for limit in problem.row_limits:
            if is_binding(limit.rule):
                self._limit_row(limit.days, ~self.true)

    def forbid_days(self, days: Mapping[str, int]) -> None:
        """Exclude one assignment of sessions to days (a week rule spoke against it)."""
        self.cp.add_bool_or([~self.on_day[piece][day] for piece, day in days.items()])

    def week_cost(self, preferences: Preferences) -> Cost:
        """Soft rules about rows of days, then the preferences (see ``preferences.POINT``)."""
        cost: Cost = []
        for limit in self.problem.row_limits:
            if not is_binding(limit.rule) and limit.rule.penalty > 0:
                broken = self.cp.new_bool_var(limit.rule.id)
                self._limit_row(limit.days, broken)
                cost.append(round(limit.rule.penalty * POINT) * broken)
        return cost + self._day_costs(preferences)

    def twins(self) -> list[tuple[Piece, Piece]]:
        """Neighbours among sessions that nothing tells apart: placed in the order of their ids, there are fewer equal
        calendars to search."""
        last: dict[tuple[object, ...], Piece] = {}
        found = []
        for piece in self.problem.movable:
            identity = (*class_facts(piece.session).values(), piece.starts.tobytes())
            if identity in last:
                found.append((last[identity], piece))
            last[identity] = piece
        return found

    def _days_of(self, piece: Piece) -> dict[int, Literal]:
        days = [day for day in sorted(set(piece.days.tolist())) if day != OTHER_DAY]
        if not piece.movable:
            return dict.fromkeys(days, self.true)
        literals: dict[int, Literal] = {day: self.cp.new_bool_var(f"{piece.id} on {day}") for day in days}
        self.cp.add_exactly_one(list(literals.values()))
        return literals

    def _limit_days(self) -> None:
        limits, week = self.problem.limits, self.problem.week
        taken = []
        # What is already settled may be more than the limits allow; then nothing is added to it.
        settled = Counter(
            day for piece in self.problem.pieces if piece.context for day in piece.days.tolist() if day != OTHER_DAY
        )
        for day in range(len(week)):
            here = [days[day] for days in self.on_day.values() if day in days]
            if not here:
                continue
            room = max(limits.max_sessions_per_day, settled[day])
            if len(here) > room:
                self.cp.add(cp_model.LinearExpr.sum(here) <= room)
            used = self.cp.new_bool_var(f"day {day} used")
            for literal in here:
                self.cp.add_implication(literal, used)
            self.cp.add_bool_or([*here, ~used])
            taken.append(used)
        most = max(len(week) - limits.min_rest_days, len(settled))
        if len(taken) > most:
            self.cp.add(cp_model.LinearExpr.sum(taken) <= most)
            # Follows from the above; said outright, so that too many sessions for the days are seen without search.
            if sum(1 for days in self.on_day.values() if days) > most * max(
                limits.max_sessions_per_day, *settled.values(), 0
            ):
                self.cp.add_bool_or([~self.true])

    def _limit_row(self, days: int, unless: Literal) -> None:
        """No ``days`` demanding days in a row, unless ``unless``; the row may begin before the week."""
        first = self.problem.week[0].toordinal()
        demanding: dict[int, list[Literal]] = {}
        for piece in self.problem.pieces:
            if is_demanding(piece.session):
                # Days too long ago for any row to reach the week are left out, so that they change nothing.
                for number in sorted({n for n in piece.day_numbers.tolist() if n > first - days}):
                    inside = self.on_day[piece.id].get(number - first)
                    demanding.setdefault(number, []).append(self.true if inside is None else inside)
        tired: dict[int, Literal] = {}
        for number, literals in demanding.items():
            tired[number] = self.cp.new_bool_var(f"day {number - first} demanding")
            for literal in literals:
                self.cp.add_implication(literal, tired[number])
        for last in range(first, first + len(self.problem.week)):
            row = [tired[number] for number in range(last - days + 1, last + 1) if number in tired]
            if len(row) == days:
                self.cp.add_bool_or([*(~day for day in row), unless])

    def _day_costs(self, preferences: Preferences) -> Cost:
        in_week = [piece for piece in self.problem.pieces if self.on_day[piece.id]]
        costs: Cost = []
        for kind in KINDS:
            costs += self._beyond_first([p for p in in_week if p.session.kind == kind], preferences.same_kind)
        for piece in in_week:
            for day, here in self.on_day[piece.id].items():
                if piece.session.type == "long" and is_midweek(self.problem.week[day]):
                    costs.append(preferences.long_run_midweek * here)
        if preferences.strategy == "spread":
            return costs + self._beyond_first(in_week, preferences.shared_day)
        for day in range(len(self.problem.week)):
            hard = [p for p in in_week if is_hard(p.session) and day in self.on_day[p.id]]
            if hard:
                counted = self.cp.new_bool_var(f"hard day {day}")
                for piece in hard:
                    self.cp.add_implication(self.on_day[piece.id][day], counted)
                costs.append(preferences.hard_day * counted)
        return costs

    def _beyond_first(self, pieces: Sequence[Piece], weight: int) -> Cost:
        """``weight`` for each piece beyond the first of its day, as all pieces minus the days they use: in this form
        the solver sees at once how many must share."""
        costs: Cost = [weight * len(pieces)]
        for day in range(len(self.problem.week)):
            here = [self.on_day[p.id][day] for p in pieces if day in self.on_day[p.id]]
            if here:
                used = self.cp.new_bool_var("")
                self.cp.add_bool_or([*here, ~used])
                costs.append(-weight * used)
        return costs


def new_solver(deterministic_seconds: float, large: bool = False) -> cp_model.CpSolver:
    """One worker, a fixed seed and a budget in deterministic time: the same answer on every machine.

    ``large``: for a model with a literal per start.
    """
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = deterministic_seconds
    # Measured on 100 weeks of 7 to 10 random sessions: cores without presolve took 20 ms in the median, 0.4 s at most;
    # the default search with the fullest linear relaxation 45 ms and 1.7 s.
    if large:
        solver.parameters.cp_model_probing_level = 0
        solver.parameters.symmetry_level = 0
    else:
        solver.parameters.optimize_with_core = True
        solver.parameters.linearization_level = 0
        solver.parameters.cp_model_presolve = False
    return solver
