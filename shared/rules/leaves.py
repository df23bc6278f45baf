"""The comparisons in a condition.

One that must have held for days stands for a yes/no fact of its own, so that no evaluator needs a memory.
"""

from collections.abc import Iterator

from shared.rules.model import Condition, Leaf, Not


def derived_feature(leaf: Leaf) -> str:
    """The name of the fact (true, false or unknown) that says whether a lasting leaf has held for its days."""
    value = str(leaf.value).lower().removesuffix(".0")
    return f"{leaf.feature} {leaf.op} {value} for {leaf.lasting_days} days"


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Every comparison of a condition, left to right."""
    if isinstance(condition, Leaf):
        yield condition
    elif isinstance(condition, Not):
        yield from leaves(condition.of)
    else:
        for part in condition.of:
            yield from leaves(part)


def lasting_leaves(condition: Condition) -> Iterator[Leaf]:
    return (leaf for leaf in leaves(condition) if leaf.lasting_days is not None)
