"""Why a week cannot be placed: the smallest set of rules, sessions and limits that cannot hold together."""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
from ortools.sat.python import cp_model

from services.scheduling.domain.availability import Span, midnight
from services.scheduling.domain.calendar import hours_text, local_time, name_of
from services.scheduling.domain.candidate_starts import Grid, grid_starts
from services.scheduling.domain.placement import Piece, Problem, movable_piece
from services.scheduling.domain.placement_model import PlacementModel, new_solver
from services.scheduling.domain.week_plan import ConflictKind, ConflictMember

_GRID_MINUTES = 60
# Deterministic seconds: assumptions are quick or hopeless; a trial with members fixed is presolved and can be proved.
_ASSUMING_BUDGET = 1.0
_TRIAL_BUDGET = 10.0
# Tried for removal in this order, so that what people can change (rules, fixed sessions) is what is left to name.
_ORDER: tuple[ConflictKind, ...] = ("session", "context", "limit", "availability", "rule", "fixed")

Member = tuple[str, str]


def explain_infeasible(
    zone: ZoneInfo, problem: Problem, spans: Sequence[Span]
) -> tuple[tuple[ConflictMember, ...], tuple[str, ...]]:
    """The minimal conflict and what to relax. Without any one of its members the others can hold together.

    Availability is one member: without it a session may start at any full hour of the week
    too.
    """
    relaxed = _at_any_time(zone, problem, spans)
    model = PlacementModel(relaxed, members=True)
    members = sorted(model.switch, key=lambda m: (_ORDER.index(_kind(m)), m[1]))
    core = _first_core(model, members)
    for member in list(core):
        smaller = [other for other in core if other != member]
        if _cannot_hold(model, smaller):
            core = smaller
    named = sorted(core, key=lambda m: (-_ORDER.index(_kind(m)), m[1]))
    conflict = tuple(ConflictMember(_kind(m), m[1], _message(m, problem, zone, spans)) for m in named)
    return conflict, tuple(_suggestion(m, problem, zone, spans) for m in named if m[0] != "context")


def _kind(member: Member) -> ConflictKind:
    return next(kind for kind in _ORDER if kind == member[0])


def _at_any_time(zone: ZoneInfo, problem: Problem, spans: Sequence[Span]) -> Problem:
    """The same problem with starts outside the windows too, which the member ``availability`` rules out."""
    last_day = problem.week[-1]
    whole = Span(midnight(problem.week[0], zone), midnight(last_day.fromordinal(last_day.toordinal() + 1), zone))
    grid = Grid(_GRID_MINUTES, zone)
    pieces: list[Piece] = []
    for piece in problem.pieces:
        if piece.movable:
            starts = {*piece.starts.tolist(), *grid_starts(whole, 0, grid)}
            piece = movable_piece(piece.session, starts, spans, problem.week, zone)
        pieces.append(piece)
    return replace(problem, pieces=tuple(pieces))


def _first_core(model: PlacementModel, members: Sequence[Member]) -> list[Member]:
    """A subset of ``members`` that cannot hold together, by CP-SAT's assumptions; all of them if it takes too long."""
    model.cp.clear_assumptions()
    model.cp.add_assumptions([model.switch[member] for member in members])
    solver = new_solver(_ASSUMING_BUDGET)
    status = solver.solve(model.cp)
    model.cp.clear_assumptions()
    if status != cp_model.INFEASIBLE:
        return list(members)
    needed = set(solver.sufficient_assumptions_for_infeasibility())
    return [member for member in members if model.switch[member].index in needed] or list(members)


def _cannot_hold(model: PlacementModel, members: Sequence[Member]) -> bool:
    """Whether exactly these members, all others switched off, are proved to be impossible together."""
    on = set(members)
    trial = model.cp.clone()
    for member, literal in model.switch.items():
        same = trial.get_bool_var_from_proto_index(literal.index)
        trial.add_bool_or(same if member in on else ~same)
    solver = new_solver(_TRIAL_BUDGET)
    solver.parameters.linearization_level = 2
    return bool(solver.solve(trial) == cp_model.INFEASIBLE)


def _message(member: Member, problem: Problem, zone: ZoneInfo, spans: Sequence[Span]) -> str:
    kind, name = member
    if kind == "rule":
        rule = next(rule for rule in problem.table.pack.rules if rule.id == name)
        return f"Rule {name}: {rule.title}"
    if kind == "availability":
        total = sum(span.closes - span.opens for span in spans) / 3600
        longest = max(((span.closes - span.opens) / 3600 for span in spans), default=0.0)
        return f"The availability: {hours_text(total)} in {len(spans)} windows, the longest {hours_text(longest)}"
    if kind == "limit":
        return _limit_text(name, problem)
    piece = next(piece for piece in problem.pieces if piece.id == name)
    what = f"{name_of(piece.session)} '{name}' of {hours_text(piece.session.duration_min / 60)}"
    if kind == "session":
        return f"The {what} has to be placed"
    when = local_time(int(piece.starts[0]), zone)
    return f"The {what} {'stands' if kind == 'context' else 'is fixed'} at {when:%a %Y-%m-%d %H:%M}"


def _limit_text(name: str, problem: Problem) -> str:
    if name == "max_sessions_per_day":
        return f"At most {problem.limits.max_sessions_per_day} sessions a day"
    return f"At least {problem.limits.min_rest_days} days of the week without a session"


def _suggestion(member: Member, problem: Problem, zone: ZoneInfo, spans: Sequence[Span]) -> str:
    kind, name = member
    if kind == "rule":
        return f"A coach may relax or override the rule {name} for this athlete, with a reason"
    if kind == "availability":
        return _more_time(problem, spans)
    if kind == "limit":
        limits = problem.limits
        if name == "max_sessions_per_day":
            return f"Allow {limits.max_sessions_per_day + 1} sessions on a day (max_sessions_per_day)"
        return f"Do with {limits.min_rest_days - 1} rest days this week (min_rest_days)"
    piece = next(piece for piece in problem.pieces if piece.id == name)
    if kind == "fixed":
        return f"Move the {name_of(piece.session)} '{name}', or leave out its start and let the planner place it"
    return f"Leave out, shorten or ease the {name_of(piece.session)} '{name}' this week"


def _more_time(problem: Problem, spans: Sequence[Span]) -> str:
    longest = max((span.closes - span.opens for span in spans), default=0)
    too_long = [piece for piece in problem.movable if piece.seconds > longest]
    if too_long:
        needed = hours_text(float(np.max([piece.seconds for piece in too_long])) / 3600)
        return f"Open a window of at least {needed}: no window is long enough for '{too_long[0].id}'"
    return "Open more or other windows in the availability"
