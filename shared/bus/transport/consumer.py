"""Takes messages from RabbitMQ in batches and acknowledges what was committed, and nothing else.

nameko's own entrypoint acknowledges what failed, so it is subclassed here: raw messages, in-flight tags, draining.
"""

import math
import random
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Literal

import eventlet
import structlog
from eventlet.event import Event
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint

from shared.bus.delivery.processor import Batch
from shared.bus.delivery.suspects import SUSPECT_AFTER
from shared.bus.queue_names import INTERNAL_EXCHANGE, commands_queue, dead_queue, events_queue, throttled_queue
from shared.bus.routes import Route
from shared.bus.transport.deliveries import dead_delivery, delivered_before, delivery_from, tenant_in
from shared.bus.transport.queue_consumer import GONE, DrainingQueueConsumer, Subscription
from shared.bus.transport.wiring import wiring_of
from shared.messages.envelope import Delivery
from shared.ops import metrics

_log = structlog.get_logger("tandem.consumer")

_DATABASE_PAUSE_S = 1.0
_HELD_UP_PAUSE_S = 0.5
_OVERTAKE_AFTER_S = 0.05
"""After so long a batch is slow, and what waits for nothing of it is handled meanwhile."""
_MOST_BESIDE = 2
"""Batches beside a slow one; each takes a connection to the database."""
_ATHLETE = re.compile(rb'"athlete"\s*:\s*("[^"]+")')


