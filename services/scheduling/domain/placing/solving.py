"""Solving a placing problem: the days of least cost, then every session as early in its window as its day allows.

Days and times are solved apart: a small model chooses days at the least that they can cost, a search looks for times
that keep to that. Times found prove the calendar cheapest; where there are none, what stands in the way becomes a
clause of the small model (logic-based Benders decomposition, Hooker & Ottosson 2003).
"""

from collections.abc import Mapping, Sequence

from ortools.sat.python import cp_model

from services.scheduling.domain.placing.budget import WEEK_SECONDS, Budget, OutOfBudget
from services.scheduling.domain.placing.day_model import DayModel
from services.scheduling.domain.placing.day_times import DayTimes, TooManySteps, times_on_days
from services.scheduling.domain.placing.pair_costs import PairTables
from services.scheduling.domain.placing.placement import Placement, PlacementProblem
from services.scheduling.domain.placing.placement_model import PlacementModel
from services.scheduling.domain.placing.preferences import Preferences
from services.scheduling.domain.placing.week_model import WeekModel, new_solver

MAX_CUTS = 60
"""After so many the whole week is solved at once, in one large model."""
_FEW = 56
"""Starts of a session, eight a day, with which a big week is solved at once before it is with all of them."""


def best_placement(
    problem: PlacementProblem,
    preferences: Preferences | None,
    excluded: Sequence[Mapping[str, int]] = (),
    tables: PairTables | None = None,
    max_cuts: int = MAX_CUTS,
) -> Placement | None:
    """The cheapest placement that is none of ``excluded`` (piece -> day); None when there is none.

    ``preferences`` None: any placement will do. ``tables`` holds the budget and may be kept for other problems about
    the same pieces. Deterministic: when the budget is spent the best placement so far is returned, as not optimal;
    raises ``OutOfBudget`` when there is none.
    """
    if any(len(piece.starts) == 0 for piece in problem.pieces):
        return None
    tables = PairTables(Budget(WEEK_SECONDS)) if tables is None else tables
    budget, found = tables.budget, None
    try:
        with budget.part(0.5):
            return _by_days(problem, preferences, excluded, tables, max_cuts)
    except (TooManySteps, OutOfBudget):
        pass
    if any(len(piece.starts) > _FEW for piece in problem.pieces):
        try:
            with budget.part(0.5):
                found = _at_once(problem.thinned(_FEW), preferences, excluded, budget)
        except OutOfBudget:
            pass
    if found is not None:
        found = Placement({p.id: int(p.kept(_FEW)[found.chosen[p.id]]) for p in problem.pieces}, optimal=False)
        if preferences is None:
            return found
    try:
        return _at_once(problem, preferences, excluded, budget, found)
    except OutOfBudget:
        if found is None:
            raise
        return found


def no_days_for(problem: PlacementProblem, budget: Budget) -> bool:
    """Whether the days alone, whatever the times, are too few: seen at a fraction of what the whole week costs."""
    status = _solved(new_solver(budget.left), WeekModel(problem).cp, budget)
    return status == cp_model.INFEASIBLE


def _by_days(
    problem: PlacementProblem,
    preferences: Preferences | None,
    excluded: Sequence[Mapping[str, int]],
    tables: PairTables,
    max_cuts: int,
) -> Placement | None:
    model = DayModel(problem, tables, preferences)
    for days in excluded:
        model.forbid_days(days)
    for _ in range(max_cuts):
        solver = new_solver(tables.budget.left)
        status = _solved(solver, model.cp, tables.budget)
        if status == cp_model.INFEASIBLE:
            return None
        chosen = _times(model, solver, preferences is None)
        if chosen is not None:
            return Placement(chosen, status == cp_model.OPTIMAL)
    raise TooManySteps


def _times(model: DayModel, solver: cp_model.CpSolver, any_will_do: bool) -> dict[str, int] | None:
    """Times for the days that the model chose; None after telling the model what stands in the way."""
    days, granted = model.chosen_days(solver), model.granted(solver)
    times = times_on_days(model.problem, model.tables, days, granted, model.budget)
    chosen: dict[str, int] = {}
    cut = False
    for group in times.groups():
        found = times.earliest(group, any_will_do)
        if found is not None:
            chosen |= found
            continue
        cut = True
        together = times.at_odds(group)
        at_any_cost: DayTimes = times_on_days(model.problem, model.tables, days, None, model.budget)
        never = at_any_cost.earliest(together, any_will_do=True) is None
        model.cut(days, at_any_cost.at_odds(together) if never else together, None if never else granted)
    return None if cut else chosen


def _at_once(
    problem: PlacementProblem,
    preferences: Preferences | None,
    excluded: Sequence[Mapping[str, int]],
    budget: Budget,
    known: Placement | None = None,
) -> Placement | None:
    """In one large model, which goes out from the placement that is ``known``."""
    model = PlacementModel(problem, budget)
    if preferences is not None:
        model.minimize(preferences)
    for days in excluded:
        model.forbid_days(days)
    if known is not None:
        model.hint(known.chosen)
    solver = new_solver(budget.left * 0.7, large=True)
    status = _solved(solver, model.cp, budget)
    if status == cp_model.INFEASIBLE:
        return None
    tidy = new_solver(max(budget.left, 0.01), large=True)
    if tidy.solve(model.as_early_as_possible(solver)) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        tidy = solver
    budget.left -= tidy.response_proto.deterministic_time
    chosen = {
        piece.id: next(k for k, literal in enumerate(model.at[piece.id]) if tidy.boolean_value(literal))
        for piece in problem.pieces
    }
    return Placement(chosen, status == cp_model.OPTIMAL)


def _solved(solver: cp_model.CpSolver, model: cp_model.CpModel, budget: Budget) -> cp_model.CpSolverStatus:
    status = solver.solve(model)
    budget.left -= solver.response_proto.deterministic_time
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.INFEASIBLE):
        raise OutOfBudget
    return status
