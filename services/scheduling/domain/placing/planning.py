"""Placing a week's sessions: hard rules never broken, soft rules strained as little as can be proved, reasons given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from services.scheduling.domain.availability import (
    Span,
    default_windows,
    midnight,
    spans_of_week,
)
from services.scheduling.domain.calendar import (
    Entry,
    around_of,
    duplicate_ids,
    duration_seconds,
    entry_of,
    local_time,
)
from services.scheduling.domain.checking.check import check_week
from services.scheduling.domain.checking.verdict import Verdict
from services.scheduling.domain.conflicts import (
    ConflictTable,
    RowLimit,
    ask_conflicts,
    ask_row_limits,
    decided_by,
    is_binding,
)
from services.scheduling.domain.placing.budget import CANDIDATE, WEEK_SECONDS, Budget, OutOfBudget
from services.scheduling.domain.placing.candidate_starts import (
    MARK_MINUTES,
    Grid,
    boundary_starts,
    chained_starts,
    edge_starts,
    grid_starts,
)
from services.scheduling.domain.placing.explaining import reasons
from services.scheduling.domain.placing.infeasibility import explain_infeasible
from services.scheduling.domain.placing.pair_costs import PairTables
from services.scheduling.domain.placing.placement import Piece, PlacementProblem, fixed_piece, movable_piece, week_days
from services.scheduling.domain.placing.preferences import POINT, Preferences, preference_cost
from services.scheduling.domain.placing.solving import Placement, best_placement, no_days_for
from services.scheduling.domain.week_plan import ConflictMember, Penalty, PlacedSession, WeekInputs, WeekPlan
from shared.contract.words import WEEKDAYS, BudgetSpent, WeekStatus
from shared.messages.validation import InvalidInput
from shared.messages.values import Limits, PlannedSession, Profile
from shared.rules.athlete_facts import athlete_facts
from shared.rules.decisions import Rules
from shared.rules.model import DecidedBy

_MAX_CANDIDATES = 500
_MAX_AUDITS = 12
_TO_PLACE = 0.75
"""Of a week's budget; the rest is for saying why it cannot be placed."""


class Run(Protocol):
    """Calls a pure, CPU-bound function; a service passes one that takes it off its event loop.

    It may raise ``OutOfTime``.
    """

    def __call__(self, function: Callable[..., Any], /, *arguments: Any) -> Any: ...


class OutOfTime(RuntimeError):
    """Whoever ran the work ended it: an outer guard against machines so slow that work counts for nothing."""


def run_here(function: Callable[..., Any], /, *arguments: Any) -> Any:
    return function(*arguments)


@dataclass(frozen=True, slots=True)
class Question:
    """A week with all that the rules and the athlete say about it: what is left is arithmetic, wherever it is done."""

    inputs: WeekInputs
    spans: Sequence[Span]
    table: ConflictTable
    rows: tuple[RowLimit, ...]
    limits: Limits
    grid_minutes: int
    preferences: Preferences


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of it on one grid. ``left``: of the week's budget. ``best`` None: none on this grid, or undecided."""

    problem: PlacementProblem
    fine: bool
    left: float
    best: Placement | None = None
    conflict: tuple[ConflictMember, ...] = ()
    suggestions: tuple[str, ...] = ()
    budget: BudgetSpent | None = None


def plan_week(inputs: WeekInputs, rules: Rules, run: Run = run_here, budget_s: float = WEEK_SECONDS) -> WeekPlan:
    """Place a week. The same input gives the same calendar, whatever the order of its sessions and the machine.

    ``run`` gets the work, which asks no rules and touches nothing shared. ``budget_s``: what it may cost (see
    ``Budget``). Raises ``InvalidInput`` for ids that come twice.
    """
    problems = duplicate_ids(inputs.sessions)
    if problems:
        raise InvalidInput(problems)
    settings = rules.settings("sequencing")
    question = ask(inputs, rules)
    excluded: list[dict[str, int]] = []
    fine, left = False, budget_s
    while True:
        try:
            tried: Attempt = run(attempt, question, fine, excluded, left)
        except OutOfTime:
            return _without_calendar(inputs, "undecided", (), (), "out_of_time", settings)
        if tried.best is None:
            status: WeekStatus = "undecided" if tried.budget == "undecided" else "infeasible"
            by = _binding(tried) if status == "infeasible" else ()
            plan = _without_calendar(inputs, status, tried.conflict, tried.suggestions, tried.budget, settings)
            return replace(plan, decided_by=by)
        verdict = _audit(inputs, tried.problem, tried.best.chosen, rules)
        if verdict.verdict == "accepted":
            return _planned(inputs, tried, tried.best, verdict, question, settings)
        # Only a rule about the week as a whole can still object; it does so to the days, so other days are tried.
        excluded = excluded if tried.fine == fine else []
        excluded.append({p.id: int(p.days[tried.best.chosen[p.id]]) for p in tried.problem.movable})
        fine, left = tried.fine, tried.left
        if len(excluded) == _MAX_AUDITS:
            if fine:
                return _without_calendar(inputs, "undecided", (), (), "undecided", settings)
            fine, excluded = True, []


def ask(inputs: WeekInputs, rules: Rules) -> Question:
    """All that is asked of the rules before placing."""
    settings = rules.settings("sequencing")
    week = week_days(inputs.week_start)
    settled = settled_entries(inputs)
    athlete = athlete_facts(inputs.profile)
    table = ask_conflicts([*inputs.sessions, *(e.session for e in settled if e.context)], athlete, rules)
    calendar = [*settled, *(_anywhere(session, inputs) for session in inputs.sessions if session.start is None)]
    rows = ask_row_limits([e for e in calendar if e.day in week], athlete, rules)
    strategy = inputs.profile.day_strategy if inputs.profile else None
    preferences = Preferences.from_settings(settings, strategy)
    spans, limits = week_spans(inputs, settings), week_limits(inputs, settings)
    return Question(inputs, spans, table, rows, limits, round(settings["planner_grid"]), preferences)


