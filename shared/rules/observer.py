"""What there is to see while rules are at work; metrics and logs subclass ``Observer``, which itself only warns."""

import warnings
from collections.abc import Sequence
from typing import Literal

from shared.rules.errors import RuleFileError


class EngineMissing(UserWarning):
    """durable-rules cannot be imported; says why, who decides instead, and how to mend it."""


class Observer:
    """Called in the course of deciding: must be quick and must not raise."""

    def evaluated(self, pack: str, evaluator: str, questions: int, seconds: float) -> None:
        """``questions`` fact sets were put to the rules of ``pack``."""

    def mismatched(self, pack: str, rules: Sequence[str]) -> None:
        """Engine and reference disagreed on ``rules`` in a live decision; the reference's answer was served."""

    def engine_failed(self, reason: str, message: str) -> None:
        """The engine gave no answer (died, deadline, not started, busy); the reference evaluator decided instead."""

    def engine_missing(self, message: str) -> None:
        """The engine cannot be imported; asked once, before the first decision."""
        warnings.warn(EngineMissing(message), stacklevel=2)

    def watched(self, pack: str, rule: str) -> None:
        """A rule in mode ``watch`` would have fired."""

    def reloaded(self, tenant: str | None, outcome: Literal["activated", "refused"], seconds: float) -> None:
        """Changed rule files were noticed and are now in force, or refused as a whole."""

    def behind(self, tenants: int) -> None:
        """So many tenants' packs are still to be made anew; each is when it is asked for, at the latest."""

    def refused(self, errors: Sequence[RuleFileError]) -> None:
        """The mistakes in the files on disk right now; empty when all is well again."""
