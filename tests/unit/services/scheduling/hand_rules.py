"""A few rules built by hand behind the ``Rules`` protocol, evaluated by the plainest code there is.

Most tests use the real packs; these rules serve where a test wants to own every number.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from shared.contract.words import PackKind
from shared.rules.model import All, AnyOf, Condition, Conflict, DecidedBy, Facts, Fired, Leaf, Not, Pack, Rule

INFINITE = float("inf")


def truth(condition: Condition, facts: Facts) -> bool | None:
    if isinstance(condition, Leaf):
        have = facts.get(condition.feature)
        if have is None:
            return None
        compare = {
            "==": lambda a, b: a == b,
            "!=": lambda a, b: a != b,
            "<": lambda a, b: a < b,
            "<=": lambda a, b: a <= b,
            ">": lambda a, b: a > b,
            ">=": lambda a, b: a >= b,
        }
        return bool(compare[condition.op](have, condition.value))
    if isinstance(condition, Not):
        inner = truth(condition.of, facts)
        return None if inner is None else not inner
    parts = [truth(part, facts) for part in condition.of]
    decisive = isinstance(condition, AnyOf)
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


def leaf(feature: str, value: Any, op: Any = "==") -> Leaf:
    return Leaf(feature, op, value)


def one_of(feature: str, *words: str) -> AnyOf:
    return AnyOf(tuple(Leaf(feature, "==", word) for word in words))


def pair_rule(
    name: str,
    first: Sequence[Condition],
    then: Sequence[Condition],
    gap: float | None = None,
    *,
    severity: Any = "hard",
    penalty: float = 0.0,
    same_day: bool | None = None,
) -> Rule:
    when: list[Condition] = [*first, *then]
    if gap is not None:
        when.append(Leaf("gap_hours", "<", gap))
    if same_day is not None:
        when.append(Leaf("same_day", "==", same_day))
    return Rule(
        id=name,
        title=name.replace("-", " "),
        shape="pair",
        severity=severity,
        mode="enforce",
        penalty=penalty,
        when=All(tuple(when)),
        outcome="forbid",
        values={},
        limit={} if gap is None else {"gap_hours": gap},
        because="a test",
        source="a test",
    )


SETTINGS = {
    "day_opens": "06:00",
    "day_closes": "21:00",
    "planner_grid": 30,
    "planner_shared_day": 60,
    "planner_hard_day": 60,
    "planner_same_kind": 30,
    "planner_long_run_midweek": 20,
}


class HandRules:
    """The protocol over a tuple of sequencing rules."""

    def __init__(self, *rules: Rule, settings: Mapping[str, Any] | None = None) -> None:
        self._pack = Pack("sequencing", "hand", "1.0.0", "0" * 64, rules)
        self._settings = {**SETTINGS, **(settings or {})}

    def pack(self, kind: PackKind) -> Pack:
        return self._pack

    def settings(self, kind: PackKind) -> Mapping[str, Any]:
        return self._settings

    def evaluator(self) -> str:
        return "reference"

    def decide(self, kind: PackKind, questions: Sequence[Facts]) -> list[tuple[Fired, ...]]:
        return [
            tuple(Fired(rule, self._by(rule)) for rule in self._pack.rules if truth(rule.when, facts))
            for facts in questions
        ]

    def decide_days(
        self, kind: PackKind, history: Mapping[date, Facts], days: Sequence[date]
    ) -> dict[date, tuple[Fired, ...]]:
        return {day: self.decide(kind, [history.get(day, {})])[0] for day in days}

    def conflict_table(self, classes: Sequence[Facts], athlete: Facts) -> dict[tuple[int, int], tuple[Conflict, ...]]:
        table: dict[tuple[int, int], tuple[Conflict, ...]] = {}
        for a, first in enumerate(classes):
            for b, then in enumerate(classes):
                facts = {
                    **athlete,
                    **{f"first_{name}": value for name, value in first.items()},
                    **{f"then_{name}": value for name, value in then.items()},
                }
                found = [c for rule in self._pack.rules if rule.shape == "pair" for c in _stretches(rule, facts)]
                if found:
                    table[a, b] = tuple(found)
        return table

    def _by(self, rule: Rule) -> DecidedBy:
        return DecidedBy(self._pack.id, self._pack.version, self._pack.hash[:12], rule.id, rule.severity)


def _edges(condition: Condition) -> set[float]:
    if isinstance(condition, Leaf):
        return {float(condition.value)} if condition.feature == "gap_hours" else set()
    parts = (condition.of,) if isinstance(condition, Not) else condition.of
    return set().union(*(_edges(part) for part in parts)) if parts else set()


def _stretches(rule: Rule, facts: Facts) -> list[Conflict]:
    edges = sorted({0.0, *_edges(rule.when)})
    bounds = list(zip(edges, [*edges[1:], INFINITE], strict=True))
    found = []
    for low, high in bounds:
        on = {day: truth(rule.when, {**facts, "gap_hours": low, "same_day": day}) for day in (True, False)}
        if on[True] and on[False]:
            found.append(Conflict(rule, low, high, None))
        elif on[True] or on[False]:
            found.append(Conflict(rule, low, high, bool(on[True])))
    return found
