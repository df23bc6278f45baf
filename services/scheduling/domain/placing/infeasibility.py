"""Why a week cannot be placed: the smallest set of rules, sessions and limits that cannot hold together."""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from services.scheduling.domain.availability import Span, midnight
from services.scheduling.domain.calendar import hours_text, local_time, name_of
from services.scheduling.domain.conflicts import is_binding
from services.scheduling.domain.placing.budget import CANDIDATE, Budget, OutOfBudget
from services.scheduling.domain.placing.candidate_starts import Grid, grid_starts
from services.scheduling.domain.placing.pair_costs import PairTables
from services.scheduling.domain.placing.placement import Piece, PlacementProblem, movable_piece
from services.scheduling.domain.placing.solving import best_placement, no_days_for
from services.scheduling.domain.week_plan import ConflictKind, ConflictMember

_GRID_MINUTES = 60
_TOO_LITTLE = 0.02
"""Deterministic seconds of which nothing would come."""
_OF_WHAT_IS_LEFT = 0.5
"""Of the budget, what one trial may take: a hard one must not leave nothing for the others."""
_NO_LIMITS = {"max_sessions_per_day": 1000, "min_rest_days": 0}
# Tried for removal in this order: a conflict with fewer rules names fewer sessions too, and what people can change most
# easily (limits, availability, fixed sessions) is what is left to name.
_ORDER: tuple[ConflictKind, ...] = ("rule", "session", "context", "limit", "availability", "fixed")

Member = tuple[str, str]


def explain_infeasible(
    zone: ZoneInfo, problem: PlacementProblem, spans: Sequence[Span], budget: Budget
) -> tuple[tuple[ConflictMember, ...], tuple[str, ...], bool]:
    """The minimal conflict, what to relax, and True. Without any one of its members the others can hold together.

    Availability is one member: without it a session may start at any full hour of the week too. When the budget is
    spent, what was not tried stays in the conflict, and False says so.
    """
    trials = _Trials(problem, _at_any_time(zone, problem, spans, budget), budget)
    members = sorted(trials.members(), key=lambda m: (_ORDER.index(_kind(m)), m[1]))
    core = _minimal(trials, [], members)
    named = sorted(core, key=lambda m: (-_ORDER.index(_kind(m)), m[1]))
    conflict = tuple(ConflictMember(_kind(m), m[1], _message(m, problem, zone, spans)) for m in named)
    return conflict, tuple(_suggestion(m, problem, zone, spans) for m in named if m[0] != "context"), not trials.stopped


def _minimal(trials: "_Trials", kept: Sequence[Member], doubted: Sequence[Member]) -> list[Member]:
    """The members of ``doubted`` without which the rest, ``kept`` included, could hold: what is left when each is left
    out in turn, found by leaving out halves."""
    if trials.cannot_hold(kept):
        return []
    if len(doubted) == 1:
        return list(doubted)
    half = len(doubted) // 2
    first, then = doubted[:half], doubted[half:]
    needed = _minimal(trials, [*kept, *then], first)
    return needed + _minimal(trials, [*kept, *needed], then)


class _Trials:
    """The week with only some of its members in force: whether it can be placed then."""

    def __init__(self, problem: PlacementProblem, any_time: PlacementProblem, budget: Budget) -> None:
        self._problem, self._any_time = problem, any_time
        self._tables = PairTables(budget)
        self._hold: list[set[Member]] = [set()]
        self.stopped = False

    def members(self) -> set[Member]:
        rules = {limit.rule.id for limit in self._problem.row_limits if is_binding(limit.rule)}
        for one, other in self._problem.pairs():
            for conflict in (*self._problem.table.hard(one.id, other.id), *self._problem.table.hard(other.id, one.id)):
                rules.add(conflict.rule.id)
        found = {(_piece_kind(piece), piece.id) for piece in self._problem.pieces}
        found |= {("rule", rule) for rule in rules}
        return found | {("limit", name) for name in _NO_LIMITS} | {("availability", "availability")}

    def cannot_hold(self, members: Sequence[Member]) -> bool:
        """Whether exactly these members, all others left out, are proved to be impossible together."""
        on = set(members)
        if any(on <= together for together in self._hold):
            return False
        budget = self._tables.budget
        if budget.left < _TOO_LITTLE:
            self.stopped = True
            return False
        rules = {name for kind, name in on if kind == "rule"}
        given = self._problem if ("availability", "availability") in on else self._any_time
        limits = {
            name: getattr(given.limits, name) if ("limit", name) in on else least for name, least in _NO_LIMITS.items()
        }
        trial = PlacementProblem(
            tuple(piece for piece in given.pieces if (_piece_kind(piece), piece.id) in on),
            given.table.only(rules),
            given.limits.model_copy(update=limits),
            given.week,
            tuple(limit for limit in given.row_limits if limit.rule.id in rules),
        )
        try:
            if any(kind == "limit" for kind, _ in on) and no_days_for(trial, budget):
                return True
            with budget.part(_OF_WHAT_IS_LEFT):
                if best_placement(trial, None, tables=self._tables) is None:
                    return True
        except OutOfBudget:
            self.stopped = True
            return False
        self._hold.append(on)
        return False


def _kind(member: Member) -> ConflictKind:
    return next(kind for kind in _ORDER if kind == member[0])


def _at_any_time(zone: ZoneInfo, problem: PlacementProblem, spans: Sequence[Span], budget: Budget) -> PlacementProblem:
    """The same problem with starts outside the windows too, which the member ``availability`` rules out."""
    last_day = problem.week[-1]
    whole = Span(midnight(problem.week[0], zone), midnight(last_day.fromordinal(last_day.toordinal() + 1), zone))
    grid = Grid(_GRID_MINUTES, zone)
    pieces: list[Piece] = []
    for piece in problem.pieces:
        if piece.movable:
            budget.left -= CANDIDATE * len(piece.starts)
            starts = {*piece.starts.tolist(), *grid_starts(whole, 0, grid)}
            piece = movable_piece(piece.session, starts, spans, problem.week, zone)
        pieces.append(piece)
    return replace(problem, pieces=tuple(pieces))


def _piece_kind(piece: Piece) -> ConflictKind:
    return "context" if piece.context else "fixed" if piece.fixed else "session"


def _message(member: Member, problem: PlacementProblem, zone: ZoneInfo, spans: Sequence[Span]) -> str:
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


def _limit_text(name: str, problem: PlacementProblem) -> str:
    if name == "max_sessions_per_day":
        return f"At most {problem.limits.max_sessions_per_day} sessions a day"
    return f"At least {problem.limits.min_rest_days} days of the week without a session"


def _suggestion(member: Member, problem: PlacementProblem, zone: ZoneInfo, spans: Sequence[Span]) -> str:
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


def _more_time(problem: PlacementProblem, spans: Sequence[Span]) -> str:
    longest = max((span.closes - span.opens for span in spans), default=0)
    too_long = [piece for piece in problem.movable if piece.seconds > longest]
    if too_long:
        needed = hours_text(float(np.max([piece.seconds for piece in too_long])) / 3600)
        return f"Open a window of at least {needed}: no window is long enough for '{too_long[0].id}'"
    return "Open more or other windows in the availability"
