"""What a fault gets to work with, and what it must show for itself."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.counting import control_settled, settled
from tests.faults.ground import Ground, Side
from tests.faults.script import Script
from tests.faults.sending import Sender


@dataclass
class Witness:
    """That the fault really happened: ``seen`` in words; ``missing``: what should have been seen and was not."""

    seen: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    by_hand: bool = False
    """Somebody had to help, so it cannot be said to have ended by itself."""

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
    """``script``: with what is expected of each message once the strike is over."""

    side: Side
    sender: Sender
    script: Script
    chance: random.Random
    witness: Witness
    poison: int
    """Messages that no handler can take, as long as nobody mends it."""

    @property
    def ground(self) -> Ground:
        return self.side.ground

    def settled(self) -> bool:
        """All is published and all that was published is done."""
        if self.side.must_stop_cleanly:
            return self.sender.done and settled(self.ground, self.script, self.sender.confirmed)
        return self.sender.done and control_settled(self.ground)


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
