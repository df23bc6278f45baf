"""The part of planning that is arithmetic, wherever it is done: starts, solver, explanation. Asks no rules.

Whoever only asks for it need not load the solver, which takes 60 MB; see ``planning.attempt``.
"""

from collections.abc import Mapping, Sequence

from services.scheduling.domain.calendar import duration_seconds
from services.scheduling.domain.placing.budget import CANDIDATE, Budget, OutOfBudget
from services.scheduling.domain.placing.candidate_starts import (
    MARK_MINUTES,
    Grid,
    boundary_starts,
    chained_starts,
    edge_starts,
    grid_starts,
)
from services.scheduling.domain.placing.infeasibility import explain_infeasible
from services.scheduling.domain.placing.pair_costs import PairTables
from services.scheduling.domain.placing.placement import (
    Attempt,
    Piece,
    PlacementProblem,
    Question,
    fixed_piece,
    movable_piece,
    settled_entries,
    week_days,
)
from services.scheduling.domain.placing.solving import best_placement, no_days_for

_MAX_CANDIDATES = 500
_TO_PLACE = 0.75
"""Of a week's budget; the rest is for saying why it cannot be placed."""


def pose(question: Question, fine: bool, budget: Budget) -> PlacementProblem:
    """The problem on the regular grid, all starts on marks that people like; ``fine`` adds starts to the minute and
    those at which gaps between movable sessions are just kept."""
    inputs, spans, table = question.inputs, question.spans, question.table
    week, settled = week_days(inputs.week_start), settled_entries(inputs)
    grid = Grid(question.grid_minutes, inputs.zone, 1 if fine else MARK_MINUTES)
    movable = [session for session in inputs.sessions if session.start is None]
    edges: dict[str, set[int]] = {}
    for session in movable:
        length = duration_seconds(session)
        ends = {t for span in spans for t in edge_starts(span, length, grid)}
        edges[session.id] = ends | boundary_starts(session, settled, table, spans, grid)
    pieces: list[Piece] = [fixed_piece(entry, week) for entry in settled]
    for session in movable:
        length = duration_seconds(session)
        starts = edges[session.id] | {t for span in spans for t in grid_starts(span, length, grid)}
        if fine and len(starts) < _MAX_CANDIDATES:
            others = [(other, edges[other.id]) for other in movable if other.id != session.id]
            chained = sorted(chained_starts(session, others, table, spans) - starts)
            budget.left -= CANDIDATE * sum(len(found) for _, found in others)
            starts |= set(chained[: _MAX_CANDIDATES - len(starts)])
        budget.left -= CANDIDATE * len(starts)
        pieces.append(movable_piece(session, starts, spans, week, inputs.zone))
    ordered = tuple(sorted(pieces, key=lambda piece: piece.id))
    return PlacementProblem(ordered, table, question.limits, week, question.rows)


def try_grids(question: Question, fine: bool, excluded: Sequence[Mapping[str, int]], left: float) -> Attempt:
    """The best calendar on the regular grid, else on the ``fine`` one, else why there is none."""
    budget, spent = Budget(left), False
    problem = pose(question, fine, budget)
    try:
        with budget.part(_TO_PLACE):
            best = best_placement(problem, question.preferences, excluded, PairTables(budget))
            if best is None and not fine:
                problem, fine = pose(question, True, budget), True
                if not no_days_for(problem, budget):
                    best = best_placement(problem, question.preferences, (), PairTables(budget))
            spent = best is not None and not best.optimal
    except OutOfBudget:
        return Attempt(problem, fine, budget.left, budget="undecided")
    if best is not None:
        return Attempt(problem, fine, budget.left, best, budget="not_proved" if spent else None)
    conflict, suggestions, minimal = explain_infeasible(question.inputs.zone, problem, question.spans, budget)
    return Attempt(problem, fine, budget.left, None, conflict, suggestions, None if minimal else "not_minimal")
