"""What the product needs of whatever lets its work run side by side; ``bus/transport/hub.py`` is the one that services
are given. Locks, events and sleeping are the standard library's: eventlet puts its own in their place.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Task(Protocol):
    def wait(self) -> Any:
        """Until it has ended; raises what it raised."""

    def kill(self) -> None: ...


class Hub(Protocol):
    def spawn(self, function: Callable[[], object]) -> Task:
        """Lets ``function`` run beside the caller."""

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """The block ends in time, or with a TimeoutError, whatever it waits for."""

    def off_hub(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Runs heavy pure computation in a thread, so that heartbeats, timers and /metrics go on meanwhile.

        ``function`` must touch no database session, no socket and no shared state.
        """

    def wait_for_socket(self, fileno: int, for_write: bool, within_s: float | None) -> None:
        """Lets others run until the socket is ready; raises TimeoutError."""

    def hold_for_socket(self, fileno: int, within_ms: int) -> None:
        """Lets nobody run until there is something to read, or until the time is up."""
