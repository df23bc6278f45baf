"""Random rules and random facts, made to meet: few features, constants that facts often equal or nearly equal.

Words hold what is awkward in YAML, JSON and the engine's own language. Facts may be absent, unknown or of a type that
the rule does not expect.
"""

import random

from shared.rules.model import All, AnyOf, Condition, Facts, Leaf, Not, Op, Scalar, derived_feature

MAX_RULES = 60
MAX_PARTS = 4
DEEPEST = 4

_NUMBERS = (0.0, -0.0, 1.5, 6.0, 24.0, -5.5, 0.1 + 0.2, 1 / 3, 1e-09, 1e12, -1e12, 100.0)
_NEAR = (
    *_NUMBERS,
    23.999999999999996,
    24.000000000000004,
    5e-324,
    1e300,
    float("inf"),
    -float("inf"),
    7,
    24,
    float("nan"),
)
_WORDS = ("long", "Long", "", "?", "=long", "a b", 'quo"te', "back\\slash", "line\nbreak", "ünï", "☃", "$or")
_OTHER_WORDS = (*_WORDS, "tempo", "0", "true", "null", '","f0":1,"x":"', "x" * 300)
_NAMES = ("gap", "load", "type", "mode", "key", "_k", "id", "$and")
_OPS: tuple[Op, ...] = ("==", "!=", "<", "<=", ">", ">=")
_LASTING = (Leaf("load", ">=", 1.5, 3), Leaf("key", "==", True, 2))
_FACTS = (*_NAMES, "other", *map(derived_feature, _LASTING))


def random_conditions(dice: random.Random) -> list[Condition]:
    """The conditions of one pack: mostly a handful, now and then enough for several handles of the engine."""
    number = dice.randint(1, MAX_RULES if dice.random() < 0.1 else 12)
    return [_condition(dice, DEEPEST) for _ in range(number)]


def _condition(dice: random.Random, depth: int) -> Condition:
    if depth == 0 or dice.random() < 0.35:
        return _leaf(dice)
    kind = dice.random()
    if kind < 0.15:
        return Not(_condition(dice, depth - 1))
    if kind < 0.3:
        name = dice.choice(_NAMES)
        return AnyOf(tuple(Leaf(name, "==", word) for word in dice.sample(_WORDS, dice.randint(2, 5))))
    parts = tuple(_condition(dice, depth - 1) for _ in range(dice.randint(0 if dice.random() < 0.05 else 1, MAX_PARTS)))
    return All(parts) if kind < 0.7 else AnyOf(parts)


def _leaf(dice: random.Random) -> Leaf:
    kind = dice.random()
    if kind < 0.05:
        return dice.choice(_LASTING)
    name = dice.choice(_NAMES)
    if kind < 0.55:
        return Leaf(name, dice.choice(_OPS), dice.choice(_NUMBERS))
    if kind < 0.85:
        return Leaf(name, dice.choice(_OPS[:2]), dice.choice(_WORDS))
    return Leaf(name, dice.choice(_OPS[:2]), dice.random() < 0.5)


def random_facts(dice: random.Random) -> Facts:
    return {name: _value(dice) for name in _FACTS if dice.random() < 0.8}


def _value(dice: random.Random) -> Scalar | None:
    kind = dice.random()
    if kind < 0.1:
        return None
    if kind < 0.55:
        return dice.choice(_NEAR)
    return dice.choice(_OTHER_WORDS) if kind < 0.8 else dice.random() < 0.5
