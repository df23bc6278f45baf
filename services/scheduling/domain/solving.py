"""Solving a placing problem: least cost first, then every session as early in its window as its day allows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from services.scheduling.domain.placement import Problem
from services.scheduling.domain.placement_model import PlacementModel, new_solver
from services.scheduling.domain.preferences import Preferences

_BUDGET = 20.0
"""Deterministic seconds of the solver, about as many of a slow core."""


class Undecided(RuntimeError):
    """The solver could neither place the week nor prove it impossible within its (deterministic) budget."""


@dataclass(frozen=True, slots=True)
class Placement:
    """``chosen``: index of each piece's start. ``optimal``: proved that no calendar costs less."""

    chosen: Mapping[str, int]
    optimal: bool


def best_placement(
    problem: Problem, preferences: Preferences, excluded: Sequence[Mapping[str, int]] = ()
) -> Placement | None:
    """The cheapest placement that is none of ``excluded`` (piece -> day); None when there is none.

    Deterministic. Raises ``Undecided`` when the budget runs out before any answer.
    """
    if any(len(piece.starts) == 0 for piece in problem.pieces):
        return None
    model = PlacementModel(problem)
    model.minimize(preferences)
    for days in excluded:
        model.forbid_days(days)
    solver = new_solver(_BUDGET)
    status = solver.solve(model.cp)
    if status == cp_model.INFEASIBLE:
        return None
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise Undecided(f"no calendar for the week of {problem.week[0]} within the solver's budget")
    tidy = new_solver(_BUDGET)
    if tidy.solve(model.as_early_as_possible(solver)) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        tidy = solver
    chosen = {
        piece.id: next(k for k, literal in enumerate(model.places[piece.id].at) if tidy.boolean_value(literal))
        if piece.movable
        else 0
        for piece in problem.pieces
    }
    return Placement(chosen, status == cp_model.OPTIMAL)
