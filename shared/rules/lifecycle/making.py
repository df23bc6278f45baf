"""From texts to rules that can decide, here or in the process that works on rule packs."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from shared.contract.words import PackKind
from shared.rules.errors import RuleFileError, RuleFileErrors
from shared.rules.evaluation.crosscheck import PER_PACK
from shared.rules.evaluation.evaluators import Evaluator
from shared.rules.evaluation.prepared import PreparedPack, prepare
from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.lifecycle.rule_worker import RuleWorker, WorkStopped
from shared.rules.reading.loader import Loaded, MadePack, load_texts
from shared.rules.rule_texts import RuleTexts

TOO_COSTLY = "too_costly"


class RulesTooCostly(RuleFileErrors):
    """Reading or checking the packs took more than it may."""

    code = TOO_COSTLY

    @classmethod
    def at(cls, file: str, stopped: WorkStopped) -> "RulesTooCostly":
        cure = "use fewer rules, words, alternatives and examples"
        message = f"to read and check the pack takes {stopped}, so it was stopped; {cure}"
        return cls([RuleFileError(file, 1, 1, None, message)])


@dataclass(frozen=True, slots=True)
class MadeRules:
    """``loaded`` and ``prepared``: how they came about, for the next to use what has not changed."""

    texts: RuleTexts
    loaded: Loaded
    prepared: Mapping[PackKind, PreparedPack]
    rules: TenantRules


@dataclass(frozen=True, slots=True)
class FreshPacks:
    """What was made of texts: by kind all packs, of those not known before also the packs themselves."""

    made: Mapping[PackKind, MadePack]
    prepared: Mapping[PackKind, PreparedPack]
    hidden: tuple[str, ...]


def make_packs(
    evaluator: Evaluator, texts: RuleTexts, on: date | None, known: Collection[str], at_most: int = PER_PACK
) -> FreshPacks:
    """Reads, checks and compiles what is not ``known`` (by ``MadePack.of``). Raises ``RuleFileErrors``."""
    loaded = load_texts(texts.base, texts.own, on, texts.stored, known)
    made = {kind: replace(one, pack=None) for kind, one in loaded.made.items()}
    return FreshPacks(made, prepare(loaded.packs, evaluator, at_most), loaded.hidden)


class Maker:
    """Without a ``worker`` all is done here. ``at_most``: cross-check questions per pack beside its examples."""

    def __init__(self, evaluator: Evaluator, worker: RuleWorker | None = None, at_most: int = PER_PACK) -> None:
        self._evaluator = evaluator
        self._worker = worker
        self._at_most = at_most

    def apart(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """``function(evaluator, *arguments)``; see ``RuleWorker.run``."""
        if self._worker is None:
            return function(self._evaluator, *arguments)
        return self._worker.run(function, *arguments)

    def make(self, texts: RuleTexts, on: date | None, beside: Iterable[MadeRules] = ()) -> MadeRules:
        """``beside``: of whose packs those that come of the very same texts are taken. Raises ``RuleFileErrors``."""
        known = {
            pack.of: (replace(pack, pack=one.prepared[kind].pack), one.prepared[kind])
            for one in beside
            for kind, pack in one.loaded.made.items()
        }
        try:
            fresh: FreshPacks = self.apart(make_packs, texts, on, tuple(sorted(known)), self._at_most)
        except WorkStopped as stopped:
            raise RulesTooCostly.at((*texts.base, *texts.own, *texts.stored)[-1].file, stopped) from None
        made: dict[PackKind, MadePack] = {}
        prepared: dict[PackKind, PreparedPack] = {}
        for kind, one in fresh.made.items():
            if kind in fresh.prepared:
                prepared[kind] = fresh.prepared[kind]
                made[kind] = replace(one, pack=prepared[kind].pack)
            else:
                made[kind], prepared[kind] = known[one.of]
        return self._ready(texts, Loaded.of(made, fresh.hidden), prepared)

    def _ready(self, texts: RuleTexts, loaded: Loaded, prepared: Mapping[PackKind, PreparedPack]) -> MadeRules:
        def beside(others: RuleTexts, on: date | None) -> TenantRules:
            return self.make(others, on, [made]).rules

        rules = TenantRules(prepared, self._evaluator, texts=texts, beside=beside, apart=self.apart)
        made = MadeRules(texts, loaded, prepared, rules)
        return made
