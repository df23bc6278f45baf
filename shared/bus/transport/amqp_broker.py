"""``shared.bus.broker.Broker`` over AMQP 0-9-1."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal, Self

import amqp
from kombu import Connection, Consumer, Exchange, Queue
from kombu.exceptions import OperationalError

from shared.bus.broker import BrokerAway, HeldMessage, PublishFailed, QueueView
from shared.bus.transport.deliveries import delivery_from
from shared.bus.transport.publisher import PipelinedPublisher
from shared.messages.envelope import EVENTS_EXCHANGE, Delivery, Outgoing


@contextmanager
def _raising_broker_away() -> Iterator[None]:
    try:
        yield
    except (OSError, amqp.AMQPError, OperationalError) as error:
        raise BrokerAway(str(error) or type(error).__name__) from error


class _Held:
    """py-amqp's message."""

    def __init__(self, message: Any) -> None:
        self._message = message
        self.tag = message.delivery_tag

    @property
    def properties(self) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self._message.properties
        return properties

    @property
    def headers(self) -> Mapping[str, Any]:
        return self.properties.get("application_headers") or {}

    @property
    def body(self) -> bytes:
        body = self._message.body
        return body.encode() if isinstance(body, str) else bytes(body)

    def as_delivery(self, source: Literal["command", "event"]) -> Delivery:
        return delivery_from(self._message, source)


class _View:
    """One queue on a channel of its own."""

    def __init__(self, channel: Any, queue: str) -> None:
        self._channel = channel
        self._channel.auto_decode = False
        self._queue = queue

    @_raising_broker_away()
    def count(self) -> int:
        try:
            return int(self._channel.queue_declare(self._queue, passive=True).message_count)
        except amqp.NotFound:
            return 0

    def messages(self) -> Iterator[HeldMessage]:
        for _ in range(self.count()):
            with _raising_broker_away():
                message = self._channel.basic_get(self._queue)
            if message is None:
                return
            yield _Held(message)

    @_raising_broker_away()
    def take(self, message: HeldMessage) -> None:
        assert isinstance(message, _Held)
        self._channel.basic_ack(message.tag)


class AmqpBroker:
    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._publisher = PipelinedPublisher(connect)

    @_raising_broker_away()
    def __enter__(self) -> Self:
        self._connection = self._connect()
        self._connection.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._publisher.close()
        self._connection.release()

    @contextmanager
    def look(self, queue: str) -> Iterator[QueueView]:
        with _raising_broker_away():
            channel = self._connection.channel()
        try:
            yield _View(channel, queue)
        finally:
            with _raising_broker_away():
                channel.close()

    def publish(self, messages: Sequence[Outgoing]) -> None:
        not_taken = self._publisher.publish(messages).not_taken
        if not_taken:
            keys = sorted({messages[index].routing_key for index in not_taken})
            raise PublishFailed(f"no queue takes {', '.join(keys)}")

    @contextmanager
    def listen(
        self, queue: str, event_keys: Sequence[str], on_message: Callable[[str | None, bytes], None]
    ) -> Iterator[Callable[[float], None]]:
        with _raising_broker_away():
            channel = self._connection.channel()
            bound = Queue(queue, exclusive=True, auto_delete=True)(channel)
            bound.queue_declare()
            for key in event_keys:
                bound.bind_to(Exchange(EVENTS_EXCHANGE, type="topic", no_declare=True), routing_key=key)
            consumer = Consumer(channel, [bound], on_message=lambda message: on_message(*_answer(message)), no_ack=True)
            consumer.consume()
        try:
            yield self._wait
        finally:
            with _raising_broker_away():
                consumer.cancel()

    @_raising_broker_away()
    def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=seconds)
            return
        self._connection.heartbeat_check()


def _answer(message: Any) -> tuple[str | None, bytes]:
    body = message.body
    return message.properties.get("correlation_id"), body.encode() if isinstance(body, str) else bytes(body)
