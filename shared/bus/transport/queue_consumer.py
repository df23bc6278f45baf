"""One connection to the broker that stops taking messages before it is let go.

nameko's own queue consumer closes its connection under running workers, so it is subclassed here: a channel for each
queue, and an end in order.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import amqp
import eventlet
import structlog
from eventlet.event import Event
from kombu import Connection
from nameko.extensions import ProviderCollector
from nameko.messaging import QueueConsumer, QueueConsumerStopped

from shared.bus.transport import topology
from shared.bus.transport.amqp_patches import read_in_large_pieces, survive_hostile_frames
from shared.bus.transport.wiring import wiring_of
from shared.ops import metrics

survive_hostile_frames()

_log = structlog.get_logger("tandem.consumer")

GONE = (amqp.AMQPError, OSError)
"""What a broken connection raises."""
_IDLE_CHECK_S = 0.2
_ANSWER_S = 2.0
"""How long the broker may take to confirm the end of a subscription or of a connection."""
_RECONNECT_S, _RECONNECT_MAX_S = 1, 5


class Subscription:
    """One queue consumed on a channel of its own, so that one acknowledgement can cover a batch.

    It begins with one message at a time (``narrow``): what the broker got back from somebody who died comes first, and
    only what is in hand at the next death is counted again. ``widen``, and it takes ``prefetch`` at once.
    """

    def __init__(self, connection: Connection, queue: str, prefetch: int, on_message: Any, narrow: bool) -> None:
        self.channel = connection.channel()
        self.channel.auto_decode = False  # a header must not decide what a body is
        self._queue = queue
        self._prefetch = prefetch
        self._on_message = on_message
        self._consuming = False
        self._narrow, self._to_widen = narrow and prefetch > 1, False

    def __enter__(self) -> "Subscription":
        self._consume(1 if self._narrow else self._prefetch)
        return self

    def _consume(self, prefetch: int) -> None:
        # A consumer of that name with a message in hand is still there: the wide one has a name of its own.
        self._tag = f"{self._queue}.{prefetch}"
        # py-amqp notes whom to call only after the broker's word that it consumes; what comes in one piece with that
        # word would be rejected, and so be delivered in vain by the broker's count.
        getattr(self.channel, "callbacks", {})[self._tag] = self._receive
        self.channel.basic_qos(0, prefetch, False)
        self.channel.basic_consume(queue=self._queue, no_ack=False, consumer_tag=self._tag, callback=self._receive)
        self._consuming = True

    def widen(self) -> None:
        """To be called whenever what came is no suspect; takes effect with ``widen_now``."""
        self._to_widen = self._narrow

    def widen_now(self) -> None:
        """If it was asked for. Waits for the broker, so not from within ``on_message``."""
        if self._to_widen and self._consuming:
            self._narrow = self._to_widen = False
            self.cancel()
            self._consume(self._prefetch)

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(*GONE):  # on the way out of a broken connection there is nothing left to cancel
            self.cancel()

    def cancel(self) -> None:
        """No new deliveries; those taken can still be acknowledged. Raises ConnectionError when nobody answers."""
        if self._consuming:
            self._consuming = False
            try:
                with eventlet.Timeout(_ANSWER_S):
                    self.channel.basic_cancel(self._tag)
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
        self._set_connected(
            False
        )  # until it is: the first look for a broker may take long, and an alert waits for this
        try:
            super().run(safety_interval=_IDLE_CHECK_S)
        except QueueConsumerStopped:
            _log.info("stopped while the broker was away", service=self.container.service_name)
            if not self._consumers_ready.ready():  # nameko would raise None in whoever still waits for the start
                self._consumers_ready.send(None)
        finally:
            self._set_connected(False)

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
                interval_max=_RECONNECT_MAX_S,
                callback=self._stop_looking,
            )
            if isinstance(connection.connection, amqp.Connection):
                read_in_large_pieces(connection.connection)
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
        except (eventlet.Timeout, *GONE):
            connection.collect()

    def get_consumers(self, consumer_cls: Any, channel: Any) -> list[Subscription]:
        wiring = wiring_of(self.container)
        assert self._live is not None
        self._consumers = {}
        for provider in self._providers:
            topology.declare(channel, self.container.service_name, provider.routes, waits=not wiring.in_memory)
            subscription = Subscription(
                self._live,
                provider.queue_name,
                wiring.settings.prefetch_messages,
                provider.receive,
                narrow=not wiring.in_memory,
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
        for subscription in self._consumers.values():
            subscription.widen_now()
        super().on_iteration()

    def on_consume_ready(self, connection: Any, channel: Any, consumers: Any, **kwargs: Any) -> None:
        self._set_connected(True)
        super().on_consume_ready(connection, channel, consumers, **kwargs)

    def on_connection_error(self, exc: Exception, interval: float) -> None:
        self._set_connected(False)
        requests, self._to_quiet = self._to_quiet, []
        for _, done in requests:
            done.send(None)
        _log.warning("no connection to the broker", service=self.container.service_name, exc_info=exc)

    def _set_connected(self, connected: bool) -> None:
        self.connected = connected
        metrics.broker_connected.labels(self.container.service_name).set(int(connected))
