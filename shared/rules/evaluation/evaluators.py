"""Who says which conditions hold: the engine in its worker, checked and backed by the reference evaluator."""

import importlib
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from shared.rules.caching import IdentityCache, Memoized
from shared.rules.evaluation.durable_client import EngineWorker, Meanwhile, nothing
from shared.rules.evaluation.durable_compiler import Compiled, compile_conditions
from shared.rules.evaluation.kept_child import WorkerFailure
from shared.rules.evaluation.shortlist import Shortlist
from shared.rules.model import Condition, Facts
from shared.rules.observer import Observer

EvaluatorName = Literal["durable-rules", "reference"]
RECHECKED_SHARE = 0.01
MAX_AGREED = 2_000
MAX_CACHED_SETS = 64
"""Sets of conditions of which is remembered what was compiled, and on which questions the evaluators agreed."""
ENGINE_SETTING = "TANDEM_RULES_ENGINE"


ENGINE_CURE = "make setup compiles it (apt install gcc python3-dev)"


class UnknownEvaluator(ValueError):
    """``TANDEM_RULES_ENGINE`` names no evaluator."""


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """``decisions``: fact sets that the worker decided; ``fallbacks``: batches that the reference had to take over."""

    evaluator: EvaluatorName
    reason: str
    worker_pid: int | None = None
    decisions: int = 0
    reference_decisions: int = 0
    rechecked: int = 0
    mismatches: int = 0
    fallbacks: int = 0
    restarts: int = 0


_compiled: IdentityCache[Compiled] = IdentityCache(MAX_CACHED_SETS)


@dataclass(frozen=True, slots=True)
class ConditionSet:
    """Conditions that are asked together, with what the engine needs; ``name`` is the pack's id in metrics."""

    name: str
    conditions: tuple[Condition, ...]
    labels: tuple[str, ...]
    compiled: Compiled

    @classmethod
    def of(cls, name: str, conditions: Sequence[Condition], labels: Sequence[str]) -> "ConditionSet":
        """Raises what ``compile_conditions`` raises.

        Tenants whose rules ask the same, whatever weights and settings they have, share what is compiled of it.
        """
        together = tuple(conditions)
        compiled = _compiled.get(*together)
        if compiled is None:
            compiled = compile_conditions(together)
            _compiled.put(compiled, *together)
        return cls(name, together, tuple(labels), compiled)

    @classmethod
    def again(
        cls, name: str, conditions: Sequence[Condition], labels: Sequence[str], compiled: Compiled
    ) -> "ConditionSet":
        """As ``of``, with what another process compiled."""
        together = tuple(conditions)
        known = _compiled.get(*together)
        if known is None:
            _compiled.put(compiled, *together)
        return cls(name, together, tuple(labels), known or compiled)


def _sorted(condition_set: ConditionSet) -> Shortlist:
    return Shortlist(condition_set.conditions)


_shortlist = Memoized(_sorted, limit=64)


