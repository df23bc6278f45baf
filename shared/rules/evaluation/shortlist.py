"""Which of many conditions are worth asking: most rules want a run here or a lift there, and say so in their words.

A condition that needs ``first_kind`` to be ``lift`` cannot be known to hold of anything else. So the conditions are
sorted by the two features that most of them need words of, and a question goes to its own drawer only.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from shared.rules.caching import Memoized
from shared.rules.evaluation.closures import Predicate, known_to_hold_once
from shared.rules.model import All, AnyOf, Condition, Facts, Leaf

FEATURES = 2
DRAWERS = 256
"""Kept at most: facts may hold any word, also ones that no rule knows."""

Numbered = tuple[tuple[int, Predicate], ...]


def needed_words(condition: Condition) -> Mapping[str, frozenset[str]]:
    """Per feature the words of which the fact must be one, for ``condition`` to be known to hold."""
    if isinstance(condition, Leaf):
        plain = isinstance(condition.value, str) and condition.op == "==" and condition.lasting_days is None
        return {condition.feature: frozenset((str(condition.value),))} if plain else {}
    if not isinstance(condition, All | AnyOf) or not condition.of:
        return {}
    parts = [needed_words(part) for part in condition.of]
    found: dict[str, frozenset[str]] = {}
    for feature in {name for part in parts for name in part}:
        sets = [part[feature] for part in parts if feature in part]
        if isinstance(condition, All):
            found[feature] = frozenset.intersection(*sets)
        elif len(sets) == len(parts):
            found[feature] = frozenset.union(*sets)
    return found


class Shortlist:
    """Conditions by number; ``of(facts)`` are those that could be known to hold, ascending."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._all: Numbered = tuple((at, known_to_hold_once(condition)) for at, condition in enumerate(conditions))
        self._needed = [needed_words_once(condition) for condition in conditions]
        wanted = Counter(name for needed in self._needed for name in needed)
        # The two most needed; of one alone the other would always be the same.
        names = sorted(wanted, key=lambda name: (-wanted[name], name))[:FEATURES]
        self._names = tuple(names) if len(names) == FEATURES else ()
        self._drawers: dict[tuple[object, ...], Numbered] = {}

    def of(self, facts: Facts) -> Numbered:
        if not self._names:
            return self._all
        first, second = self._names
        key = (facts.get(first), facts.get(second))
        drawer = self._drawers.get(key)
        if drawer is None:
            drawer = self._sorted_in(dict(zip(self._names, key, strict=True)))
            if len(self._drawers) < DRAWERS:
                self._drawers[key] = drawer
        return drawer

    def _sorted_in(self, known: Facts) -> Numbered:
        return tuple(
            (at, holds)
            for at, holds in self._all
            if all(known[name] in self._needed[at][name] for name in self._names if name in self._needed[at])
        )


needed_words_once = Memoized(needed_words, limit=1_000)
