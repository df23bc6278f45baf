"""One tenant's packs in force, asked in the domain's words: which rules fire, with what they ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.rules.conflict_table import PairRules
from shared.rules.evaluators import ConditionSet, EngineStatistics, Evaluator
from shared.rules.history import facts_of_day
from shared.rules.lasting import lasting_leaves
from shared.rules.model import Conflict, DecidedBy, Facts, Fired, Leaf, Pack, PackKind, Rule
from shared.rules.modes import not_cancelled, served_rule
from shared.rules.reference import decided_by, measured


class NoSuchPack(KeyError):
    """No pack of this kind is in force."""

    def __str__(self) -> str:
        return f"no {self.args[0]} pack is in force"


@dataclass(frozen=True, slots=True)
class PreparedPack:
    """A pack with its rules compiled; made once per version, shared by every snapshot that holds it."""

    pack: Pack
    asked: ConditionSet
    served: tuple[Rule, ...]
    deciders: tuple[DecidedBy, ...]
    lasting: tuple[Leaf, ...]
    pairs: PairRules

    @classmethod
    def of(cls, pack: Pack) -> "PreparedPack":
        """Raises what ``compile_conditions`` raises."""
        served = tuple(served_rule(rule) for rule in pack.rules)
        lasting = dict.fromkeys(leaf for rule in pack.rules for leaf in lasting_leaves(rule.when))
        return cls(
            pack,
            ConditionSet.of(pack.id, [rule.when for rule in pack.rules], [rule.id for rule in pack.rules]),
            served,
            tuple(decided_by(pack, rule) for rule in served),
            tuple(lasting),
            PairRules.of(pack.id, pack.rules),
        )


class TenantRules:
    """A snapshot: goes on answering by the same packs when others have come into force since."""

    def __init__(self, prepared: Mapping[PackKind, PreparedPack], evaluator: Evaluator) -> None:
        self._prepared = prepared
        self._evaluator = evaluator

    def __enter__(self) -> "TenantRules":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker process. A snapshot of a ``RuleBook`` leaves that to the book."""
        self._evaluator.close()

    def pack(self, kind: PackKind) -> Pack:
        """The resolved pack in force. Raises ``NoSuchPack``."""
        return self._of(kind).pack

    def settings(self, kind: PackKind) -> Mapping[str, Any]:
        return {name: setting.value for name, setting in self._of(kind).pack.settings.items()}

    def evaluator(self) -> str:
        return self._evaluator.name

    def engine_statistics(self) -> EngineStatistics:
        return self._evaluator.statistics()

    def decide(self, kind: PackKind, questions: Sequence[Facts]) -> list[tuple[Fired, ...]]:
        prepared = self._of(kind)
        held = self._evaluator.which_hold(prepared.asked, questions)
        return [self._fired(prepared, which, facts) for which, facts in zip(held, questions, strict=True)]

    def decide_days(
        self, kind: PackKind, history: Mapping[date, Facts], days: Sequence[date]
    ) -> dict[date, tuple[Fired, ...]]:
        lasting = self._of(kind).lasting
        answers = self.decide(kind, [facts_of_day(lasting, history, day) for day in days])
        return {
            day: tuple(fired for fired in answer if fired.rule.shape == "athlete")
            for day, answer in zip(days, answers, strict=True)
        }

    def conflict_table(self, classes: Sequence[Facts], athlete: Facts) -> dict[tuple[int, int], tuple[Conflict, ...]]:
        return self._of("sequencing").pairs.table(self._evaluator, classes, athlete)

    def _of(self, kind: PackKind) -> PreparedPack:
        try:
            return self._prepared[kind]
        except KeyError:
            raise NoSuchPack(kind) from None

    def _fired(self, prepared: PreparedPack, which: Sequence[int], facts: Facts) -> tuple[Fired, ...]:
        rules = prepared.pack.rules
        acting = []
        for at in which:
            if rules[at].mode == "watch":
                self._evaluator.observer.watched(prepared.pack.id, rules[at].id)
            else:
                acting.append(at)
        served = prepared.served
        return tuple(
            Fired(served[at], prepared.deciders[at], measured(served[at], facts)) for at in not_cancelled(acting, rules)
        )
