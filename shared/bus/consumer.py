"""Takes messages from RabbitMQ in batches and acknowledges what was committed, and nothing else.

nameko's own entrypoint acknowledges what failed, so it is subclassed here: raw messages, in-flight tags, draining.
"""

import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Literal

import amqp
import eventlet
import structlog
from eventlet.event import Event
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint

from shared.bus import topology
from shared.bus.acknowledging import Acknowledgements, Taken
from shared.bus.deliveries import delivery_from, tenant_in
from shared.bus.draining import DrainingQueueConsumer, Subscription
from shared.bus.handling import Route
from shared.bus.processing import Batch
from shared.bus.wiring import wiring_of
from shared.ops import metrics

_log = structlog.get_logger("tandem.consumer")

_DATABASE_PAUSE_S = 1.0
_LOOK_S = 0.01
ABREAST = 2
"""Batches under way of one queue, where the database is another process: one is computed while the other waits."""
SUSPECT_AFTER = 5
"""Deliveries in vain, of topology.DELIVERY_LIMIT, after which a message may be one that kills its service."""


class BatchEntrypoint(Entrypoint):  # type: ignore[misc]  # nameko ships no types
    """Calls the decorated method with a list of deliveries; it returns the Batch that says how many are settled."""

    queue_consumer = DrainingQueueConsumer()

    def __init__(self, source: Literal["command", "event", "crowded"], routes: Sequence[Route], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.routes = tuple(routes)
        self._waiting: deque[Any] = deque()
        self._in_hand: list[Taken] = []
        self._subscription: Subscription | None = None
        self._acknowledgements: Acknowledgements | None = None
        self._arrived = Event()
        self._stopping = False
        self._singly = False
        self._loops: list[Any] = []

    @property
    def queue_name(self) -> str:
        service = self.container.service_name
        if self.source == "crowded":
            return topology.crowded_queue(service)
        return topology.commands_queue(service) if self.source == "command" else topology.events_queue(service)

    @property
    def _declared_source(self) -> Literal["command", "event"]:
        """What comes back over the internal exchange says itself what it was."""
        return "event" if self.source == "event" else "command"

    @property
    def in_flight(self) -> int:
        """Deliveries taken and not yet acknowledged."""
        return len(self._waiting) + sum(len(taken.unsettled) for taken in self._in_hand)

    @property
    def _all_in_flight(self) -> int:
        """Of the service's other queues, too: they share one figure."""
        return sum(one.in_flight for one in self.container.entrypoints if isinstance(one, BatchEntrypoint))

    def setup(self) -> None:
        wiring = wiring_of(self.container)
        self._settings = wiring.settings
        self._size = self._settings.batch_messages
        self._in_memory = wiring.in_memory
        self._abreast = ABREAST if wiring.waits_for_database(self.container.service_name) else 1
        self.queue_consumer.register_provider(self)

    def start(self) -> None:
        self._loops = [
            self.container.spawn_managed_thread(self._run, identifier=f"batches of {self.queue_name}, {number}")
            for number in range(self._abreast)
        ]

    def stop(self) -> None:
        """Takes nothing more, finishes what was taken, acknowledges it, then lets the connection go."""
        try:
            with eventlet.Timeout(self._settings.drain_seconds):
                self.queue_consumer.quiet(self)
                self._stopping = True
                self._wake()
                for loop in self._loops:
                    loop.wait()
        except eventlet.Timeout:
            # Not acknowledged, so the broker delivers it again to whoever comes next.
            _log.warning("stopped before draining", service=self.container.service_name, messages=self.in_flight)
            for loop in self._loops:
                loop.kill()
        self.queue_consumer.unregister_provider(self)

    def kill(self) -> None:
        # The container kills the thread itself; it may be the very thread that died and is telling the container.
        self._waiting.clear()

    def reconnected(self, subscription: Subscription) -> None:
        """What was taken over the old connection comes again over this one."""
        self._waiting.clear()
        if self._acknowledgements is not None:
            self._acknowledgements.end()
        self._subscription = subscription
        self._acknowledgements = Acknowledgements(subscription.channel, self._in_memory)

    def receive(self, subscription: Subscription, message: Any) -> None:
        if subscription is self._subscription:
            self._waiting.append(message)
            self._wake()

    def _run(self) -> None:
        """Settles batch after batch. Each takes all that waits, so its messages came before those of the next."""
        while True:
            self._arrived.wait()
            if self._arrived.ready():  # or another loop was quicker, and waits for this one
                self._arrived = Event()
            while self._waiting and not self._singly:
                if len(self._waiting) < self._settings.batch_messages and not self._stopping:
                    eventlet.sleep(self._settings.batch_wait_ms / 1000)
                if self._singly:
                    break
                if any(_is_suspect(message) for message in self._waiting):
                    self._settle_suspects()
                size = min(len(self._waiting), self._settings.batch_messages)
                batch = [self._waiting.popleft() for _ in range(size)]
                if batch:
                    self._settle(batch)
            if self._stopping:
                self._wake()
                return

    def _settle_suspects(self) -> None:
        """All that waits, one by one: first what was hardly delivered before, then the rest in any order.

        One of them may kill the process each time, and the broker counts that against everything it had handed over.
        In their own order the ones behind the killer would never get their turn and be parked together with it.
        """
        self._singly = True
        while self._in_hand:  # a batch beside this one would die with it
            eventlet.sleep(_LOOK_S)
        acknowledgements = self._acknowledgements
        messages = list(self._waiting)
        self._waiting.clear()
        random.shuffle(messages)
        for message in sorted(messages, key=_is_suspect):
            if acknowledgements is self._acknowledgements:
                self._settle([message])
        self._singly = False
        self._wake()

    def _settle(self, messages: list[Any]) -> None:
        acknowledgements = self._acknowledgements
        assert acknowledgements is not None
        taken = acknowledgements.take(messages, in_order=not self._singly)
        self._in_hand.append(taken)
        gauge = metrics.in_flight.labels(self.container.service_name)
        try:
            while taken.unsettled and acknowledgements is self._acknowledgements:
                gauge.set(self._all_in_flight)
                given = taken.unsettled[: self._size]
                result = self._work(given, lambda count: self._acknowledge(acknowledgements, taken, count))
                if result is None:
                    # Our own mistake, not the messages': the queue's delivery limit ends it if that repeats.
                    eventlet.sleep(_DATABASE_PAUSE_S)
                    acknowledgements.give_back(taken)
                    break
                self._fit_size(len(given), result)
                eventlet.sleep(0)  # what was committed goes out before the next batch is begun
                if result.database_away:
                    # Every message would fail alike; waiting with them in hand burns nobody's attempts.
                    eventlet.sleep(_DATABASE_PAUSE_S)
        finally:
            self._in_hand.remove(taken)
        gauge.set(self._all_in_flight)

    def _fit_size(self, given: int, result: Batch) -> None:
        """Gives slow handlers about as many messages as they manage within one transaction's time, quick ones more."""
        if result.done < given and not result.database_away:
            self._size = max(1, result.done)
        elif given == self._size:
            self._size = min(self._size * 2, self._settings.batch_messages)

    def _work(self, messages: list[Any], acknowledge: Callable[[int], None]) -> Batch | None:
        """Runs the service method in a worker; acknowledges, then hands over what is to be published."""
        finished = Event()

        def settle(worker: Any, result: Batch | None, failed: Any) -> tuple[Batch | None, Any]:
            if result is not None:
                acknowledge(result.done)
                worker.service.bus.relay.hand_over(result.messages)
            finished.send(result)
            return result, failed

        # Retried messages stand under keys of the internal exchange and count with their like.
        held = chain(self._waiting, *(taken.unsettled for taken in self._in_hand))
        in_hand = Counter(tenant_in(message) for message in held)
        try:
            deliveries = [
                delivery_from(message, self._declared_source, in_hand[tenant_in(message)]) for message in messages
            ]
            self.container.spawn_worker(self, (deliveries,), {}, handle_result=settle)
        except ContainerBeingKilled:
            return None
        result: Batch | None = finished.wait()
        return result

    def _acknowledge(self, acknowledgements: Acknowledgements, taken: Taken, count: int) -> None:
        acknowledgements.settled(taken, count)

    def _wake(self) -> None:
        if not self._arrived.ready():
            self._arrived.send(None)


def _is_suspect(message: Any) -> bool:
    headers = message.properties.get("application_headers") or {} if isinstance(message, amqp.Message) else {}
    delivered = headers.get("x-delivery-count", 0)
    return isinstance(delivered, int) and delivered >= SUSPECT_AFTER


batches = BatchEntrypoint.decorator
