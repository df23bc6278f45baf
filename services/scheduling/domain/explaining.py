"""Why a session stands where it stands, in sentences that name the rule."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from services.scheduling.domain.availability import Span
from services.scheduling.domain.calendar import Entry, gap_hours, hours_text, local_time, name_of, time_order
from services.scheduling.domain.conflicts import ConflictTable, is_binding
from services.scheduling.domain.placement import Problem
from services.scheduling.domain.verdict import Verdict
from shared.rules.model import Conflict

_MOST_RULES = 4
# A rule shaped a place when the gap is not much longer than it asks; a session two days on was never in its way.
_NEAR_HOURS = 24.0


def reasons(
    entries: Mapping[str, Entry],
    surroundings: Sequence[Entry],
    problem: Problem,
    verdict: Verdict,
    spans: Sequence[Span],
    zone: ZoneInfo,
) -> dict[str, list[str]]:
    """Per session its lines: how it came to its time, which rules shaped it (tightest first), which it strains."""
    fixed = {piece.id for piece in problem.pieces if piece.fixed}
    calendar = sorted([*entries.values(), *surroundings], key=time_order)
    lines: dict[str, list[str]] = {}
    for entry in entries.values():
        own = [_place_line(entry, entry.id in fixed, spans, zone)]
        own += _rule_lines(entry, calendar, problem.table, zone)
        own += [
            f"Accepted at a cost of {warning.penalty:g} ({warning.rule}): {warning.message}"
            for warning in verdict.warnings
            if entry.id in warning.sessions
        ]
        lines[entry.id] = own
    return lines


def _place_line(entry: Entry, fixed: bool, spans: Sequence[Span], zone: ZoneInfo) -> str:
    when = f"{local_time(entry.starts, zone):%a %H:%M}"
    if fixed:
        return f"Kept at {when}: it came with a start"
    window = next(span for span in spans if span.holds(entry.starts, entry.ends - entry.starts))
    opens, closes = local_time(window.opens, zone), local_time(window.closes, zone)
    return f"Placed at {when}, inside the window {opens:%a %H:%M} to {closes:%a %H:%M}"


def _rule_lines(entry: Entry, calendar: Sequence[Entry], table: ConflictTable, zone: ZoneInfo) -> list[str]:
    found: list[tuple[float, str]] = []
    said: set[tuple[str, str]] = set()
    for other in calendar:
        if other.id == entry.id or (entry.context and other.context):
            continue
        first, then = (entry, other) if time_order(entry) < time_order(other) else (other, entry)
        for conflict in table.between(first.id, then.id):
            margin = _margin_hours(conflict, first, then)
            if conflict.rule.severity == "advice" or margin is None or (conflict.rule.id, other.id) in said:
                continue
            said.add((conflict.rule.id, other.id))
            found.append((margin, _kept_line(conflict, entry, other, gap_hours(first, then))))
    return [line for _, line in sorted(found)[:_MOST_RULES]]


def _margin_hours(conflict: Conflict, first: Entry, then: Entry) -> float | None:
    """How much longer the gap is than the rule asks for; None when the rule had no say in this place."""
    gap = gap_hours(first, then)
    if conflict.same_day is True:
        # The day boundary is what keeps such a rule; it shaped the place only when the days are neighbours.
        return gap if first.day != then.day and (then.day - first.day).days == 1 else None
    margin = gap - conflict.gap_to
    return margin if 0 <= margin <= _NEAR_HOURS else None


def _kept_line(conflict: Conflict, entry: Entry, other: Entry, gap: float) -> str:
    where = "after" if other.starts < entry.starts else "before"
    kind = "hard rule" if is_binding(conflict.rule) else "rule"
    if conflict.same_day is True:
        return f"On another day than {name_of(other.session)} '{other.id}' ({kind} {conflict.rule.id})"
    return (
        f"{hours_text(gap)} {where} {name_of(other.session)} '{other.id}': at least {hours_text(conflict.gap_to)} "
        f"apart ({kind} {conflict.rule.id})"
    )
