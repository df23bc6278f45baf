"""Solving a placing problem: the days of least cost, then every session as early in its window as its day allows.

Days and times are solved apart: a small model chooses days at the least that they can cost, a search looks for times
that keep to that. Times found prove the calendar cheapest; where there are none, what stands in the way becomes a
clause of the small model (logic-based Benders decomposition, Hooker & Ottosson 2003).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from services.scheduling.domain.placing.day_model import DayModel
from services.scheduling.domain.placing.day_times import DayTimes, TooManySteps, times_on_days
from services.scheduling.domain.placing.pair_costs import PairTables
from services.scheduling.domain.placing.placement import PlacementProblem
from services.scheduling.domain.placing.placement_model import PlacementModel
from services.scheduling.domain.placing.preferences import Preferences
from services.scheduling.domain.placing.week_model import new_solver

_BUDGET = 20.0
"""Deterministic seconds of the solver, about as many of a slow core."""
MAX_CUTS = 60
"""After so many the whole week is solved at once, in one large model."""


class Undecided(RuntimeError):
    """The solver could neither place the week nor prove it impossible within its (deterministic) budget."""


@dataclass(frozen=True, slots=True)
class Placement:
    """``chosen``: index of each piece's start. ``optimal``: proved that no calendar costs less."""

    chosen: Mapping[str, int]
    optimal: bool


def best_placement(
    problem: PlacementProblem,
    preferences: Preferences | None,
    excluded: Sequence[Mapping[str, int]] = (),
    tables: PairTables | None = None,
    max_cuts: int = MAX_CUTS,
) -> Placement | None:
    """The cheapest placement that is none of ``excluded`` (piece -> day); None when there is none.

    ``preferences`` None: any placement will do. ``tables`` may be kept for other problems about the same pieces.
    Deterministic. Raises ``Undecided`` when the budget runs out before any answer.
    """
    if any(len(piece.starts) == 0 for piece in problem.pieces):
        return None
    model = DayModel(problem, PairTables() if tables is None else tables, preferences)
    for days in excluded:
        model.forbid_days(days)
    try:
        for _ in range(max_cuts):
            solver = new_solver(_BUDGET)
            status = _solved(solver, model.cp, problem)
            if status == cp_model.INFEASIBLE:
                return None
            chosen = _times(model, solver, preferences is None)
            if chosen is not None:
                return Placement(chosen, status == cp_model.OPTIMAL)
    except TooManySteps:
        pass
    return _solved_at_once(problem, preferences, excluded)


def _times(model: DayModel, solver: cp_model.CpSolver, any_will_do: bool) -> dict[str, int] | None:
    """Times for the days that the model chose; None after telling the model what stands in the way."""
    days, granted = model.chosen_days(solver), model.granted(solver)
    times = times_on_days(model.problem, model.tables, days, granted)
    chosen: dict[str, int] = {}
    cut = False
    for group in times.groups():
        found = times.earliest(group, any_will_do)
        if found is not None:
            chosen |= found
            continue
        cut = True
        together = times.at_odds(group)
        at_any_cost: DayTimes = times_on_days(model.problem, model.tables, days, None)
        never = at_any_cost.earliest(together, any_will_do=True) is None
        model.cut(days, at_any_cost.at_odds(together) if never else together, None if never else granted)
    return None if cut else chosen


def _solved_at_once(
    problem: PlacementProblem, preferences: Preferences | None, excluded: Sequence[Mapping[str, int]]
) -> Placement | None:
    model = PlacementModel(problem)
    if preferences is not None:
        model.minimize(preferences)
    for days in excluded:
        model.forbid_days(days)
    solver = new_solver(_BUDGET, large=True)
    status = _solved(solver, model.cp, problem)
    if status == cp_model.INFEASIBLE:
        return None
    tidy = new_solver(_BUDGET, large=True)
    if tidy.solve(model.as_early_as_possible(solver)) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        tidy = solver
    chosen = {
        piece.id: next(k for k, literal in enumerate(model.at[piece.id]) if tidy.boolean_value(literal))
        for piece in problem.pieces
    }
    return Placement(chosen, status == cp_model.OPTIMAL)


def _solved(solver: cp_model.CpSolver, model: cp_model.CpModel, problem: PlacementProblem) -> cp_model.CpSolverStatus:
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.INFEASIBLE):
        raise Undecided(f"no calendar for the week of {problem.week[0]} within the solver's budget")
    return status
