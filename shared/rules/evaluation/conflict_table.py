"""Pair rules asked once per pair of session classes instead of once per candidate calendar.

Each branch of a pair rule is split into what is known of two sessions without a calendar (who they are) and what only
a calendar gives (the gap and whether both fall on one day). The first half goes to the evaluator, once per pair of
classes; the second becomes intervals of the gap. Gaps below zero (overlapping sessions) are not the table's matter.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.rules.caching import IdentityCache, Memoized, interned
from shared.rules.evaluation.durable_compiler import Compiled
from shared.rules.evaluation.evaluators import ConditionSet, Evaluator
from shared.rules.evaluation.modes import cancellable, served_rule
from shared.rules.evaluation.normal_form import Literal, branches_once, condition_of
from shared.rules.model import Condition, Conflict, Facts, Rule, Scalar

GAP = "gap_hours"
SAME_DAY = "same_day"
MAX_CACHED_PAIRS = 5_000
"""Pairs of classes remembered of one pack before its memory begins anew: a week of ten sessions has a hundred."""
_PairKey = tuple[str, str, str]
"""An athlete, a first and a second session, each as what the rules ask of it: all that the answer depends on."""
_conflicts_of_pairs: IdentityCache[dict[_PairKey, tuple[Conflict, ...]]] = IdentityCache(128)
Interval = tuple[float, float]
"""From (included) to (excluded), hours."""


@dataclass(frozen=True, slots=True)
class _Timing:
    """When one branch of a rule holds, given that its sessions fit: gap intervals, and on which days."""

    rule: int
    gaps: tuple[Interval, ...]
    days: frozenset[bool]


@dataclass(frozen=True, slots=True)
class PairRules:
    """The pair rules of a pack, split; ``timings[i]`` belongs to the static condition ``i`` of ``condition_set``."""

    condition_set: ConditionSet
    timings: tuple[_Timing, ...]
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, pack: str, rules: Sequence[Rule]) -> "PairRules":
        """Of all ``rules`` of a pack. Raises what ``compile_conditions`` raises."""
        acting = _acting(rules)
        conditions, labels, timings = [], [], []
        for at, rule in enumerate(acting):
            for condition, gaps, days in _split_once(rule.when):
                conditions.append(condition)
                labels.append(rule.id)
                timings.append(_Timing(at, gaps, days))
        return cls(ConditionSet.of(pack, conditions, labels), tuple(timings), acting)

    def parts(self) -> tuple[Any, ...]:
        """What another process needs beside the rules to have them ``again``."""
        asked = self.condition_set
        return asked.conditions, asked.labels, asked.compiled, self.timings

    @classmethod
    def again(
        cls,
        pack: str,
        rules: Sequence[Rule],
        conditions: Sequence[Condition],
        labels: Sequence[str],
        compiled: Compiled,
        timings: tuple[_Timing, ...],
    ) -> "PairRules":
        """As ``of``, with what another process worked out of these very rules."""
        asked = ConditionSet.again(pack, [interned(one) for one in conditions], labels, compiled)
        return cls(asked, timings, _acting(rules))

    def table(
        self, evaluator: Evaluator, classes: Sequence[Facts], athlete: Facts
    ) -> dict[tuple[int, int], tuple[Conflict, ...]]:
        """Every ordered pair is in it, those without a conflict too, and (a, a) for two sessions of one class.

        What the rules say of two classes does not change while the pack stands: each pair is asked about once.
        """
        body = self.condition_set.compiled.body
        firsts = [_prefixed("first", facts) for facts in classes]
        thens = [_prefixed("then", facts) for facts in classes]
        who, first_keys, then_keys = body(athlete), [body(one) for one in firsts], [body(one) for one in thens]
        keys = {(a, b): (who, first, then) for a, first in enumerate(first_keys) for b, then in enumerate(then_keys)}
        cached = self._cached()
        new = {key: pair for pair, key in keys.items() if key not in cached}
        answers = evaluator.which_hold(
            self.condition_set, [{**athlete, **firsts[a], **thens[b]} for a, b in new.values()]
        )
        alike = {held: self._conflicts(held) for held in set(answers)}
        conflicts = {key: alike[held] for key, held in zip(new, answers, strict=True)}
        cached.update(conflicts)
        return {pair: conflicts[key] if key in conflicts else cached[key] for pair, key in keys.items()}

    def _cached(self) -> dict[_PairKey, tuple[Conflict, ...]]:
        cached = _conflicts_of_pairs.get(self)
        if cached is None or len(cached) > MAX_CACHED_PAIRS:
            cached = {}
            _conflicts_of_pairs.put(cached, self)
        return cached

    def _conflicts(self, held: Iterable[int]) -> tuple[Conflict, ...]:
        timings = [self.timings[at] for at in held]
        allowed = [timing for timing in timings if self.rules[timing.rule].outcome == "allow"]
        conflicts: list[Conflict] = []
        for at in dict.fromkeys(timing.rule for timing in timings):
            rule = self.rules[at]
            if rule.outcome == "allow":
                continue
            gaps = {day: _union(_on(day, (it for it in timings if it.rule == at))) for day in (True, False)}
            if cancellable(rule):
                gaps = {day: _difference(gaps[day], _union(_on(day, allowed))) for day in gaps}
            if gaps[True] == gaps[False]:
                conflicts.extend(Conflict(served_rule(rule), start, end, None) for start, end in gaps[True])
            else:
                conflicts.extend(
                    Conflict(served_rule(rule), start, end, day) for day in gaps for start, end in gaps[day]
                )
        return tuple(conflicts)


def _acting(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules if rule.shape == "pair" and rule.mode != "watch")


def _split(when: Condition) -> tuple[tuple[Condition, tuple[Interval, ...], frozenset[bool]], ...]:
    """Each branch as what is asked of two sessions, and when it then holds; without branches that never hold."""
    split = []
    for branch in branches_once(when):
        gaps, days = _timing(branch)
        if gaps and days:
            # In one order, in whichever process it is worked out: equal conditions are one object.
            asked = sorted(branch, key=lambda it: (it.feature, it.op, str(it.values)))
            sessions = condition_of(it for it in asked if it.feature not in (GAP, SAME_DAY))
            split.append((interned(sessions), gaps, days))
    return tuple(split)


_split_once = Memoized(_split, limit=1_000)


def _prefixed(which: str, facts: Mapping[str, Scalar | None]) -> dict[str, Scalar | None]:
    return {f"{which}_{name}": value for name, value in facts.items()}


def _timing(branch: Iterable[Literal]) -> tuple[tuple[Interval, ...], frozenset[bool]]:
    gaps: tuple[Interval, ...] = ((0.0, math.inf),)
    days = frozenset((True, False))
    for literal in branch:
        if literal.feature == GAP:
            gaps = _intersection(gaps, _gaps(literal))
        elif literal.feature == SAME_DAY:
            days &= {bool(literal.values[0])} if literal.channel == "truth" else frozenset()
    return gaps, days


def _gaps(literal: Literal) -> tuple[Interval, ...]:
    if literal.channel != "number":
        return ()
    hours = float(literal.values[0])
    after = math.nextafter(hours, math.inf)
    intervals: dict[str, tuple[Interval, ...]] = {
        "<": ((0.0, hours),),
        "<=": ((0.0, after),),
        ">": ((after, math.inf),),
        ">=": ((hours, math.inf),),
        "==": ((hours, after),),
        "!=": ((0.0, hours), (after, math.inf)),
    }
    return intervals[literal.op]


def _on(day: bool, timings: Iterable[_Timing]) -> list[Interval]:
    return [gap for timing in timings if day in timing.days for gap in timing.gaps]


def _intersection(some: Sequence[Interval], others: Sequence[Interval]) -> tuple[Interval, ...]:
    cut = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return tuple((start, end) for start, end in cut if start < end)


def _union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _difference(intervals: Sequence[Interval], removed: Sequence[Interval]) -> tuple[Interval, ...]:
    left = list(intervals)
    for start, end in removed:
        left = [piece for a, b in left for piece in ((a, min(b, start)), (max(a, end), b)) if piece[0] < piece[1]]
    return tuple(left)
