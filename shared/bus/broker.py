"""What everybody but ``transport`` knows of a broker: publishing with confirms, and an operator's look into queues."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

from shared.messages.envelope import Delivery, Outgoing


class PublishFailed(RuntimeError):
    """The broker did not confirm the whole batch; any part of it may or may not have arrived."""


class MessageRefused(PublishFailed):
    """The broker ended the connection over a message of the batch, and would do it again for that message alone."""


class BrokerAway(RuntimeError):
    """It does not answer, or not to us; the message says what it or the network said."""


@dataclass(frozen=True, slots=True)
class Confirms:
    """What the broker said of a batch's messages, which it has but for ``not_taken``.

    ``dropped``: routing keys of replies that nobody waits for any more. ``not_taken``: indices of messages whose queue
    is full or gone.
    """

    dropped: Sequence[str] = ()
    not_taken: frozenset[int] = frozenset()


class Publisher(Protocol):
    """Sends a batch; returns once the broker has said of each message whether it has it."""

    def publish(self, messages: Sequence[Outgoing]) -> Confirms:
        """Raises PublishFailed; MessageRefused where the batch holds a message that breaks the connection."""

    def keep_alive(self) -> None:
        """Call it every few seconds: it sends the heartbeats that a connection without traffic needs."""

    def close(self) -> None: ...


class HeldMessage(Protocol):
    """A message that somebody looks at in its queue. ``properties``: AMQP's, by the names of its specification."""

    @property
    def properties(self) -> Mapping[str, Any]: ...

    @property
    def headers(self) -> Mapping[str, Any]: ...

    @property
    def body(self) -> bytes: ...

    def as_delivery(self, source: Literal["command", "event"]) -> Delivery:
        """As a service would get it; ``source`` is what it is unless it says so itself."""


class QueueView(Protocol):
    """One queue; its end gives back what was not taken, each message to its place."""

    def count(self) -> int:
        """How many messages wait there; 0 when the queue is not there yet."""

    def messages(self) -> Iterator[HeldMessage]:
        """Those that are there now, oldest first. Two who look at once see a part each."""

    def take(self, message: HeldMessage) -> None:
        """For good."""


class Broker(Protocol):
    """An operator's connection, for use in ``with``. Everything may raise BrokerAway."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def look(self, queue: str) -> AbstractContextManager[QueueView]: ...

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Over a connection of its own; raises PublishFailed."""

    def listen(
        self, queue: str, event_keys: Sequence[str], on_message: Callable[[str | None, bytes], None]
    ) -> AbstractContextManager[Callable[[float], None]]:
        """A queue of our own, bound to these events. What is given waits at most so many seconds for messages, and
        calls ``on_message`` with the correlation id and the body of each."""


OpenBroker = Callable[[], Broker]
