"""Leaves that must have held for days: turned into plain facts before any evaluator is asked.

"HRV is low for at least 3 days" becomes the yes/no fact ``hrv_low == True for 3 days``. So the engine needs no memory,
and both evaluators see the same facts.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

from shared.rules.model import All, AnyOf, Condition, Facts, Leaf, Not, Scalar

Holds = Callable[[Condition, Facts], bool | None]


def held_days_feature(feature: str) -> str:
    """Where a single question says for how many days up to today a feature's leaf has held."""
    return f"{feature}_held_days"


def derived_feature(leaf: Leaf) -> str:
    return f"{leaf.feature} {leaf.op} {leaf.value} for {leaf.lasting_days} days"


def lasting_leaves(condition: Condition) -> Iterator[Leaf]:
    if isinstance(condition, Leaf):
        if condition.lasting_days is not None:
            yield condition
    elif isinstance(condition, Not):
        yield from lasting_leaves(condition.of)
    else:
        for part in condition.of:
            yield from lasting_leaves(part)


def without_lasting(condition: Condition) -> Condition:
    """``condition`` with each lasting leaf replaced by its derived fact."""
    if isinstance(condition, Leaf):
        return condition if condition.lasting_days is None else Leaf(derived_feature(condition), "==", True)
    if isinstance(condition, Not):
        return Not(without_lasting(condition.of))
    parts = tuple(without_lasting(part) for part in condition.of)
    return All(parts) if isinstance(condition, All) else AnyOf(parts)


def from_question(leaves: tuple[Leaf, ...], facts: Facts, holds: Holds) -> dict[str, Scalar | None]:
    """``facts`` and the derived ones, where the question itself counts the days (``held_days_feature``)."""
    derived: dict[str, Scalar | None] = dict(facts)
    for leaf in leaves:
        counted = Leaf(held_days_feature(leaf.feature), ">=", float(leaf.lasting_days or 0))
        derived[derived_feature(leaf)] = holds(All((replace(leaf, lasting_days=None), counted)), facts)
    return derived


def from_history(
    leaves: tuple[Leaf, ...], history: Mapping[date, Facts], day: date, holds: Holds
) -> dict[str, Scalar | None]:
    """The facts of ``day`` and the derived ones: each leaf on every one of its days, an unrecorded day being unknown."""
    derived: dict[str, Scalar | None] = dict(history.get(day, {}))
    for leaf in leaves:
        today = replace(leaf, lasting_days=None)
        known = [holds(today, history.get(day - timedelta(days=back), {})) for back in range(leaf.lasting_days or 1)]
        derived[derived_feature(leaf)] = False if False in known else None if None in known else True
    return derived
