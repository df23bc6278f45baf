"""What domain code sees of the rules: questions in, fired rules out. Who evaluates (engine or reference) is hidden."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any, ClassVar, Protocol, Self, cast

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


class MissingSetting(KeyError):
    """A pack lacks a setting that is read."""

    def __init__(self, pack: PackKind, name: str) -> None:
        super().__init__(name)
        self.pack = pack

    def __str__(self) -> str:
        return f"the {self.pack} pack has no setting '{self.args[0]}'"


class TypedSettings:
    """Base of a dataclass whose fields are called as the settings of ``pack`` are."""

    __slots__ = ()
    pack: ClassVar[PackKind]

    @classmethod
    def of(cls, settings: "Mapping[str, Any] | TypedSettings") -> Self:
        """What is typed already stays as it is. Raises ``MissingSetting`` for the first name that is not there."""
        if isinstance(settings, cls):
            return settings
        given = cast(Mapping[str, Any], settings)
        values: dict[str, Any] = {}
        for field in fields(cast(Any, cls)):
            if field.name not in given:
                raise MissingSetting(cls.pack, field.name)
            value = given[field.name]
            values[field.name] = tuple(value) if isinstance(value, list) else int(value) if field.type is int else value
        return cls(**values)
