"""Placing a week's sessions: hard rules never broken, soft rules strained as little as can be proved, reasons given."""

from collections.abc import Callable, Mapping, Sequence
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
    duration_seconds,
    entry_of,
    local_time,
    monday_of,
)
from services.scheduling.domain.checking.check import check_week
from services.scheduling.domain.checking.verdict import Verdict
from services.scheduling.domain.conflicts import ask_conflicts, ask_row_limits, decided_by, is_binding
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
from services.scheduling.domain.placing.placement import Piece, PlacementProblem, fixed_piece, movable_piece, week_days
from services.scheduling.domain.placing.preferences import POINT, Preferences, preference_cost
from services.scheduling.domain.placing.solving import Placement, best_placement
from services.scheduling.domain.week_plan import Penalty, PlacedSession, WeekInputs, WeekPlan
from shared.messages.validation import InvalidInput
from shared.messages.values import Limits, PlannedSession, Profile
from shared.rules.athlete_facts import athlete_facts
from shared.rules.decisions import Rules
from shared.rules.model import DecidedBy

_MAX_CANDIDATES = 500
_MAX_AUDITS = 12


class Run(Protocol):
    """Calls a pure, CPU-bound function; a service passes one that takes it off its event loop."""

    def __call__(self, function: Callable[..., Any], /, *arguments: Any) -> Any: ...


def run_here(function: Callable[..., Any], /, *arguments: Any) -> Any:
    return function(*arguments)


def plan_week(inputs: WeekInputs, rules: Rules, run: Run = run_here) -> WeekPlan:
    """Place a week. The same input gives the same calendar, whatever the order of its sessions.

    ``run`` gets the solver's work, which asks no rules and touches nothing shared. Raises ``InvalidInput`` for ids that
    come twice and ``Undecided`` when the solver's budget does not suffice.
    """
    problems = duplicate_ids(inputs.sessions)
    if problems:
        raise InvalidInput(problems)
    settings = rules.settings("sequencing")
    spans = week_spans(inputs, settings)
    strategy = inputs.profile.day_strategy if inputs.profile else None
    preferences = Preferences.from_settings(settings, strategy)
    for fine in (False, True):
        problem = pose(inputs, spans, rules, fine)
        plan = _solve(inputs, problem, spans, rules, preferences, run)
        if plan is not None:
            return plan
    return _infeasible(inputs, problem, spans, settings, run)


def _solve(
    inputs: WeekInputs,
    problem: PlacementProblem,
    spans: Sequence[Span],
    rules: Rules,
    preferences: Preferences,
    run: Run,
) -> WeekPlan | None:
    """The best calendar on the problem's starts; None when there is none."""
    settings = rules.settings("sequencing")
    excluded: list[dict[str, int]] = []
    for _ in range(_MAX_AUDITS):
        best: Placement | None = run(best_placement, problem, preferences, excluded)
        if best is None:
            return None
        verdict = _audit(inputs, problem, best.chosen, rules)
        if verdict.verdict == "accepted":
            return _planned(inputs, problem, best, verdict, spans, settings, preferences)
        # Only a rule about the week as a whole can still object; it does so to the days, so other days are tried.
        excluded.append({p.id: int(p.days[best.chosen[p.id]]) for p in problem.movable})
    return None


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
    own = {session.id for session in inputs.sessions}
    entries = [entry_of(s, inputs.zone) for s in inputs.sessions if s.start is not None]
    entries += [
        entry_of(s, inputs.zone, context=True) for s in inputs.context if s.start is not None and s.id not in own
    ]
    return entries


def pose(inputs: WeekInputs, spans: Sequence[Span], rules: Rules, fine: bool) -> PlacementProblem:
    """The problem on the regular grid, all starts on marks that people like; ``fine`` adds starts to the minute and
    those at which gaps between movable sessions are just kept."""
    settings = rules.settings("sequencing")
    week = week_days(inputs.week_start)
    settled = settled_entries(inputs)
    athlete = athlete_facts(inputs.profile)
    table = ask_conflicts([*inputs.sessions, *(e.session for e in settled if e.context)], athlete, rules)
    mark = 1 if fine else MARK_MINUTES
    grid = Grid(round(settings["planner_grid"]), inputs.zone, mark)
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
        others = [(other, edges[other.id]) for other in movable if other.id != session.id]
        if fine:
            chained = sorted(chained_starts(session, others, table, spans) - starts)
            starts |= set(chained[: max(0, _MAX_CANDIDATES - len(starts))])
        pieces.append(movable_piece(session, starts, spans, week, inputs.zone))
    calendar = [*settled, *(_anywhere(session, inputs) for session in movable)]
    rows = ask_row_limits([e for e in calendar if e.day in week], athlete, rules)
    ordered = tuple(sorted(pieces, key=lambda piece: piece.id))
    return PlacementProblem(ordered, table, week_limits(inputs, settings), week, rows)


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
    return check_week(_placed_sessions(inputs, problem, chosen), profile, rules, problem.limits, inputs.context)


def _planned(
    inputs: WeekInputs,
    problem: PlacementProblem,
    best: Placement,
    verdict: Verdict,
    spans: Sequence[Span],
    settings: Mapping[str, Any],
    preferences: Preferences,
) -> WeekPlan:
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
    cost = round(sum(p.penalty for p in penalties) * POINT) + preference_cost(in_week, preferences)
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
    )


def _piece(problem: PlacementProblem, session: str) -> Piece:
    return next(piece for piece in problem.pieces if piece.id == session)


def _infeasible(
    inputs: WeekInputs, problem: PlacementProblem, spans: Sequence[Span], settings: Mapping[str, Any], run: Run
) -> WeekPlan:
    conflict, suggestions = run(explain_infeasible, inputs.zone, problem, spans)
    named = {member.id for member in conflict if member.kind == "rule"}
    hard_rules = [rule for rule in problem.table.pack.rules if is_binding(rule) and rule.id in named]
    by: tuple[DecidedBy, ...] = tuple(decided_by(problem.table.pack, rule) for rule in hard_rules)
    return WeekPlan(
        "infeasible",
        inputs.week_start,
        (),
        (),
        False,
        None,
        conflict,
        suggestions,
        _notes(inputs, (), settings),
        by,
    )


def _notes(inputs: WeekInputs, verdict_notes: Sequence[str], settings: Mapping[str, Any]) -> tuple[str, ...]:
    notes = list(verdict_notes)
    if inputs.windows is None:
        opens, closes = settings["day_opens"], settings["day_closes"]
        notes.insert(0, f"No availability was given, so every day from {opens} to {closes} was used.")
    if monday_of(inputs.week_start) != inputs.week_start:
        notes.append(f"The week was planned from {inputs.week_start:%A} {inputs.week_start} for seven days.")
    return tuple(notes)
