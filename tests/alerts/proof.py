"""What proves an alert: a real fault that fires it, and the steps of its runbook that end it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.alerts.ground import Ground

Strike = Callable[[Ground], Iterator[None]]
"""Breaks something, then yields while it is looked whether the alert fires; what has to be kept up (a flood) is done
between the yields, what has to be let go of in a ``finally``."""
Mend = Callable[[Ground], None]


def nothing(_ground: Ground) -> None:
    """The strike ended by being let go of."""


@dataclass(frozen=True, slots=True)
class Proof:
    """``step``: the words of the runbook by which ``mend`` goes. ``lane``: proofs of one lane come one after the other,
    beside those of other lanes; those of none come last, alone."""

    alert: str
    fault: str
    strike: Strike
    step: str
    mend: Mend = nothing
    after: Mend = nothing
    """Takes away what the test alone put there, once the alert has ended."""
    lane: str = ""
    fills_disk: bool = False
    """Needs a small disk of its own for the database, which only root can mount."""
    labels: Callable[[Ground], Mapping[str, str]] = field(default=lambda _ground: {})
    also: tuple[str, str] | None = None
    """A second alert of the same fault, that mends with it, and the words of its own runbook."""
    fires_within_s: float = 60
    clears_within_s: float = 60

    @property
    def alerts(self) -> tuple[str, ...]:
        return (self.alert,) if self.also is None else (self.alert, self.also[0])

    @property
    def steps(self) -> dict[str, str]:
        return {self.alert: self.step, **({} if self.also is None else {self.also[0]: self.also[1]})}
