"""Every situation that a set of conditions can tell apart: exact, and few, because like situations are taken once.

Sessions are consistent (a run has a type and no region), numbers are tried at, between and beyond every threshold.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import product
from math import prod
from time import process_time

from shared.contract.sessions import SESSION_KINDS, SESSION_TAGS
from shared.rules.authoring.feature_ranges import range_of
from shared.rules.evaluation.reference_evaluator import compare, holds
from shared.rules.model import Condition, Facts, Leaf, Rule, Scalar, Shape, derived_feature, leaves
from shared.rules.vocabulary import FEATURES

_TAGS: tuple[dict[str, Scalar | None], ...] = tuple(
    {"kind": name, **dict(zip(kind.tags, words, strict=True))}
    for name, kind in SESSION_KINDS.items()
    for words in product(*(SESSION_TAGS[tag].words for tag in kind.tags))
)
_USUAL_MINUTES = 45.0
MAX_SITUATIONS = 200_000
_LOOK_AT_THE_CLOCK = 512
_ENDS: ContextVar[float] = ContextVar("ends", default=math.inf)
"""Of this thread's trying, in seconds of processor time."""
_EDGES_OF_A_DAY = (Leaf("gap_hours", "<", 0.0), Leaf("gap_hours", "<", 24.0))


class TooManySituations(Exception):
    """The conditions tell more situations apart than can be tried."""


@contextmanager
def trying_for(seconds: float) -> Iterator[None]:
    """Within it, ``situations`` goes on for so many seconds of processor time in all, then raises TooManySituations."""
    token = _ENDS.set(process_time() + seconds)
    try:
        yield
    finally:
        _ENDS.reset(token)


def situations(conditions: Sequence[Condition], shape: Shape, most: int = MAX_SITUATIONS) -> Iterator[Facts]:
    """One question per combination of answers that the comparisons in ``conditions`` can give together.

    Raises TooManySituations before the first when there are more than ``most``, and when the time is up.
    """
    asked = tuple(dict.fromkeys(leaf for condition in conditions for leaf in leaves(condition)))
    dimensions = _pair(asked) if shape == "pair" else []
    taken = {name for values in dimensions for value in values for name in value}
    for name in dict.fromkeys(leaf.feature for leaf in asked if leaf.lasting_days is None):
        if name not in taken:
            dimensions.append([{name: value} for value in _values(name, asked)])
    for key in dict.fromkeys(derived_feature(leaf) for leaf in asked if leaf.lasting_days is not None):
        dimensions.append([{key: True}, {key: False}])
    distinguished = [_distinguished(values, asked) for values in dimensions]
    if prod(len(values) for values in distinguished) > most:
        raise TooManySituations
    ends = _ENDS.get()
    for number, parts in enumerate(product(*distinguished)):
        if number % _LOOK_AT_THE_CLOCK == 0 and process_time() > ends:
            raise TooManySituations
        facts: dict[str, Scalar | None] = {}
        for part in parts:
            facts.update(part)
        yield facts


def _pair(asked: Sequence[Leaf]) -> list[list[dict[str, Scalar | None]]]:
    """The first session, the second, and how they lie: a day is 24 h long, so far apart is never the same day."""
    sides = []
    for which in ("first", "then"):
        minutes = _values(f"{which}_duration_min", asked) or [_USUAL_MINUTES]
        sides.append(
            [
                {f"{which}_{tag}": value for tag, value in ({**tags, "duration_min": length, "key": key}).items()}
                for tags in _TAGS
                for length in minutes
                for key in (False, True)
            ]
        )
    gaps = _values("gap_hours", (*asked, *_EDGES_OF_A_DAY))
    lie: list[dict[str, Scalar | None]] = [
        {"gap_hours": gap, "same_day": same_day}
        for gap in gaps
        for same_day in (True, False)
        if not (same_day and isinstance(gap, float) and gap >= 24)
    ]
    return [*sides, lie]


def _values(name: str, asked: Iterable[Leaf]) -> list[Scalar]:
    """For words and flags all of them, for numbers each threshold and a number in every interval."""
    feature = FEATURES.get(name)
    if feature is not None and feature.type == "word":
        return list(feature.words)
    if feature is not None and feature.type == "bool":
        return [True, False]
    bounds = sorted({float(leaf.value) for leaf in asked if leaf.feature == name and isinstance(leaf.value, float)})
    if not bounds:
        return []
    between = [(low + high) / 2 for low, high in zip(bounds, bounds[1:], strict=False)]
    possible = range_of(name)
    if possible.whole:
        # Between two thresholds there may be no whole number at all.
        beside = [float(math.floor(bound) + step) for bound in bounds for step in (-1, 0, 1, 2)]
        return sorted({value for value in beside if value in possible})
    found = [bounds[0] - 1.0, *bounds, *between, bounds[-1] + 1.0]
    ends = [end for end in (possible.least, possible.most) if end is not None]
    inside = [(end + bound) / 2 for end in ends for bound in (bounds[0], bounds[-1])]
    return sorted({value for value in (*found, *ends, *inside) if value in possible})


def _distinguished(values: Sequence[dict[str, Scalar | None]], asked: Sequence[Leaf]) -> list[dict[str, Scalar | None]]:
    """One value for each way in which the comparisons on it can turn out."""
    names = {name for value in values for name in value}
    about = [leaf for leaf in asked if (_key(leaf) or leaf.feature) in names]
    seen: dict[tuple[bool | None, ...], dict[str, Scalar | None]] = {}
    for value in values:
        answers = tuple(compare(leaf, value) for leaf in about)
        seen.setdefault(answers, value)
    return list(seen.values())


def _key(leaf: Leaf) -> str | None:
    return None if leaf.lasting_days is None else derived_feature(leaf)


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
