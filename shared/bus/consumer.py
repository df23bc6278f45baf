"""Takes messages from RabbitMQ in batches and acknowledges what was committed, and nothing else.

nameko's own consumer acknowledges what failed and closes its connection under running workers (see the design notes in
docs/explanation), so its queue consumer and entrypoint are subclassed here: raw messages, in-flight tags, draining.
"""

import contextlib
import random
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal

import amqp
import eventlet
import structlog
from eventlet.event import Event
from kombu import Connection
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint, ProviderCollector
from nameko.messaging import QueueConsumer, QueueConsumerStopped

from shared.bus import topology
from shared.bus.deliveries import delivery_from, tenant_in
from shared.bus.handling import Route
from shared.bus.hostile_frames import survive_hostile_frames
from shared.bus.processing import Batch
from shared.bus.wiring import wiring_of
from shared.ops import metrics

survive_hostile_frames()

_log = structlog.get_logger("tandem.consumer")

_GONE = (amqp.AMQPError, OSError)
_DATABASE_PAUSE_S = 1.0
_IDLE_CHECK_S = 0.2
SUSPECT_AFTER = 5
"""Deliveries in vain, of topology.DELIVERY_LIMIT, after which a message may be one that kills its service."""
_ANSWER_S = 2.0
"""How long the broker may take to confirm the end of a subscription or of a connection."""
_RECONNECT_S, _RECONNECT_MOST_S = 1, 5


class Subscription:
    """One queue consumed on a channel of its own, so that one acknowledgement can cover a batch."""

    def __init__(self, connection: Connection, queue: str, prefetch: int, on_message: Any) -> None:
        self.channel = connection.channel()
        self.channel.auto_decode = False  # a header must not decide what a body is
        self._queue = queue
        self._prefetch = prefetch
        self._on_message = on_message
        self._consuming = False

    def __enter__(self) -> "Subscription":
        self.channel.basic_qos(0, self._prefetch, False)
        self.channel.basic_consume(queue=self._queue, no_ack=False, consumer_tag=self._queue, callback=self._receive)
        self._consuming = True
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(*_GONE):  # on the way out of a broken connection there is nothing left to cancel
            self.cancel()

    def cancel(self) -> None:
        """No new deliveries; those taken can still be acknowledged. Raises ConnectionError when nobody answers."""
        if self._consuming:
            self._consuming = False
            try:
                with eventlet.Timeout(_ANSWER_S):
                    self.channel.basic_cancel(self._queue)
            except eventlet.Timeout:
                raise ConnectionResetError(f"the broker did not answer in {_ANSWER_S} s") from None

    def _receive(self, message: Any) -> None:
        self._on_message(self, message)


class DrainingQueueConsumer(QueueConsumer):  # type: ignore[misc]  # nameko ships no types
    """One connection per service; lets go of it only when every entrypoint has drained."""

    def __init__(self) -> None:
        super().__init__()
        self._live: Connection | None = None
        self._to_quiet: list[tuple[Any, Event]] = []
        self.connected = False

    def run(self) -> None:
        try:
            super().run(safety_interval=_IDLE_CHECK_S)
        except QueueConsumerStopped:
            _log.info("stopped while the broker was away", service=self.container.service_name)
        finally:
            self._tell_connected(False)

    def quiet(self, provider: Any) -> None:
        """Stops deliveries to ``provider``; returns when the broker has confirmed it, or at once while it is away."""
        if not self.connected:
            return
        done = Event()
        self._to_quiet.append((provider, done))
        done.wait()

    def unregister_provider(self, provider: Any) -> None:
        """nameko's own waits for the thread that consumes, which waits for the broker, which may be away."""
        self._consumers.pop(provider, None)
        ProviderCollector.unregister_provider(self, provider)
        if not self._providers:
            self.should_stop = True

    @contextlib.contextmanager
    def establish_connection(self) -> Iterator[Connection]:
        connection = self.create_connection()
        try:
            connection.ensure_connection(
                self.on_connection_error,
                interval_start=_RECONNECT_S,
                interval_step=_RECONNECT_S,
                interval_max=_RECONNECT_MOST_S,
                callback=self._stop_looking,
            )
            self._live = connection
            yield connection
        finally:
            self._let_go(connection)

    def _stop_looking(self) -> None:
        if self.should_stop:
            raise QueueConsumerStopped()

    def _let_go(self, connection: Connection) -> None:
        """A half-open connection answers nothing, not even that it closes."""
        try:
            with eventlet.Timeout(_ANSWER_S):
                connection.release()
        except (eventlet.Timeout, *_GONE):
            connection.collect()

    def get_consumers(self, consumer_cls: Any, channel: Any) -> list[Subscription]:
        wiring = wiring_of(self.container)
        assert self._live is not None
        self._consumers = {}
        for provider in self._providers:
            topology.declare(channel, self.container.service_name, provider.routes, waits=not wiring.in_memory)
            subscription = Subscription(
                self._live, provider.queue_name, wiring.settings.prefetch_messages, provider.receive
            )
            provider.reconnected(subscription)
            self._consumers[provider] = subscription
        return list(self._consumers.values())

    def on_iteration(self) -> None:
        requests, self._to_quiet = self._to_quiet, []
        for provider, done in requests:
            if provider in self._consumers:
                self._consumers[provider].cancel()
            done.send(None)
        super().on_iteration()

    def on_consume_ready(self, connection: Any, channel: Any, consumers: Any, **kwargs: Any) -> None:
        self._tell_connected(True)
        super().on_consume_ready(connection, channel, consumers, **kwargs)

    def on_connection_error(self, exc: Exception, interval: float) -> None:
        self._tell_connected(False)
        requests, self._to_quiet = self._to_quiet, []
        for _, done in requests:
            done.send(None)
        _log.warning("no connection to the broker", service=self.container.service_name, exc_info=exc)

    def _tell_connected(self, connected: bool) -> None:
        self.connected = connected
        metrics.broker_connected.labels(self.container.service_name).set(int(connected))


