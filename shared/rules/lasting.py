"""Leaves that must have held for days stand for one yes/no fact each, so that no evaluator needs a memory."""

from collections.abc import Iterator

from shared.rules.model import Condition, Leaf, Not


def held_days_feature(feature: str) -> str:
    """Where an example says for how many days up to today a feature's comparison has held."""
    return f"{feature}_held_days"


def derived_feature(leaf: Leaf) -> str:
    """The name of the fact (true, false or unknown) that says whether a lasting leaf has held for its days."""
    value = str(leaf.value).lower().removesuffix(".0")
    return f"{leaf.feature} {leaf.op} {value} for {leaf.lasting_days} days"


def lasting_leaves(condition: Condition) -> Iterator[Leaf]:
    if isinstance(condition, Leaf):
        if condition.lasting_days is not None:
            yield condition
    elif isinstance(condition, Not):
        yield from lasting_leaves(condition.of)
    else:
        for part in condition.of:
            yield from lasting_leaves(part)
