"""Placing a week's sessions: hard rules never broken, soft rules strained as little as can be proved, reasons given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from services.scheduling.domain.availability import (
    Span,
    default_windows,
    midnight,
    spans_of_week,
)
from services.scheduling.domain.calendar import (
    Entry,
    duplicate_ids,
    entry_of,
    local_time,
)
from services.scheduling.domain.checking.check import check_week
from services.scheduling.domain.checking.verdict import Verdict
from services.scheduling.domain.conflicts import (
    ask_conflicts,
    ask_row_limits,
    decided_by,
    is_binding,
)
from services.scheduling.domain.placing.budget import WEEK_SECONDS
from services.scheduling.domain.placing.explaining import reasons
from services.scheduling.domain.placing.placement import (
    Attempt,
    Piece,
    Placement,
    PlacementProblem,
    Question,
    settled_entries,
    week_days,
)
from services.scheduling.domain.placing.preferences import POINT, Preferences, preference_cost
from services.scheduling.domain.week_plan import ConflictMember, Penalty, PlacedSession, WeekInputs, WeekPlan
from shared.contract.words import BudgetSpent, WeekStatus
from shared.messages.validation import InvalidInput
from shared.messages.values import Limits, PlannedSession, Profile
from shared.rules.athlete_facts import athlete_facts
from shared.rules.decisions import Rules
from shared.rules.model import DecidedBy

_MAX_AUDITS = 12


class Run(Protocol):
    """Calls a pure, CPU-bound function; a service passes one that takes it off its event loop.

    It may raise ``OutOfTime``.
    """

    def __call__(self, function: Callable[..., Any], /, *arguments: Any) -> Any: ...


class OutOfTime(RuntimeError):
    """Whoever ran the work ended it: an outer guard against machines so slow that work counts for nothing."""


def run_here(function: Callable[..., Any], /, *arguments: Any) -> Any:
    return function(*arguments)


def attempt(question: Question, fine: bool, excluded: Sequence[Mapping[str, int]], left: float) -> Attempt:
    """See ``try_grids``; what loads the solver only where it is called."""
    from services.scheduling.domain.placing.attempting import try_grids

    return try_grids(question, fine, excluded, left)


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


def week_spans(inputs: WeekInputs, settings: Mapping[str, Any]) -> list[Span]:
    windows = default_windows(settings) if inputs.windows is None else inputs.windows
    return spans_of_week(windows, inputs.week_start, inputs.zone)


def week_limits(inputs: WeekInputs, settings: Mapping[str, Any]) -> Limits:
    """The athlete's limits, else the pack's."""
    if inputs.limits is not None:
        return inputs.limits
    names = ("max_sessions_per_day", "min_rest_days")
    return Limits.model_validate({name: round(settings[name]) for name in names if name in settings})


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
