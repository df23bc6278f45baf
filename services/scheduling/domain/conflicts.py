"""What the rules are asked once about the sessions at hand: which gaps between which two sessions which rule speaks
against (the conflict table), and how many demanding days in a row the week rules bear.

For the table they are asked once per ordered pair of session *classes*; all about times is arithmetic from there on.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from services.scheduling.domain.calendar import Entry, class_facts
from services.scheduling.domain.week_features import week_facts
from shared.messages.values import PlannedSession
from shared.rules.decisions import Rules
from shared.rules.model import All as AllOf
from shared.rules.model import AnyOf, Condition, Conflict, DecidedBy, Facts, Leaf, Not, Pack, Rule

_ROW = "hard_days_in_a_row"
_LONGEST_ROW = 14


def is_binding(rule: Rule) -> bool:
    """Whether breaking the rule refuses a calendar; a hard rule in mode ``warn`` only warns."""
    return rule.severity == "hard" and rule.mode == "enforce"


@dataclass(frozen=True, slots=True)
class ConflictTable:
    """``between(a, b)`` = conflicts when ``a`` comes first and ``b`` then, by session id."""

    pack: Pack
    _class_of: dict[str, int]
    _table: dict[tuple[int, int], tuple[Conflict, ...]]

    def between(self, first: str, then: str) -> tuple[Conflict, ...]:
        return self._table.get((self._class_of[first], self._class_of[then]), ())

    def hard(self, first: str, then: str) -> tuple[Conflict, ...]:
        return tuple(conflict for conflict in self.between(first, then) if is_binding(conflict.rule))

    def soft(self, first: str, then: str) -> tuple[Conflict, ...]:
        return tuple(c for c in self.between(first, then) if not is_binding(c.rule) and c.rule.severity != "advice")

    def only(self, rules: Collection[str]) -> "ConflictTable":
        """The same table with nothing in force but these rules."""
        kept = {key: tuple(c for c in found if c.rule.id in rules) for key, found in self._table.items()}
        return ConflictTable(self.pack, self._class_of, kept)


def ask_conflicts(sessions: Iterable[PlannedSession], athlete: Facts, rules: Rules) -> ConflictTable:
    """One question to the rules for all ordered pairs of distinct session classes."""
    classes: list[Facts] = []
    index: dict[tuple[object, ...], int] = {}
    class_of: dict[str, int] = {}
    for session in sorted(sessions, key=lambda s: s.id):
        facts = class_facts(session)
        identity = tuple(facts.values())
        if identity not in index:
            index[identity] = len(classes)
            classes.append(facts)
        class_of[session.id] = index[identity]
    table = rules.conflict_table(classes, athlete) if classes else {}
    return ConflictTable(rules.pack("sequencing"), class_of, dict(table))


def decided_by(pack: Pack, rule: Rule) -> DecidedBy:
    return DecidedBy(pack.id, pack.version, pack.hash[:12], rule.id, rule.severity)


def pair_horizon_hours(pack: Pack) -> float:
    """No pair rule of the pack can fire on two sessions of different days further apart than this."""
    gaps = [leaf for rule in pack.rules if rule.shape == "pair" for leaf in _gap_leaves(rule.when)]
    if any(leaf.op in (">", ">=", "==", "!=") for leaf in gaps):
        return 14 * 24.0
    bounded = [rule for rule in pack.rules if rule.shape == "pair"]
    if any(not list(_gap_leaves(rule.when)) and not _asks_same_day(rule.when) for rule in bounded):
        return 14 * 24.0
    return max([24.0, *(float(leaf.value) for leaf in gaps)])


def _leaves(condition: Condition) -> Iterable[Leaf]:
    if isinstance(condition, Leaf):
        yield condition
    elif isinstance(condition, Not):
        yield from _leaves(condition.of)
    elif isinstance(condition, AllOf | AnyOf):
        for part in condition.of:
            yield from _leaves(part)


def _gap_leaves(condition: Condition) -> Sequence[Leaf]:
    return [leaf for leaf in _leaves(condition) if leaf.feature == "gap_hours"]


def _asks_same_day(condition: Condition) -> bool:
    return any(leaf.feature == "same_day" for leaf in _leaves(condition))


def gap_bounds_seconds(conflict: Conflict) -> tuple[float, float]:
    """[from, to) of a conflict in seconds, never below 0 (sessions that overlap are apart from all this); ``to`` may
    be infinite."""
    return max(0.0, conflict.gap_from * 3600), max(0.0, conflict.gap_to * 3600)


@dataclass(frozen=True, slots=True)
class RowLimit:
    """``rule`` fires from ``days`` demanding days in a row on."""

    rule: Rule
    days: int


def ask_row_limits(calendar: Sequence[Entry], athlete: Facts, rules: Rules) -> tuple[RowLimit, ...]:
    """For each week rule that reads the row of demanding days, the shortest row at which it begins to fire.

    Everything else that week rules read is settled by which sessions the week holds, so it is asked as it stands.
    """
    facts = {**athlete, **week_facts(calendar, calendar)}
    questions = [{**facts, _ROW: float(days)} for days in range(_LONGEST_ROW + 1)]
    fired = [{one.id: one.rule for one in answer} for answer in rules.decide("sequencing", questions)]
    limits = []
    for days in range(1, _LONGEST_ROW + 1):
        for name, rule in fired[days].items():
            if name not in fired[days - 1] and rule.shape == "week":
                limits.append(RowLimit(rule, days))
    return tuple(limits)
