"""Conditions as a disjunction of conjunctions of literals: what a single-fact engine can match without joins.

Negations are pushed down to the comparisons. That is exact in the three-valued logic of the dialect (De Morgan,
distributivity and absorption all hold in Kleene's strong logic), so a conjunction holds only if every one of its
literals is *known* to hold, and an unknown fact makes no rule fire.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal as Choice

from shared.rules.caching import Memoized
from shared.rules.model import All, AnyOf, Condition, Leaf, Not, Op, Scalar, derived_feature

MAX_BRANCHES = 512
"""Branches of one rule. A rule file of ten words under five `unless` stays below a hundred."""

Channel = Choice["number", "text", "truth"]
NEGATED: dict[Op, Op] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class RuleTooComplex(ValueError):
    """A condition has more than ``MAX_BRANCHES`` branches once its alternatives are multiplied out."""


class UnsupportedComparison(ValueError):
    """A comparison that means nothing, such as "less than" between words."""


@dataclass(frozen=True, slots=True)
class Literal:
    """One comparison, or (several ``values`` with ``==``) membership in a set of words.

    ``channel`` keeps 1, True and "1" apart: a fact of another type than the rule's value is unknown to the rule.
    """

    feature: str
    channel: Channel
    op: Op
    values: tuple[Scalar, ...]

    def as_condition(self) -> Condition:
        leaves = tuple(Leaf(self.feature, self.op, value) for value in self.values)
        return leaves[0] if len(leaves) == 1 else AnyOf(leaves)


Branch = frozenset[Literal]


def channel_of(value: Scalar) -> Channel:
    if isinstance(value, bool):
        return "truth"
    return "text" if isinstance(value, str) else "number"


def branches(condition: Condition) -> tuple[Branch, ...]:
    """The branches of ``condition``, in the order written; none = it can never hold, an empty one = it always does.

    A leaf that must last becomes a yes/no fact of its own. Raises ``RuleTooComplex`` and ``UnsupportedComparison``.
    """
    return _branches(condition, negate=False)


branches_once = Memoized(branches, limit=1_000)
"""As ``branches``, remembered: a condition is compiled with its pack, split for the conflict table, and checked."""


def condition_of(branch: Iterable[Literal]) -> Condition:
    return All(tuple(literal.as_condition() for literal in branch))


def _branches(condition: Condition, negate: bool) -> tuple[Branch, ...]:
    if isinstance(condition, Leaf):
        return (frozenset((_literal(condition, negate),)),)
    if isinstance(condition, Not):
        return _branches(condition.of, not negate)
    parts = [_branches(part, negate) for part in condition.of]
    return _either(parts) if isinstance(condition, AnyOf) != negate else _both(parts)


def _literal(leaf: Leaf, negate: bool) -> Literal:
    if leaf.lasting_days is not None:
        return Literal(derived_feature(leaf), "truth", "==", (not negate,))
    op = NEGATED[leaf.op] if negate else leaf.op
    channel = channel_of(leaf.value)
    value: Scalar = leaf.value
    if channel == "number":
        value = float(value)
    elif op not in ("==", "!="):
        raise UnsupportedComparison(f"'{leaf.feature} {leaf.op} {leaf.value}': words and yes/no have no order")
    elif channel == "truth" and op == "!=":
        op, value = "==", not value
    return Literal(leaf.feature, channel, op, (value,))


def _either(parts: list[tuple[Branch, ...]]) -> tuple[Branch, ...]:
    return _without_covered(_words_merged([branch for part in parts for branch in part]))


def _words_merged(alternatives: list[Branch]) -> list[Branch]:
    """``type == tempo`` or ``type == hills`` become one membership, so that word lists do not multiply branches."""
    memberships: dict[str, dict[Scalar, None]] = {}
    merged: list[Branch | str] = []
    for branch in alternatives:
        only = next(iter(branch)) if len(branch) == 1 else None
        if only is None or only.channel != "text" or only.op != "==":
            merged.append(branch)
            continue
        if only.feature not in memberships:
            memberships[only.feature] = {}
            merged.append(only.feature)
        memberships[only.feature].update(dict.fromkeys(only.values))
    return [_member(entry, memberships[entry]) if isinstance(entry, str) else entry for entry in merged]


def _member(feature: str, words: Iterable[Scalar]) -> Branch:
    return frozenset((Literal(feature, "text", "==", tuple(sorted(words, key=str))),))


def _both(parts: list[tuple[Branch, ...]]) -> tuple[Branch, ...]:
    product: tuple[Branch, ...] = (frozenset(),)
    for part in parts:
        joined = [_consistent(left | right) if left else right for left in product for right in part]
        product = _without_covered(branch for branch in joined if branch is not None)
    return product


def _consistent(branch: Branch) -> Branch | None:
    """``branch`` with the word sets of one feature intersected; None if it asks for two different words at once."""
    words = [literal for literal in branch if literal.channel == "text"]
    if len(words) == len({literal.feature for literal in words}):
        return branch
    kept: set[Literal] = set(branch.difference(words))
    for feature in {literal.feature for literal in words}:
        here = [literal for literal in words if literal.feature == feature]
        allowed = [set(literal.values) for literal in here if literal.op == "=="]
        excluded = {value for literal in here if literal.op == "!=" for value in literal.values}
        if not allowed:
            kept.update(here)
            continue
        left = set.intersection(*allowed) - excluded
        if not left:
            return None
        kept.update(_member(feature, left))
    return frozenset(kept)


def _without_covered(alternatives: Iterable[Branch]) -> tuple[Branch, ...]:
    """Drop repeated branches and those that another, shorter one already covers."""
    unique = list(dict.fromkeys(alternatives))
    if len(unique) == 1:
        return tuple(unique)
    if len(unique) > 8 * MAX_BRANCHES:
        raise RuleTooComplex(_too_complex(len(unique)))
    by_length: dict[int, list[Branch]] = {}
    for branch in unique:
        by_length.setdefault(len(branch), []).append(branch)
    minimal = tuple(
        branch
        for branch in unique
        if not any(other < branch for length, some in by_length.items() if length < len(branch) for other in some)
    )
    if len(minimal) > MAX_BRANCHES:
        raise RuleTooComplex(_too_complex(len(minimal)))
    return minimal


def _too_complex(count: int) -> str:
    return f"the condition has {count} separate cases, at most {MAX_BRANCHES} are allowed: split the rule in two"
