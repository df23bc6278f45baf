"""The reference evaluator at speed: a condition turned once into plain functions, then called for every question.

Two per condition: one says whether it is *known* to hold, the other whether it is *known not* to; where neither does,
the answer is unknown. Kleene's logic then falls apart into ordinary ``all`` and ``any``. ``reference.holds``, which
walks the tree, remains the definition: whatever is no plain float, word or flag is left to its ``compare``.
"""

from collections.abc import Callable, Mapping, Sequence

from shared.rules.caching import Memoized
from shared.rules.evaluation.reference_evaluator import compare
from shared.rules.model import AnyOf, Condition, Facts, Leaf, Not, Op, derived_feature

_OPPOSITE: Mapping[Op, Op] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}

Predicate = Callable[[Facts], bool]


def known_to_hold(condition: Condition) -> Predicate:
    """``known_to_hold(c)(facts)`` is ``holds(c, facts) is True``."""
    return _predicate(condition, True)


known_to_hold_once = Memoized(known_to_hold, limit=1_000)
"""As ``known_to_hold``, remembered: tenants share the conditions of the rules that they leave alone."""


def known_not_to_hold(condition: Condition) -> Predicate:
    """``known_not_to_hold(c)(facts)`` is ``holds(c, facts) is False``."""
    return _predicate(condition, False)


def _predicate(condition: Condition, wanted: bool) -> Predicate:
    if isinstance(condition, Leaf):
        return _leaf(condition, wanted)
    if isinstance(condition, Not):
        return _predicate(condition.of, not wanted)
    if isinstance(condition, AnyOf) is wanted:
        return _any(_words_joined(condition.of, wanted))
    return _all([_predicate(part, wanted) for part in condition.of])


def _words_joined(parts: Sequence[Condition], wanted: bool) -> list[Predicate]:
    """Alternatives of one feature, such as a list of run types, become one look into a set."""
    words: dict[str, set[str]] = {}
    others: list[Predicate] = []
    for part in parts:
        if isinstance(part, Leaf) and isinstance(part.value, str) and _asks_equal(part, wanted):
            words.setdefault(part.feature, set()).add(part.value)
        else:
            others.append(_predicate(part, wanted))
    return [_one_of(feature, frozenset(choices)) for feature, choices in words.items()] + others


def _asks_equal(leaf: Leaf, wanted: bool) -> bool:
    return leaf.lasting_days is None and leaf.op == ("==" if wanted else "!=")


def _one_of(feature: str, choices: frozenset[str]) -> Predicate:
    if len(choices) == 1:
        (word,) = choices
        return lambda facts: facts.get(feature) == word
    return lambda facts: facts.get(feature) in choices


def _leaf(leaf: Leaf, wanted: bool) -> Predicate:
    feature, value = leaf.feature, leaf.value
    if leaf.lasting_days is not None:
        feature = derived_feature(leaf)
        return lambda facts: facts.get(feature) is wanted
    if isinstance(value, bool):
        flag = value if (leaf.op == "==") is wanted else not value
        return lambda facts: facts.get(feature) is flag
    if isinstance(value, str):
        if _asks_equal(leaf, wanted):
            return _one_of(feature, frozenset((value,)))
        return lambda facts: (known := facts.get(feature)).__class__ is str and known != value
    return _number(leaf, float(value), wanted)


def _number(leaf: Leaf, bound: float, wanted: bool) -> Predicate:
    feature = leaf.feature

    def rarely(facts: Facts) -> bool:
        return compare(leaf, facts) is wanted

    # NaN is no known number: each of the four below is false for it, and so neither side is ever known.
    side = leaf.op if wanted else _OPPOSITE.get(leaf.op, leaf.op)
    if side == "<":
        return lambda facts: known < bound if (known := facts.get(feature)).__class__ is float else rarely(facts)
    if side == "<=":
        return lambda facts: known <= bound if (known := facts.get(feature)).__class__ is float else rarely(facts)
    if side == ">":
        return lambda facts: known > bound if (known := facts.get(feature)).__class__ is float else rarely(facts)
    if side == ">=":
        return lambda facts: known >= bound if (known := facts.get(feature)).__class__ is float else rarely(facts)
    return rarely


def _all(parts: Sequence[Predicate]) -> Predicate:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda facts: first(facts) and second(facts)
    if len(parts) == 3:
        first, second, third = parts
        return lambda facts: first(facts) and second(facts) and third(facts)

    def every(facts: Facts) -> bool:
        for part in parts:  # noqa: SIM110 - a generator costs as much as three comparisons
            if not part(facts):
                return False
        return True

    return every


def _any(parts: Sequence[Predicate]) -> Predicate:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda facts: first(facts) or second(facts)

    def some(facts: Facts) -> bool:
        for part in parts:  # noqa: SIM110
            if part(facts):
                return True
        return False

    return some
