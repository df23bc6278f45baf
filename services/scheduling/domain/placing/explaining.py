"""Why a session stands where it stands: the most telling reasons, in words an athlete would use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from services.scheduling.domain.availability import DAYS_IN_WEEK, Span
from services.scheduling.domain.calendar import Entry, gap_hours, hours_text, local_time, name_of, time_order
from services.scheduling.domain.checking.verdict import Verdict
from services.scheduling.domain.conflicts import ConflictTable, decided_by
from services.scheduling.domain.placing.placement import PlacementProblem, spoken_against
from shared.rules.model import Conflict, DecidedBy

_MAX_REASONS = 2
_MAX_STRAINED, _MANY_SESSIONS = 5, 20
"""Rules that a session is told to strain, and sessions beyond which it is told one only: they are pairs."""
# A rule shaped a place when the gap is not much longer than it asks; a session two days on was never in its way.
_NEAR_HOURS = 24.0


@dataclass(frozen=True, slots=True)
class Reasons:
    """``lines``: per session how it came to its time, the tightest rules around it, and which it strains.
    ``decided_by``: the rules named there, then the hard rules that the planner held to."""

    lines: Mapping[str, tuple[str, ...]]
    decided_by: tuple[DecidedBy, ...]


def reasons(
    entries: Mapping[str, Entry],
    surroundings: Sequence[Entry],
    problem: PlacementProblem,
    verdict: Verdict,
    spans: Sequence[Span],
    zone: ZoneInfo,
) -> Reasons:
    """Why each of ``entries`` stands where it does."""
    fixed = {piece.id for piece in problem.pieces if piece.fixed}
    calendar = sorted([*entries.values(), *surroundings], key=time_order)
    lines: dict[str, tuple[str, ...]] = {}
    by: dict[DecidedBy, None] = {}
    for entry in entries.values():
        shaped = _shaping(entry, calendar, problem.table)[:_MAX_REASONS]
        by.update(dict.fromkeys(decided_by(problem.table.pack, conflict.rule) for conflict, _ in shaped))
        strained = [
            f"Accepted at a cost of {warning.penalty:g} ({warning.rule}): {warning.message}"
            for warning in verdict.warnings
            if entry.id in warning.sessions
        ][: _MAX_STRAINED if len(entries) <= _MANY_SESSIONS else 1]
        own = [_place_line(entry, entry.id in fixed, spans, zone)]
        lines[entry.id] = (*own, *(_kept_line(conflict, entry, other) for conflict, other in shaped), *strained)
    # Every hard rule that could speak about two of the sessions ruled out places, wherever they stand now.
    for one, other in problem.pairs():
        held = (*problem.table.hard(one.id, other.id), *problem.table.hard(other.id, one.id))
        if one.context or other.context:
            speaking = spoken_against(one, other, problem.table, hard=True)
            held = tuple(conflict for conflict in held if conflict.rule.id in speaking)
        by.update(dict.fromkeys(decided_by(problem.table.pack, conflict.rule) for conflict in held))
    return Reasons(lines, tuple(by))


def _place_line(entry: Entry, fixed: bool, spans: Sequence[Span], zone: ZoneInfo) -> str:
    when = f"{local_time(entry.starts, zone):%a %H:%M}"
    if fixed:
        return f"Kept at {when}: it came with a start"
    window = next(span for span in spans if span.holds(entry.starts, entry.ends - entry.starts))
    opens, closes = local_time(window.opens, zone), local_time(window.closes, zone)
    return f"Placed at {when}, inside the window {opens:%a %H:%M} to {closes:%a %H:%M}"


def _shaping(entry: Entry, calendar: Sequence[Entry], table: ConflictTable) -> list[tuple[Conflict, Entry]]:
    """The rules that had a say in this place, each with the session it spoke about: the tightest first, of two about
    the same session the one that asks for more, and each rule once."""
    found: list[tuple[float, float, str, Conflict, Entry]] = []
    for other in calendar:
        if other.id == entry.id:
            continue
        first, then = (entry, other) if time_order(entry) < time_order(other) else (other, entry)
        for conflict in table.between(first.id, then.id):
            margin = _margin_hours(conflict, first, then)
            if conflict.rule.severity != "advice" and margin is not None:
                found.append((margin, -conflict.gap_to, conflict.rule.id, conflict, other))
    shaping: list[tuple[Conflict, Entry]] = []
    for *_, conflict, other in sorted(found, key=lambda one: (*one[:3], one[4].id)):
        if all(conflict.rule.id != rule.rule.id and other.id != earlier.id for rule, earlier in shaping):
            shaping.append((conflict, other))
    return shaping


def _margin_hours(conflict: Conflict, first: Entry, then: Entry) -> float | None:
    """How much longer the gap is than the rule asks for; None when the rule had no say in this place."""
    gap = gap_hours(first, then)
    if conflict.same_day is True:
        # The day boundary is what keeps such a rule; it shaped the place only when the days are neighbours.
        return gap if first.day != then.day and (then.day - first.day).days == 1 else None
    margin = gap - conflict.gap_to
    return margin if 0 <= margin <= _NEAR_HOURS else None


def _kept_line(conflict: Conflict, entry: Entry, other: Entry) -> str:
    """Such as "24 h 5 min before Sunday's long run (needs 24 h: heavy-lower-near-long-run)"."""
    first, then = (entry, other) if time_order(entry) < time_order(other) else (other, entry)
    where = "after" if other is first else "before"
    days_apart = abs((other.day - entry.day).days)
    what = f"{other.day:%A}'s {name_of(other.session)}" if days_apart < DAYS_IN_WEEK else _dated(other)
    if days_apart == 0:
        what = f"the same day's {name_of(other.session)}"
    if conflict.same_day is True:
        return f"Not on the day of {what} ({conflict.rule.id})"
    kept, needed = hours_text(gap_hours(first, then)), hours_text(conflict.gap_to)
    return f"{kept} {where} {what} (needs {needed}: {conflict.rule.id})"


def _dated(entry: Entry) -> str:
    return f"the {name_of(entry.session)} of {entry.day:%a} {entry.day.day} {entry.day:%b}"
