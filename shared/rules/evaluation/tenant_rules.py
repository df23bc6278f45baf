"""One tenant's packs in force, asked in the domain's words: which rules fire, with what they ask for."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from shared.contract.words import PackKind
from shared.rules.evaluation.evaluators import EngineStatistics, Evaluator
from shared.rules.evaluation.history import facts_of_days
from shared.rules.evaluation.modes import not_cancelled
from shared.rules.evaluation.prepared import PreparedPack
from shared.rules.evaluation.reference_evaluator import measured
from shared.rules.model import Conflict, Facts, Fired, Pack
from shared.rules.rule_texts import RuleTexts


class NoSuchPack(KeyError):
    """No pack of this kind is in force."""

    def __str__(self) -> str:
        return f"no {self.args[0]} pack is in force"


class TenantRules:
    """A snapshot: goes on answering by the same packs when others have come into force since."""

    def __init__(
        self,
        prepared: Mapping[PackKind, PreparedPack],
        evaluator: Evaluator,
        *,
        texts: RuleTexts | None = None,
        beside: "Callable[[RuleTexts, date | None], TenantRules] | None" = None,
        apart: Callable[..., Any] | None = None,
    ) -> None:
        self.texts = texts
        """What the packs were made of, where that is known."""
        self._beside = beside
        self._apart = apart
        self._prepared = prepared
        self._evaluator = evaluator
        self.closes_evaluator = False
        """Whether the evaluator ends with these rules; a ``RuleBook``'s does not."""

    def __enter__(self) -> "TenantRules":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker process, unless it is a ``RuleBook``'s."""
        if self.closes_evaluator:
            self._evaluator.close()

    def beside(self, texts: RuleTexts, on: date | None) -> "TenantRules":
        """The packs of ``texts`` on a day, in force for nobody. Raises ``RuleFileErrors``, and ``LookupError`` where
        these rules were not made of texts."""
        if self._beside is None:
            raise LookupError("these rules were not made of texts, so nothing can be tried beside them")
        return self._beside(texts, on)

    def apart(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """``function(evaluator, *arguments)`` where packs are read, which in a service is another process."""
        return function(self._evaluator, *arguments) if self._apart is None else self._apart(function, *arguments)

    def pack(self, kind: PackKind) -> Pack:
        """The resolved pack in force. Raises ``NoSuchPack``."""
        return self._of(kind).pack

    def packs(self) -> tuple[Pack, ...]:
        """All of them."""
        return tuple(prepared.pack for prepared in self._prepared.values())

    def settings(self, kind: PackKind) -> Mapping[str, Any]:
        return {name: setting.value for name, setting in self._of(kind).pack.settings.items()}

    def evaluator(self) -> str:
        return self._evaluator.name

    def engine_statistics(self) -> EngineStatistics:
        return self._evaluator.statistics()

    def decide(self, kind: PackKind, questions: Sequence[Facts]) -> list[tuple[Fired, ...]]:
        prepared = self._of(kind)
        held = self._evaluator.which_hold(prepared.condition_set, questions)
        return [self._fired(prepared, which, facts) for which, facts in zip(held, questions, strict=True)]

    def decide_days(
        self, kind: PackKind, history: Mapping[date, Facts], days: Sequence[date]
    ) -> dict[date, tuple[Fired, ...]]:
        lasting = self._of(kind).lasting
        answers = self.decide(kind, facts_of_days(lasting, history, days))
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
