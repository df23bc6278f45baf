"""How much work a week may cost, counted in work and not in time: the same input ends at the same place everywhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

WEEK_SECONDS: Final = 4.0
"""Deterministic seconds for one week, its explanation included; about as many of a slow core."""

# What pieces of work cost, measured on a slow core.
PAIR_TABLE: Final = 6e-5
CELL: Final = 5e-9
CLAUSE: Final = 5e-6
LARGE_CLAUSE: Final = 2e-5
"""Of the large model, where each stands for memory too: about 2 KB once the solver has made its own of it."""
STEP: Final = 6e-6
CANDIDATE: Final = 1e-6


class OutOfBudget(RuntimeError):
    """The work was stopped before it came to an answer."""


class Budget:
    """Deterministic seconds that are left, of which ``part`` sets some aside for what comes later."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def spend(self, seconds: float) -> None:
        """Raises ``OutOfBudget`` when there was no more to be spent."""
        self.left -= seconds
        if self.left <= 0:
            raise OutOfBudget

    @contextmanager
    def part(self, share: float) -> Iterator[None]:
        """Within the block only ``share`` of what is left may be spent; what is not stays for later."""
        rest = max(self.left, 0.0) * (1 - share)
        self.left -= rest
        try:
            yield
        finally:
            self.left = max(self.left, 0.0) + rest