class BatchEntrypoint(Entrypoint):  # type: ignore[misc]  # nameko ships no types
    """Calls the decorated method with a list of deliveries; it returns the Batch that says how many are settled."""

    queue_consumer = DrainingQueueConsumer()

    def __init__(self, source: Literal["command", "event", "crowded"], routes: Sequence[Route], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.routes = tuple(routes)
        self._waiting: deque[Any] = deque()
        self._subscription: Subscription | None = None
        self._arrived = Event()
        self._stopping = False
        self._taking = False
        self._singly = False
        self._loop: Any = None

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
        return len(self._waiting) + (self._in_batch if self._taking else 0)

    def setup(self) -> None:
        self._in_batch = 0
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
        self._subscription = subscription

    def receive(self, subscription: Subscription, message: Any) -> None:
        if subscription is self._subscription:
            self._waiting.append(message)
            self._wake()

    def _run(self) -> None:
        while True:
            self._arrived.wait()
            self._arrived = Event()
            while self._waiting:
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
        """All that waits, one by one: first what was hardly delivered before, then the rest in any order.

        One of them may kill the process each time, and the broker counts that against everything it had handed over.
        In their own order the ones behind the killer would never get their turn and be parked together with it.
        """
        subscription = self._subscription
        messages = list(self._waiting)
        self._waiting.clear()
        random.shuffle(messages)
        self._singly = True
        for message in sorted(messages, key=_is_suspect):
            if subscription is self._subscription:
                self._settle([message])
        self._singly = False

    def _settle(self, messages: list[Any]) -> None:
        subscription = self._subscription
        gauge = metrics.in_flight.labels(self.container.service_name)
        self._taking, self._in_batch = True, len(messages)
        while messages and subscription is self._subscription:
            gauge.set(self.in_flight)
            given = messages[: self._size]
            # Retried messages stand under keys of the internal exchange and count with their like.
            in_hand = Counter(tenant_in(message) for message in chain(messages, self._waiting))
            result = self._work(given, in_hand)
            if result is None:
                self._return(messages)
                break
            self._fit_size(len(given), result)
            messages = messages[result.done :]
            self._in_batch = len(messages)
            if result.database_away:
                # Every message would fail alike; waiting with them in hand burns nobody's attempts.
                eventlet.sleep(_DATABASE_PAUSE_S)
        self._taking = False
        gauge.set(self.in_flight)

    def _fit_size(self, given: int, result: Batch) -> None:
        """Gives slow handlers about as many messages as they manage within one transaction's time, quick ones more."""
        if result.done < given and not result.database_away:
            self._size = max(1, result.done)
        elif given == self._size:
            self._size = min(self._size * 2, self._settings.batch_messages)

    def _work(self, messages: list[Any], in_hand: Mapping[str, int]) -> Batch | None:
        """Runs the service method in a worker; acknowledges, then hands over what is to be published."""
        finished = Event()

        def settle(worker: Any, result: Batch | None, failed: Any) -> tuple[Batch | None, Any]:
            if result is not None:
                self._acknowledge(messages[: result.done])
                worker.service.bus.relay.hand_over(result.messages)
            finished.send(result)
            return result, failed

        try:
            deliveries = [
                delivery_from(message, self._declared_source, in_hand[tenant_in(message)]) for message in messages
            ]
            self.container.spawn_worker(self, (deliveries,), {}, handle_result=settle)
        except ContainerBeingKilled:
            return None
        result: Batch | None = finished.wait()
        return result

    def _acknowledge(self, messages: list[Any]) -> None:
        if not messages or self._subscription is None:
            return
        channel = self._subscription.channel
        try:
            if self._in_memory or self._singly:
                for message in messages:
                    if self._in_memory or message.channel is channel:
                        channel.basic_ack(message.delivery_tag)
            elif messages[0].channel is channel:
                # One worker per channel takes deliveries in order, so everything up to this tag is settled.
                channel.basic_ack(messages[-1].delivery_tag, multiple=True)
        except _GONE:
            _log.warning("acknowledging failed, the broker delivers again", exc_info=True)

    def _return(self, messages: list[Any]) -> None:
        """Our own mistake, not the messages': back to the queue, whose delivery limit ends it if that repeats."""
        assert self._subscription is not None
        eventlet.sleep(_DATABASE_PAUSE_S)
        try:
            for message in messages:
                if self._in_memory or message.channel is self._subscription.channel:
                    self._subscription.channel.basic_reject(message.delivery_tag, requeue=True)
        except _GONE:
            _log.warning("returning messages failed, the broker delivers again", exc_info=True)

    def _wake(self) -> None:
        if not self._arrived.ready():
            self._arrived.send(None)


def _is_suspect(message: Any) -> bool:
    headers = message.properties.get("application_headers") or {} if isinstance(message, amqp.Message) else {}
    delivered = headers.get("x-delivery-count", 0)
    return isinstance(delivered, int) and delivered >= SUSPECT_AFTER


batches = BatchEntrypoint.decorator