class Evaluator:
    """Answers sets of conditions, by the engine where it can and by the reference where it must."""

    def __init__(
        self,
        name: EvaluatorName,
        reason: str,
        worker: EngineWorker | None = None,
        *,
        observer: Observer | None = None,
        rechecks: random.Random | None = None,
        rechecked_share: float = RECHECKED_SHARE,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.name: EvaluatorName = name
        self.observer = observer or Observer()
        self.worker = worker
        self.agreed: IdentityCache[bool] = IdentityCache(MAX_AGREED)
        """Conditions that the engine and the reference were found to read alike."""
        self.agreed_on: IdentityCache[set[int]] = IdentityCache(MAX_CACHED_SETS)
        """By what is compiled of a set of conditions the questions, as hashes, on which the two answered alike."""
        self._rechecks = rechecks or random.Random()
        self._rechecked_share = rechecked_share
        self._clock = clock
        self._statistics = EngineStatistics(name, reason)

    def statistics(self) -> EngineStatistics:
        if self.worker is None:
            return self._statistics
        return replace(self._statistics, worker_pid=self.worker.pid, restarts=max(0, self.worker.starts - 1))

    def which_hold(self, condition_set: ConditionSet, questions: Sequence[Facts]) -> list[tuple[int, ...]]:
        """Per question the positions of the conditions that are known to hold, ascending."""
        if not questions:
            return []
        started = self._clock()
        held = self._by_engine(condition_set, questions)
        evaluator: EvaluatorName = "reference" if held is None else "durable-rules"
        if held is None:
            drawer = _shortlist(condition_set).of
            held = [tuple([at for at, holds in drawer(facts) if holds(facts)]) for facts in questions]
        self.observer.evaluated(condition_set.name, evaluator, len(questions), self._clock() - started)
        self._count(evaluator, len(questions))
        return held

    def by_reference(self, condition_set: ConditionSet, facts: Facts) -> tuple[int, ...]:
        return tuple([at for at, holds in _shortlist(condition_set).of(facts) if holds(facts)])

    def by_engine(
        self, condition_set: ConditionSet, questions: Sequence[Facts], meanwhile: Meanwhile = nothing
    ) -> list[tuple[int, ...]]:
        """The engine's bare answer, unchecked. ``meanwhile``: see ``EngineWorker.ask``. Raises ``WorkerFailure``."""
        if self.worker is None:
            raise WorkerFailure("not started", self._statistics.reason)
        body = condition_set.compiled.body
        return [
            tuple(held)
            for held in self.worker.ask(condition_set.compiled, [body(facts) for facts in questions], meanwhile)
        ]

    def close(self) -> None:
        if self.worker:
            self.worker.close()

    def _by_engine(self, condition_set: ConditionSet, questions: Sequence[Facts]) -> list[tuple[int, ...]] | None:
        if self.worker is None:
            return None
        try:
            held = self.by_engine(condition_set, questions)
        except WorkerFailure as failure:
            self._add(fallbacks=1)
            self.observer.engine_failed(failure.reason, str(failure))
            return None
        return [self._rechecked(condition_set, facts, answer) for facts, answer in zip(questions, held, strict=True)]

    def _rechecked(self, condition_set: ConditionSet, facts: Facts, answer: tuple[int, ...]) -> tuple[int, ...]:
        if self._rechecks.random() >= self._rechecked_share:
            return answer
        expected = self.by_reference(condition_set, facts)
        self._add(rechecked=1, mismatches=int(expected != answer))
        if expected != answer:
            differing = sorted(set(expected) ^ set(answer))
            self.observer.mismatched(condition_set.name, [condition_set.labels[at] for at in differing])
        return expected

    def _count(self, evaluator: EvaluatorName, questions: int) -> None:
        if evaluator == "reference":
            self._add(reference_decisions=questions)
        else:
            self._add(decisions=questions)

    def _add(self, **counts: int) -> None:
        now = self._statistics
        self._statistics = replace(now, **{name: getattr(now, name) + count for name, count in counts.items()})


def missing_engine() -> str | None:
    """Why durable-rules cannot be used here; None where it can."""
    try:
        importlib.import_module("durable_rules_engine")
    except ImportError as error:
        return f"durable-rules cannot be imported: {error}"
    return None


def choose_evaluator(
    wanted: str | None = None,
    *,
    observer: Observer | None = None,
    rechecks: random.Random | None = None,
    environment: "os._Environ[str] | dict[str, str]" = os.environ,
) -> Evaluator:
    """The evaluator asked for (argument, then ``TANDEM_RULES_ENGINE``), or the reference where the engine is missing.

    Raises ``UnknownEvaluator``.
    """
    name = wanted or environment.get(ENGINE_SETTING) or "durable-rules"
    asked_by = "asked for" if wanted else f"{ENGINE_SETTING}={name}"
    if name == "reference":
        return Evaluator("reference", asked_by, observer=observer, rechecks=rechecks)
    if name != "durable-rules":
        raise UnknownEvaluator(f"{asked_by}: '{name}' is no rules engine; use 'durable-rules' or 'reference'")
    missing = missing_engine()
    if missing is not None:
        (observer or Observer()).engine_missing(f"{missing}; the reference evaluator decides alone; {ENGINE_CURE}")
        return Evaluator("reference", missing, observer=observer, rechecks=rechecks)
    return Evaluator("durable-rules", "in its worker process", EngineWorker(), observer=observer, rechecks=rechecks)
