"""Packs made ready to be asked: compiled, and found to be read alike by both evaluators."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.contract.words import PackKind
from shared.located_yaml.nodes import Position
from shared.rules.caching import interned
from shared.rules.errors import RuleFileError, RuleFileErrors
from shared.rules.evaluation.conflict_table import PairRules
from shared.rules.evaluation.crosscheck import PER_PACK, EvaluatorsDisagree, check
from shared.rules.evaluation.durable_compiler import Compiled, ConstantOutOfRange, PackTooLarge, compile_conditions
from shared.rules.evaluation.evaluators import ConditionSet, Evaluator
from shared.rules.evaluation.kept_child import WorkerFailure
from shared.rules.evaluation.modes import served_rule
from shared.rules.evaluation.normal_form import RuleTooComplex, UnsupportedComparison
from shared.rules.evaluation.reference_evaluator import decided_by
from shared.rules.model import DecidedBy, Leaf, Pack, Rule, lasting_leaves

_NOT_COMPILED = (RuleTooComplex, UnsupportedComparison, ConstantOutOfRange, PackTooLarge)


@dataclass(frozen=True, slots=True)
class PreparedPack:
    """A pack with its rules compiled; made once per version, shared by every snapshot that holds it."""

    pack: Pack
    condition_set: ConditionSet
    served: tuple[Rule, ...]
    deciders: tuple[DecidedBy, ...]
    lasting: tuple[Leaf, ...]
    pairs: PairRules

    @classmethod
    def of(cls, pack: Pack) -> "PreparedPack":
        """Raises ``RuleFileErrors`` for rules that the engine cannot be given."""
        served = tuple(served_rule(rule) for rule in pack.rules)
        lasting = dict.fromkeys(leaf for rule in pack.rules for leaf in lasting_leaves(rule.when))
        try:
            condition_set = ConditionSet.of(
                pack.id, [rule.when for rule in pack.rules], [rule.id for rule in pack.rules]
            )
            pairs = PairRules.of(pack.id, pack.rules)
        except _NOT_COMPILED as error:
            raise RuleFileErrors(_uncompiled(pack) or [_at(pack, None, str(error))]) from error
        return cls(pack, condition_set, served, tuple(decided_by(pack, rule) for rule in served), tuple(lasting), pairs)

    def __reduce__(self) -> tuple[object, ...]:
        """Over a pipe go the rules and what is compiled of them; the rest is made of these again."""
        return PreparedPack._again, (self.pack, self.condition_set.compiled, self.pairs.parts())

    @classmethod
    def _again(cls, sent: Pack, compiled: Compiled, pairs: tuple[Any, ...]) -> "PreparedPack":
        # Equal conditions are one object in each process: what was worked out of them counts for all tenants.
        rules = tuple(replace(rule, when=interned(rule.when)) for rule in sent.rules)
        pack = replace(sent, rules=rules)
        served = tuple(served_rule(rule) for rule in rules)
        lasting = dict.fromkeys(leaf for rule in rules for leaf in lasting_leaves(rule.when))
        asked = ConditionSet.again(pack.id, [rule.when for rule in rules], [rule.id for rule in rules], compiled)
        deciders = tuple(decided_by(pack, rule) for rule in served)
        return cls(pack, asked, served, deciders, tuple(lasting), PairRules.again(pack.id, rules, *pairs))

    def crosscheck(self, evaluator: Evaluator, at_most: int) -> None:
        """With ``at_most`` questions beside the examples. Raises ``RuleFileErrors`` if the evaluators differ.

        An engine that does not answer is no reason to refuse a pack: then the reference decides, and each live answer
        that the engine gives later may still be checked again.
        """
        if evaluator.worker is None:
            return
        examples = [example.facts for rule in self.pack.rules for example in rule.examples]
        try:
            check(self.condition_set, examples, evaluator, at_most)
            check(self.pairs.condition_set, (), evaluator, at_most // 2)
        except EvaluatorsDisagree as difference:
            rule = next((rule for rule in self.pack.rules if rule.id == difference.first.rule), None)
            raise RuleFileErrors([_at(self.pack, rule, str(difference))]) from difference
        except WorkerFailure as failure:
            evaluator.observer.engine_failed(failure.reason, f"pack {self.pack.id} not cross-checked: {failure}")


def prepare(
    packs: Mapping[PackKind, Pack], evaluator: Evaluator, at_most: int = PER_PACK
) -> dict[PackKind, PreparedPack]:
    """All of ``packs``, or ``RuleFileErrors`` with every mistake.

    Each pack is cross-checked with ``at_most`` questions beside its examples.
    """
    made: dict[PackKind, PreparedPack] = {}
    mistakes: list[RuleFileError] = []
    for kind, pack in packs.items():
        try:
            made[kind] = PreparedPack.of(pack)
            made[kind].crosscheck(evaluator, at_most)
        except RuleFileErrors as errors:
            mistakes.extend(errors.errors)
    if mistakes:
        raise RuleFileErrors(mistakes)
    return made


def _uncompiled(pack: Pack) -> list[RuleFileError]:
    mistakes = []
    for rule in pack.rules:
        try:
            compile_conditions([rule.when])
        except _NOT_COMPILED as error:
            mistakes.append(_at(pack, rule, str(error)))
    return mistakes


def _at(pack: Pack, rule: Rule | None, message: str) -> RuleFileError:
    start = Position(pack.files[-1] if pack.files else pack.id, 1, 1)
    place = rule.position if rule is not None and rule.position is not None else start
    return RuleFileError(place.file, place.line, place.column, rule.id if rule else None, message)
