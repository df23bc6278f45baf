"""Athletes seen in a process of its own, under the rules in force or with one of their numbers set otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from shared.contract.words import PackKind
from shared.rules.decisions import Rules
from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.lifecycle.rule_book import open_rules
from shared.rules.model import Conflict, Facts, Fired, Pack
from tandem.offline.trial import Seen, see

LIMIT = "chart_limit"
"""The dial of the detector whose trade-off is drawn."""


@dataclass(frozen=True)
class Dialled:
    """The rules in force with one number of the recovery pack set otherwise."""

    rules: Rules
    dialled: Mapping[str, Any]

    def pack(self, kind: PackKind) -> Pack:
        return self.rules.pack(kind)

    def settings(self, kind: PackKind) -> Mapping[str, Any]:
        return {**self.rules.settings(kind), **(self.dialled if kind == "recovery" else {})}

    def decide(self, kind: PackKind, questions: Sequence[Facts]) -> list[tuple[Fired, ...]]:
        return self.rules.decide(kind, questions)

    def decide_days(
        self, kind: PackKind, history: Mapping[date, Facts], days: Sequence[date]
    ) -> dict[date, tuple[Fired, ...]]:
        return self.rules.decide_days(kind, history, days)

    def conflict_table(self, classes: Sequence[Facts], athlete: Facts) -> dict[tuple[int, int], tuple[Conflict, ...]]:
        return self.rules.conflict_table(classes, athlete)

    def evaluator(self) -> str:
        return self.rules.evaluator()


_open: dict[str, TenantRules] = {}


def start(folder: Path) -> None:
    """In each process: the rules, decided by the reference evaluator, which the services' engine is checked against."""
    _open["rules"] = open_rules(folder, evaluator="reference")


def see_dialled(seed: int, job: tuple[str, int, float | None]) -> tuple[str, float | None, Seen]:
    population, number, limit = job
    rules: Rules = _open["rules"] if limit is None else Dialled(_open["rules"], {LIMIT: limit})
    return population, limit, see(population, number, seed, rules)