def attempt(question: Question, fine: bool, excluded: Sequence[Mapping[str, int]], left: float) -> Attempt:
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


def week_spans(inputs: WeekInputs, settings: Mapping[str, Any]) -> list[Span]:
    windows = default_windows(settings) if inputs.windows is None else inputs.windows
    return spans_of_week(windows, inputs.week_start, inputs.zone)


def week_limits(inputs: WeekInputs, settings: Mapping[str, Any]) -> Limits:
    """The athlete's limits, else the pack's."""
    if inputs.limits is not None:
        return inputs.limits
    names = ("max_sessions_per_day", "min_rest_days")
    return Limits.model_validate({name: round(settings[name]) for name in names if name in settings})


def settled_entries(inputs: WeekInputs) -> list[Entry]:
    """Fixed sessions of the week and the surroundings, on the clock."""
    own = {(inputs.week_start, session.id) for session in inputs.sessions}
    entries = [
        entry_of(s.model_copy(update={"start": s.start.astimezone(inputs.zone), "timezone": None}), inputs.zone)
        for s in inputs.sessions
        if s.start is not None
    ]
    starts_on = WEEKDAYS[inputs.week_start.weekday()]
    return entries + around_of(own, entries, inputs.context, inputs.zone, starts_on)


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


def _anywhere(session: PlannedSession, inputs: WeekInputs) -> Entry:
    """A session on some time of the week, for questions in which the time does not matter."""
    return entry_of(
        session.model_copy(update={"start": local_time(midnight(inputs.week_start, inputs.zone), inputs.zone)}),
        inputs.zone,
    )


def _placed_sessions(inputs: WeekInputs, problem: PlacementProblem, chosen: Mapping[str, int]) -> list[PlannedSession]:
    placed = []
    for piece in problem.pieces:
        if not piece.context:
            start = local_time(int(piece.starts[chosen[piece.id]]), inputs.zone)
            placed.append(piece.session.model_copy(update={"start": start}))
    return placed


def _audit(inputs: WeekInputs, problem: PlacementProblem, chosen: Mapping[str, int], rules: Rules) -> Verdict:
    """The finished calendar, judged once more by the rules themselves."""
    profile = inputs.profile or Profile(timezone=inputs.zone.key)
    context = [piece.session for piece in settled_entries(inputs) if piece.context]
    return check_week(_placed_sessions(inputs, problem, chosen), profile, rules, problem.limits, context)


def _planned(
    inputs: WeekInputs,
    tried: Attempt,
    best: Placement,
    verdict: Verdict,
    question: Question,
    settings: Mapping[str, Any],
) -> WeekPlan:
    problem, spans = tried.problem, question.spans
    entries = {s.id: entry_of(s, inputs.zone) for s in _placed_sessions(inputs, problem, best.chosen)}
    surroundings = [entry for entry in settled_entries(inputs) if entry.context]
    why = reasons(entries, surroundings, problem, verdict, spans, inputs.zone)
    placed = [
        PlacedSession(
            entry.session,
            local_time(entry.starts, inputs.zone),
            local_time(entry.ends, inputs.zone),
            not _piece(problem, entry.id).movable,
            why.lines[entry.id],
        )
        for entry in entries.values()
    ]
    penalties = tuple(
        Penalty(w.rule, w.severity, w.penalty, w.sessions, w.measured, w.limit, w.message) for w in verdict.warnings
    )
    in_week = [entry for entry in (*entries.values(), *surroundings) if entry.day in problem.week]
    cost = round(sum(p.penalty for p in penalties) * POINT) + preference_cost(in_week, question.preferences)
    return WeekPlan(
        "planned",
        inputs.week_start,
        tuple(sorted((*placed, *inputs.settled), key=lambda one: (one.start, one.session.id))),
        penalties,
        best.optimal,
        cost,
        (),
        (),
        _notes(inputs, verdict.notes, settings),
        tuple(dict.fromkeys((*why.decided_by, *verdict.decided_by))),
        tried.budget,
    )


def _piece(problem: PlacementProblem, session: str) -> Piece:
    return next(piece for piece in problem.pieces if piece.id == session)


def _binding(tried: Attempt) -> tuple[DecidedBy, ...]:
    """The hard rules of a conflict."""
    named = {member.id for member in tried.conflict if member.kind == "rule"}
    pack = tried.problem.table.pack
    return tuple(decided_by(pack, rule) for rule in pack.rules if is_binding(rule) and rule.id in named)


def _without_calendar(
    inputs: WeekInputs,
    status: WeekStatus,
    conflict: tuple[ConflictMember, ...],
    suggestions: tuple[str, ...],
    budget: BudgetSpent | None,
    settings: Mapping[str, Any],
) -> WeekPlan:
    notes = _notes(inputs, (), settings)
    return WeekPlan(status, inputs.week_start, (), (), False, None, conflict, suggestions, notes, (), budget)


def _notes(inputs: WeekInputs, verdict_notes: Sequence[str], settings: Mapping[str, Any]) -> tuple[str, ...]:
    notes = list(verdict_notes)
    if inputs.windows is None:
        opens, closes = settings["day_opens"], settings["day_closes"]
        notes.insert(0, f"No availability was given, so every day from {opens} to {closes} was used.")
    profile = inputs.profile or Profile(timezone=inputs.zone.key)
    if profile.week_of(inputs.week_start) != inputs.week_start:
        notes.append(f"The week was planned from {inputs.week_start:%A} {inputs.week_start} for seven days.")
    return tuple(notes)
