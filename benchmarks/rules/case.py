"""What a case offers, and what all cases share."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from benchmarks.rules.work import Work
from shared.rules.evaluation.normal_form import Branch, Literal, branches
from shared.rules.model import Condition

Answers = Sequence[Collection[int]]
Round = Callable[[], Answers]
"""Answers every question of the work once: the positions of the rules that fire. This, and nothing else, is timed."""


class Case(Protocol):
    NAME: str
    PACKAGE: str | None
    SETTINGS: str

    def ready(self, work: Work) -> Round:
        """Rules translated and loaded, questions in the form that the engine wants."""


def ways(condition: Condition) -> list[list[Literal]]:
    """``condition`` as alternatives of plain tests, the shortest form we know: so no engine is given needless work."""
    return [_ordered(branch) for branch in branches(condition)]


def _ordered(branch: Branch) -> list[Literal]:
    """What most often fails comes first."""
    return sorted(branch, key=lambda it: (len(it.values) > 1, it.channel == "number", it.feature, str(it.values)))