class BatchEntrypoint(Entrypoint):  # type: ignore[misc]  # nameko ships no types
    """Calls the decorated method with a list of deliveries; it returns the Batch that says how many are settled."""

    queue_consumer = DrainingQueueConsumer()

    def __init__(
        self, source: Literal["command", "event", "throttled", "dead"], routes: Sequence[Route], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.routes = tuple(routes)
        self._waiting: deque[Any] = deque()
        self._left: list[Any] = []
        self._under_way: list[Any] = []
        self._slow: list[Event] = []
        self._queries = frozenset(route.key for route in self.routes if route.query)
        self._subscription: Subscription | None = None
        self._arrived = Event()
        self._stopping = False
        self._singly = False
        self._loop: Any = None
        self._bus: Any = None

    @property
    def queue_name(self) -> str:
        service = self.container.service_name
        if self.source == "dead":
            return dead_queue(service)
        if self.source == "throttled":
            return throttled_queue(service)
        return commands_queue(service) if self.source == "command" else events_queue(service)

    @property
    def _declared_source(self) -> Literal["command", "event"]:
        """What comes back over the internal exchange says itself what it was."""
        return "event" if self.source == "event" else "command"

    @property
    def in_flight(self) -> int:
        """Deliveries taken and not yet acknowledged."""
        return len(self._waiting) + len(self._left) + len(self._under_way)

    @property
    def _all_in_flight(self) -> int:
        """Of the service's other queues, too: they share one figure."""
        return sum(one.in_flight for one in self.container.entrypoints if isinstance(one, BatchEntrypoint))

    def setup(self) -> None:
        self._settings = wiring_of(self.container).settings
        self._size = self._settings.batch_messages
        self._in_memory = wiring_of(self.container).in_memory
        self.queue_consumer.register_provider(self)

    def start(self) -> None:
        self._loop = self.container.spawn_managed_thread(self._run, identifier=f"batches of {self.queue_name}")

    def stop(self) -> None:
        """Takes nothing more, finishes what was taken, acknowledges it, then lets the connection go."""
        try:
            with eventlet.Timeout(self._settings.drain_seconds):
                self.queue_consumer.quiet(self)
                self._stopping = True
                self._wake()
                self._loop.wait()
        except eventlet.Timeout:
            # Not acknowledged, so the broker delivers it again to whoever comes next.
            _log.warning("stopped before draining", service=self.container.service_name, messages=self.in_flight)
            self._loop.kill()
        self.queue_consumer.unregister_provider(self)

    def kill(self) -> None:
        # The container kills the thread itself; it may be the very thread that died and is telling the container.
        self._waiting.clear()

    def reconnected(self, subscription: Subscription) -> None:
        """What was taken over the old connection comes again over this one."""
        self._waiting.clear()
        self._left = []
        self._subscription = subscription

    def receive(self, subscription: Subscription, message: Any) -> None:
        if subscription is self._subscription:
            self._waiting.append(message)
            if not _is_suspect(message):
                subscription.widen()
            self._wake()

    def _run(self) -> None:
        while True:
            self._arrived.wait()
            self._arrived = Event()
            while self._waiting:
                if self._bus is not None and self._bus.is_held_up:
                    if self._stopping:
                        self._waiting.clear()  # not acknowledged, so the broker gives it to whoever comes next
                        break
                    eventlet.sleep(_HELD_UP_PAUSE_S)
                    continue
                if len(self._waiting) < self._settings.batch_messages and not self._stopping:
                    eventlet.sleep(self._settings.batch_wait_ms / 1000)
                if any(_is_suspect(message) for message in self._waiting):
                    self._settle_suspects()
                size = min(len(self._waiting), self._settings.batch_messages)
                batch = [self._waiting.popleft() for _ in range(size)]
                if batch:
                    self._settle(batch)
            if self._stopping:
                return

    def _settle_suspects(self) -> None:
        """All that waits: first what was hardly delivered before, then the suspects, one by one and in any order.

        Another replica died of one of them, and the broker gave us what it had in hand. In their own order the ones
        behind the killer would never get their turn.
        """
        subscription = self._subscription
        messages = list(self._waiting)
        self._waiting.clear()
        random.shuffle(messages)
        suspects = [[message] for message in messages if _is_suspect(message)]
        self._singly = True
        for group in ([message for message in messages if not _is_suspect(message)], *suspects):
            if group and subscription is self._subscription:
                self._settle(group)
        self._singly = False

    def _settle(self, messages: list[Any]) -> None:
        subscription = self._subscription
        gauge = metrics.in_flight.labels(self.container.service_name)
        self._left = messages
        while self._left and subscription is self._subscription:
            gauge.set(self._all_in_flight)
            # Retried messages stand under keys of the internal exchange and count with their like.
            in_hand = Counter(tenant_in(message) for message in chain(self._left, self._waiting))
            given, self._left = self._left[: self._size], self._left[self._size :]
            result = self._work(given, in_hand, None if self._singly or self.source == "dead" else self._overtake)
            if result is None:
                self._return(given + self._left)
                break
            self._fit_size(len(given), result)
            self._left = given[result.done :] + self._left
            eventlet.sleep(0)  # what was committed goes out before the next batch is begun
            if result.database_away:
                # Every message would fail alike; waiting with them in hand burns nobody's attempts.
                eventlet.sleep(_DATABASE_PAUSE_S)
        self._left = []
        gauge.set(self._all_in_flight)

    def _overtake(self) -> None:
        """Handles one tenant's messages while batches take long."""
        messages = [] if len(self._slow) > _MOST_BESIDE else self._that_may_overtake()
        if not messages:
            return
        self._left = _without(messages, self._left)
        self._waiting = deque(_without(messages, self._waiting))
        result = self._work(messages, Counter(tenant_in(message) for message in messages), self._overtake)
        if result is None or result.done < len(messages):
            self._left = messages[0 if result is None else result.done :] + self._left
        if result is None or result.database_away:
            eventlet.sleep(_DATABASE_PAUSE_S)

    def _that_may_overtake(self) -> list[Any]:
        """What another tenant sent than those whose messages take long; if nobody did, queries of theirs: none that
        stands behind a command about the same athlete, or, where it names no athlete, behind any of its tenant."""
        ahead: dict[str, list[bytes]] = {}
        for message in self._under_way:
            ahead.setdefault(self._address(message)[0], []).append(self._read(message).body)
        queued = [(*self._address(one), one) for one in chain(self._left, self._waiting) if not _is_suspect(one)]
        most = self._settings.batch_messages
        first = next((tenant for tenant, _, _ in queued if tenant not in ahead), None)
        if first is not None:
            return [message for tenant, _, message in queued if tenant == first][:most]
        free: list[Any] = []
        for tenant, key, message in queued:
            body = self._read(message).body
            athlete = _ATHLETE.search(body) if key in self._queries else None
            if athlete is not None and not any(athlete.group(1) in other for other in ahead[tenant]):
                free.append(message)
            else:
                ahead[tenant].append(body)
        return free[:most]

    def _address(self, message: Any) -> tuple[str, str]:
        """The tenant, and the key without it."""
        sent = message.delivery_info
        key = self._read(message).routing_key if sent["exchange"] == INTERNAL_EXCHANGE else str(sent["routing_key"])
        tenant, _, rest = key.partition(".")
        return tenant, rest

    def _read(self, message: Any, in_hand: int = 1) -> Delivery:
        if self.source == "dead":
            return dead_delivery(self.container.service_name, message)
        return delivery_from(message, self._declared_source, in_hand)

    def _fit_size(self, given: int, result: Batch) -> None:
        """Gives slow handlers about as many messages as they manage within one transaction's time, quick ones more."""
        if result.done < given and not result.database_away:
            self._size = max(1, result.done)
        elif given == self._size:
            self._size = min(self._size * 2, self._settings.batch_messages)

    def _work(
        self, messages: list[Any], in_hand: Mapping[str, int], meanwhile: Callable[[], None] | None = None
    ) -> Batch | None:
        """Runs the service method in a worker; acknowledges, then hands over what is to be published.

        ``meanwhile`` is called now and then while that takes long.
        """
        finished = Event()
        self._under_way += messages

        def settle(worker: Any, result: Batch | None, failed: Any) -> tuple[Batch | None, Any]:
            self._under_way = _without(messages, self._under_way)
            if result is not None:
                self._bus = worker.service.bus
                self._acknowledge(messages[: result.done], messages[result.done :])
                self._bus.relay.hand_over(result.messages)
            finished.send(result)
            return result, failed

        try:
            deliveries = [self._read(message, in_hand[tenant_in(message)]) for message in messages]
            self.container.spawn_worker(self, (deliveries,), {}, handle_result=settle)
        except ContainerBeingKilled:
            self._under_way = _without(messages, self._under_way)
            return None
        self._slow.append(finished)
        while meanwhile is not None and not self._in_memory and not finished.ready():
            finished.wait(_OVERTAKE_AFTER_S)
            if not finished.ready():
                meanwhile()
        self._slow.remove(finished)
        result: Batch | None = finished.wait()
        return result

    def _acknowledge(self, messages: list[Any], rest: list[Any]) -> None:
        if not messages or self._subscription is None:
            return
        channel = self._subscription.channel
        try:
            if self._in_memory or self._singly:
                for message in messages:
                    if self._in_memory or message.channel is channel:
                        channel.basic_ack(message.delivery_tag)
                return
            tags = [message.delivery_tag for message in messages if message.channel is channel]
            # What waits does so in the order of its tags, so its first stands for it.
            others = chain(rest, self._left, islice(self._waiting, 1), self._under_way)
            oldest = min((other.delivery_tag for other in others if other.channel is channel), default=math.inf)
            if tags and max(tags) < oldest:
                channel.basic_ack(max(tags), multiple=True)  # everything up to this tag is settled
            else:  # what was overtaken is not
                for tag in tags:
                    channel.basic_ack(tag)
        except GONE:
            _log.warning("acknowledging failed, the broker delivers again", exc_info=True)

    def _return(self, messages: list[Any]) -> None:
        """Our own mistake, not the messages': back to the queue, whose delivery limit ends it if that repeats."""
        assert self._subscription is not None
        eventlet.sleep(_DATABASE_PAUSE_S)
        try:
            for message in messages:
                if self._in_memory or message.channel is self._subscription.channel:
                    self._subscription.channel.basic_reject(message.delivery_tag, requeue=True)
        except GONE:
            _log.warning("returning messages failed, the broker delivers again", exc_info=True)

    def _wake(self) -> None:
        if not self._arrived.ready():
            self._arrived.send(None)


def _without(some: Sequence[Any], messages: Iterable[Any]) -> list[Any]:
    """By identity: a message sent twice equals itself."""
    gone = {id(message) for message in some}
    return [message for message in messages if id(message) not in gone]


def _is_suspect(message: Any) -> bool:
    return delivered_before(message) >= SUSPECT_AFTER


batches = BatchEntrypoint.decorator
