"""Both evaluators on the same questions before a pack comes into force; a pack on which they differ is refused.

Asked are every example and, per rule, each distinct combination of its comparisons' answers (true, false, unknown)
once. Rules with more combinations than their share are asked around each way in which they fire, one fact changed at
a time, and for the rest at random from a fixed seed. Whatever it was made for, a question is put to the whole pack.
"""

import itertools
import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.rules.evaluation.evaluators import ConditionSet, Evaluator
from shared.rules.evaluation.normal_form import Literal, branches_once, channel_of
from shared.rules.evaluation.reference_evaluator import answer
from shared.rules.model import Condition, Facts, Leaf, Scalar, derived_feature, leaves

PER_RULE = 128
PER_PACK = 600
AT_LEAST = 8
"""Questions for a rule, however many rules share ``PER_PACK``, as long as these come to ``MAX_ASKED`` at most."""
MAX_ASKED = 1_000
"""Each is put to every rule, so that they cost the square of the rules."""
SEED = 1
BREATH = 200
"""Questions after which an eventlet hub may turn to others."""
_NO_RULES_WORD = "a word that no rule knows"

Question = dict[str, Scalar | None]


@dataclass(frozen=True, slots=True)
class Disagreement:
    rule: str
    facts: Facts
    engine: bool
    reference: bool


class EvaluatorsDisagree(Exception):
    """The engine and the reference evaluator read a rule differently: a fault of ours, never of the pack's author."""

    def __init__(self, pack: str, first: Disagreement) -> None:
        told = {True: "fires", False: "is silent"}
        known = ", ".join(f"{name}={value}" for name, value in first.facts.items() if value is not None)
        super().__init__(
            f"pack {pack}, rule {first.rule}: the engine says it {told[first.engine]}, "
            f"the reference evaluator says it {told[first.reference]} ({known or 'nothing known'})"
        )
        self.first = first


def check(condition_set: ConditionSet, examples: Sequence[Facts], evaluator: Evaluator, at_most: int = PER_PACK) -> int:
    """Ask both every example and ``at_most`` made questions; the number of questions asked.

    A condition on which the two have agreed before is asked about with the examples only, beside the new ones; and
    with none of them where these very conditions were asked together before. Raises ``EvaluatorsDisagree`` and
    ``WorkerFailure``.
    """
    conditions = condition_set.conditions
    agreed = evaluator.agreed_on.get(condition_set.compiled) or set()
    example_of = {_key(facts): facts for facts in examples}
    new = [at for at, condition in enumerate(conditions) if not evaluator.agreed.get(condition)]
    sharing = max(1, len(conditions))
    each = min(PER_RULE, max(AT_LEAST, at_most // sharing), max(1, MAX_ASKED // sharing))
    made = [question for at in new for question in questions(conditions[at], each)]
    asking: list[Facts] = [*(facts for key, facts in example_of.items() if key not in agreed), *made]
    if not asking:
        return 0
    expected_of: list[tuple[int, ...]] = []

    def by_reference(start: int, end: int) -> None:
        for number in range(start, end):
            if number % BREATH == 0:
                time.sleep(0)
            expected_of.append(evaluator.by_reference(condition_set, asking[number]))

    answers = evaluator.by_engine(condition_set, asking, by_reference)
    for facts, engine, expected in zip(asking, answers, expected_of, strict=True):
        if engine != expected:
            at = min(set(engine) ^ set(expected))
            raise EvaluatorsDisagree(
                condition_set.name, Disagreement(condition_set.labels[at], facts, at in engine, at in expected)
            )
    for at in new:
        evaluator.agreed.put(True, conditions[at])
    evaluator.agreed_on.put(agreed | set(example_of), condition_set.compiled)
    return len(asking)


def _key(facts: Facts) -> int:
    """1, 1.0 and True are not the same here."""
    return hash(frozenset((name, type(value), value) for name, value in facts.items()))


def questions(condition: Condition, at_most: int = PER_RULE) -> list[Question]:
    """Fact sets that tell apart what ``condition`` tells apart, at most ``at_most`` of them."""
    values = {feature: _distinct(compared) for feature, compared in _by_feature(condition).items()}
    if math.prod(len(choices) for choices in values.values()) <= at_most:
        return [dict(zip(values, picked, strict=True)) for picked in itertools.product(*values.values())]
    dice = random.Random(SEED)
    found = dict.fromkeys(itertools.islice(_around_firing(condition, values, dice), max(1, at_most * 3 // 4)))
    while len(found) < at_most:
        found[tuple((feature, choices[int(dice.random() * len(choices))]) for feature, choices in values.items())] = (
            None
        )
    return [dict(question) for question in found]


def _around_firing(
    condition: Condition, values: Mapping[str, Sequence[Scalar | None]], dice: random.Random
) -> Iterator[tuple[tuple[str, Scalar | None], ...]]:
    ways = []
    for branch in branches_once(condition):
        literals: dict[str, list[Literal]] = {}
        for literal in branch:
            literals.setdefault(literal.feature, []).append(literal)
        firing: Question = dict.fromkeys(values)  # Of what the branch does not ask, nothing is known.
        for feature, asked in literals.items():
            fitting = (value for value in values[feature] if all(_fits(literal, value) for literal in asked))
            firing[feature] = next(fitting, None)
        ways.append(firing)
    changes = [(feature, value) for feature, choices in values.items() for value in choices]
    dice.shuffle(changes)
    yield from (tuple(way.items()) for way in ways)
    for feature, value in changes:
        for way in ways:
            yield tuple({**way, feature: value}.items())


def _fits(literal: Literal, value: Scalar | None) -> bool:
    return any(answer(literal.op, wanted, value) is True for wanted in literal.values)


def _by_feature(condition: Condition) -> dict[str, list[Leaf]]:
    found: dict[str, dict[tuple[str, type, Scalar], Leaf]] = {}
    for leaf in leaves(condition):
        plain = leaf if leaf.lasting_days is None else Leaf(derived_feature(leaf), "==", True)
        found.setdefault(plain.feature, {})[plain.op, type(plain.value), plain.value] = plain
    return {feature: list(asked.values()) for feature, asked in found.items()}


def _distinct(compared: Sequence[Leaf]) -> list[Scalar | None]:
    """One value for each way in which the comparisons of one feature can turn out together; None = unknown."""
    answers: dict[tuple[bool | None, ...], Scalar | None] = {}
    for value in (None, *_candidates([leaf.value for leaf in compared])):
        answers.setdefault(tuple([answer(leaf.op, leaf.value, value) for leaf in compared]), value)
    return list(answers.values())


def _candidates(constants: Sequence[Scalar]) -> Iterator[Scalar]:
    numbers = sorted({float(value) for value in constants if channel_of(value) == "number"})
    yield from numbers  # First: it is at its thresholds that a rule is most easily misread.
    yield from ((low + high) / 2 for low, high in itertools.pairwise(numbers))
    if numbers:
        yield numbers[0] - 1.0
        yield numbers[-1] + 1.0
    yield from sorted({str(value) for value in constants if channel_of(value) == "text"})
    if any(channel_of(value) == "text" for value in constants):
        yield _NO_RULES_WORD
    if any(channel_of(value) == "truth" for value in constants):
        yield True
        yield False
