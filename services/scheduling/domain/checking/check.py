"""Checking a calendar that somebody proposes: each hard rule it breaks, each soft one it strains, the way out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from services.scheduling.domain.calendar import (
    UNTAGGED,
    Entry,
    by_week,
    class_facts,
    entries_of,
    gap_hours,
    hours_text,
    name_of,
    pair_facts,
)
from services.scheduling.domain.checking.day_limits import REST_DAYS, limit_findings
from services.scheduling.domain.checking.legal_start import Surroundings, nearest_legal, spans_around
from services.scheduling.domain.checking.verdict import MAX_TOLD, Finding, LegalStart, Verdict
from services.scheduling.domain.conflicts import (
    ConflictTable,
    ask_conflicts,
    decided_by,
    is_binding,
    pair_horizon_hours,
)
from services.scheduling.domain.week_features import week_facts
from shared.contract.words import DEFAULT_WEEK_START, Severity, WeekStart
from shared.messages.values import Limits, PlannedSession, Profile, Window
from shared.rules.athlete_facts import athlete_facts
from shared.rules.decisions import Rules
from shared.rules.model import DecidedBy, Facts, Fired, told_apart

OVERLAP = "overlap"


@dataclass(frozen=True, slots=True)
class _Calendar:
    entries: list[Entry]
    table: ConflictTable
    zone: ZoneInfo | None
    starts_on: WeekStart
    limits: Limits | None
    windows: Sequence[Window] | None


def check_week(
    sessions: Sequence[PlannedSession],
    profile: Profile | None,
    rules: Rules,
    limits: Limits | None = None,
    context: Sequence[PlannedSession] = (),
    windows: Sequence[Window] | None = None,
) -> Verdict:
    """Judge a calendar of any number of days; every session needs a start, in any order.

    ``context``: sessions that are already settled (done, or in neighbouring weeks): rules look at them, but findings
    always name a session of the proposal. ``limits`` None = none were set. ``windows``: where the nearest legal start
    has to lie; None = anywhere. Raises ``InvalidInput`` for a session without start and for ids that come twice.
    """
    calendar = _calendar(sessions, profile, rules, limits, context, windows)
    entries, table, athlete = calendar.entries, calendar.table, athlete_facts(profile)
    pairs = _pairs_in_reach(entries, pair_horizon_hours(table.pack))
    by_start = by_week(entries, calendar.starts_on)
    weeks = {start: week for start, week in by_start.items() if any(not entry.context for entry in week)}
    questions: list[Facts] = [pair_facts(first, then, athlete) for first, then in pairs]
    questions += [{**athlete, **week_facts(week, entries)} for week in weeks.values()]
    answers = rules.decide("sequencing", questions) if questions else []

    found: list[tuple[Finding, DecidedBy | None]] = []
    for (first, then), fired in zip(pairs, answers, strict=False):
        found += [(_pair_finding(first, then, one), one.decided_by) for one in fired if one.rule.shape == "pair"]
        # Two sessions at once is no matter of policy: refused even where a pack says nothing of it.
        if then.starts < first.ends and not any(is_binding(one.rule) and one.id == OVERLAP for one in fired):
            found.append((_overlap(first, then), None))
    for (start, week), fired in zip(weeks.items(), answers[len(pairs) :], strict=True):
        found += [
            (_week_finding(start, week, week_facts(week, entries), one), one.decided_by)
            for one in fired
            if one.rule.shape == "week"
        ]
    if limits is not None:
        found += [(finding, None) for finding in limit_findings(entries, limits, calendar.starts_on)]

    broken = [finding for finding, _ in found if finding.severity == "hard"]
    violations = (*(_with_way_out(one, calendar) for one in broken[:MAX_TOLD]), *broken[MAX_TOLD:])
    fired_by = [decided for _, decided in found if decided is not None]
    return Verdict(
        "refused" if violations else "accepted",
        violations,
        tuple(f for f, _ in found if f.severity == "soft"),
        tuple(f for f, _ in found if f.severity == "advice"),
        _notes(sessions),
        tuple(dict.fromkeys([*fired_by, *_kept_rules(pairs, table)])),
    )


def nearest_legal_start(
    session: str,
    sessions: Sequence[PlannedSession],
    profile: Profile | None,
    rules: Rules,
    limits: Limits | None = None,
    context: Sequence[PlannedSession] = (),
    windows: Sequence[Window] | None = None,
) -> LegalStart | None:
    """Where ``session`` of the calendar may stand, as near as possible to where it is; None if nowhere in 7 days.

    With ``windows`` the whole session stays inside the availability. Raises ``KeyError`` for an unknown session.
    """
    calendar = _calendar(sessions, profile, rules, limits, context, windows)
    return _move({entry.id: entry for entry in calendar.entries}[session], calendar)


def _calendar(
    sessions: Sequence[PlannedSession],
    profile: Profile | None,
    rules: Rules,
    limits: Limits | None,
    context: Sequence[PlannedSession],
    windows: Sequence[Window] | None,
) -> _Calendar:
    zone, starts_on = (profile.zone, profile.week_starts_on) if profile else (None, DEFAULT_WEEK_START)
    entries = entries_of(sessions, context, zone, starts_on)
    table = ask_conflicts([entry.session for entry in entries], athlete_facts(profile), rules)
    return _Calendar(entries, table, zone, starts_on, limits, windows)


def _move(entry: Entry, calendar: _Calendar, frees_day: bool = False) -> LegalStart | None:
    others = [other for other in calendar.entries if other.id != entry.id]
    spans = None
    if calendar.windows is not None and calendar.zone is not None:
        spans = spans_around(entry, calendar.windows, calendar.zone, calendar.starts_on)
    around = Surroundings(calendar.table, calendar.zone, calendar.starts_on, calendar.limits, spans, frees_day)
    return nearest_legal(entry, others, around)


def _pairs_in_reach(entries: Sequence[Entry], horizon_hours: float) -> list[tuple[Entry, Entry]]:
    """Ordered pairs (first, then) near enough for a pair rule, at least one of them of the proposal."""
    pairs = []
    longest = max((entry.ends - entry.starts for entry in entries), default=0)
    for i, first in enumerate(entries):
        for then in entries[i + 1 :]:
            if then.starts - first.starts > longest + horizon_hours * 3600 + 24 * 3600:
                break
            near = gap_hours(first, then) <= horizon_hours or first.day == then.day
            if near and not (first.context and then.context):
                pairs.append((first, then))
    return pairs


def _overlap(first: Entry, then: Entry) -> Finding:
    return Finding(
        OVERLAP,
        "hard",
        (first.id, then.id),
        {"gap_hours": gap_hours(first, then)},
        {"gap_hours": 0.0},
        f"{_who(then)} {_after(gap_hours(first, then))} {_who(first)} ends",
        "common sense",
    )


def _after(gap: float, needed: float = 0.0) -> str:
    return f"starts {hours_text(gap, needed)} after" if gap >= 0 else f"starts {hours_text(-gap)} before"


def _pair_finding(first: Entry, then: Entry, fired: Fired) -> Finding:
    rule = fired.rule
    gap = gap_hours(first, then)
    facts: dict[str, float | bool] = {
        **fired.measured,
        "gap_hours": gap,
        "duration_min": float(then.session.duration_min),
        "same_day": first.day == then.day,
    }
    # A rule about the order on a shared day has no amount to miss: what it minds is that the day is shared.
    limit: Mapping[str, float | bool] = rule.limit or {"same_day": False}
    measured = {name: facts[name] for name in limit if name in facts}
    needed = float(limit.get("gap_hours", 0.0))
    message = f"{_who(then)} {_after(gap, needed)} {_who(first)} ends"
    if needed:
        message += f"; at least {hours_text(needed)} are needed"
    elif first.day == then.day:
        message += ", on the same day"
    return Finding(
        rule.id,
        _severity(fired),
        (first.id, then.id),
        measured,
        limit,
        f"{message}: {rule.title}",
        rule.source,
        rule.penalty,
    )


def _week_finding(start: date, week: Sequence[Entry], facts: Facts, fired: Fired) -> Finding:
    rule = fired.rule
    measured = {**{n: v for n, v in facts.items() if n in rule.limit and isinstance(v, float)}, **fired.measured}
    if rule.limit:
        measured = {name: value for name, value in measured.items() if name in rule.limit}
    amounts = ", ".join(
        f"{name.replace('_', ' ')} {told_apart(value, rule.limit.get(name), 3)}" for name, value in measured.items()
    )
    return Finding(
        rule.id,
        _severity(fired),
        tuple(entry.id for entry in week),
        measured,
        rule.limit,
        f"Week of {start}: {rule.title}" + (f" ({amounts})" if amounts else ""),
        rule.source,
        rule.penalty,
    )


def _severity(fired: Fired) -> Severity:
    """A hard rule that is only tried out (mode ``warn``) speaks as a soft one."""
    return "soft" if fired.rule.severity == "hard" and not is_binding(fired.rule) else fired.rule.severity


def _with_way_out(finding: Finding, calendar: _Calendar) -> Finding:
    """The violation with the later of its movable sessions moved to its nearest legal start."""
    named = [entry for entry in calendar.entries if entry.id in finding.sessions]
    movable = [entry for entry in named if not entry.context and entry.session.type != "race"]
    if not movable:
        return finding
    return replace(finding, nearest_legal_start=_move(movable[-1], calendar, frees_day=finding.rule == REST_DAYS))


def _kept_rules(pairs: Sequence[tuple[Entry, Entry]], table: ConflictTable) -> list[DecidedBy]:
    """The rules that spoke about a pair of this calendar, whether kept or broken."""
    return [
        decided_by(table.pack, conflict.rule)
        for first, then in pairs
        for conflict in table.between(first.id, then.id)
        if is_binding(conflict.rule)
    ]


def _notes(sessions: Sequence[PlannedSession]) -> tuple[str, ...]:
    notes = []
    for session in sorted(sessions, key=lambda s: s.id):
        missing = [name for name, value in class_facts(session).items() if value == UNTAGGED]
        if missing:
            notes.append(
                f"Session '{session.id}' has no {' and no '.join(missing)}: rules about these did not apply to it, "
                "and no exception was granted"
            )
    return tuple(notes)


def _who(entry: Entry) -> str:
    return f"{name_of(entry.session)} '{entry.id}'"
