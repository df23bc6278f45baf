"""Where one rule fires, compared with where another does; exact, over all situations that the two tell apart."""

from shared.rules.authoring.situations import situations
from shared.rules.evaluation.reference_evaluator import holds
from shared.rules.model import Facts, Rule


def fires_within(inner: Rule, outer: Rule) -> bool:
    """Whether ``outer`` fires wherever ``inner`` does. The examples settle most pairs of rules at once."""
    if inner.shape != outer.shape or any(
        holds(inner.when, example.facts) is True and holds(outer.when, example.facts) is False
        for example in inner.examples
    ):
        return False
    return all(
        holds(outer.when, facts) is True
        for facts in situations([inner.when, outer.when], inner.shape)
        if holds(inner.when, facts) is True
    )


def overlap(one: Rule, other: Rule) -> Facts | None:
    """A situation in which both fire."""
    if one.shape != other.shape:
        return None
    for facts in situations([one.when, other.when], one.shape):
        if holds(one.when, facts) is True and holds(other.when, facts) is True:
            return facts
    return None
