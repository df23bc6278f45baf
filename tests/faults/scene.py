"""What a fault gets to work with, and what it must show for itself."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.ground import Ground, Side
from tests.faults.script import Script
from tests.faults.sending import Sender


@dataclass
class Witness:
    """That the fault really happened: ``seen`` in words; ``missing``: what should have been seen and was not."""

    seen: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def saw(self, count: int, what: str) -> None:
        """``count`` of ``what``; none at all means that the fault did not bite."""
        self.seen.append(f"{count} {what}")
        if count < 1:
            self.missing.append(what)

    def told(self, what: str) -> None:
        """Something worth knowing that need not be so."""
        self.seen.append(what)


@dataclass(frozen=True)
class Scene:
    side: Side
    sender: Sender
    script: Script
    chance: random.Random
    witness: Witness

    @property
    def ground(self) -> Ground:
        return self.side.ground


Break = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """``strike`` breaks something while messages are being sent, and leaves everything running again."""

    name: str
    what: str
    strike: Break
    seconds: float = 15.0
    """How long the strike takes, more or less: the publisher spreads its messages over this time."""
    replicas: int = 2
    starts: bool = True
    """The services run when it strikes; else it starts them itself."""
    killer: bool = False
    """One message of the script kills whoever takes it."""
    poison: float = 0.01
    mended: bool = False
    """The strike mends the handlers and gives them the parked messages back."""
    control: bool = True
    """Can be done to a stock nameko service too."""
