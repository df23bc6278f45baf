"""What domain code sees of the rules: questions in, fired rules out. Who evaluates (engine or reference) is hidden."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from shared.contract.words import PackKind
from shared.rules.model import Conflict, Facts, Fired, Pack


class Rules(Protocol):
    """One tenant's active packs with an evaluator behind them."""

    def pack(self, kind: PackKind) -> Pack:
        """The resolved pack in force."""

    def settings(self, kind: PackKind) -> Mapping[str, Any]:
        """Setting name -> plain value, of the resolved pack."""

    def decide(self, kind: PackKind, questions: Sequence[Facts]) -> list[tuple[Fired, ...]]:
        """Per question the rules that fire, in the pack's order. Rules in mode ``watch`` are counted, not returned.

        ``allow`` rules have already cancelled the soft rules that they cover. Batched: ask many at once.
        """

    def decide_days(
        self, kind: PackKind, history: Mapping[date, Facts], days: Sequence[date]
    ) -> dict[date, tuple[Fired, ...]]:
        """Athlete-shape rules on each of ``days``; leaves with ``lasting_days`` look back into ``history``."""

    def conflict_table(self, classes: Sequence[Facts], athlete: Facts) -> dict[tuple[int, int], tuple[Conflict, ...]]:
        """For each ordered pair (first, then) of session classes the gap intervals in which pair rules fire.

        ``classes`` hold the session features without prefix (kind, type, region, effort, mode, duration_min, key).
        """

    def evaluator(self) -> str:
        """Who decides: ``durable-rules`` (the worker process) or ``reference``."""
