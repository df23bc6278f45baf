"""Publishes an operator's batches with pipelined confirms, on a connection that nothing is consumed from.

py-amqp does not match confirms to messages and its own confirming publish costs a round trip each, so tags are counted
here; after any error the channel and its connection are thrown away, because their count can no longer be trusted.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import amqp
import eventlet
from kombu import Connection, Producer

from shared.bus.broker import PublishFailed
from shared.bus.delivery.replies import DEFAULT_EXCHANGE
from shared.messages.envelope import EVENTS_EXCHANGE, Outgoing

PERSISTENT = 2


class ConfirmedPublisher:
    """AMQP 0-9-1. ``confirm_timeout_s`` bounds the whole batch, a blocked socket included (broker alarms block)."""

    def __init__(self, connect: Callable[[], Connection], confirm_timeout_s: float = 10.0) -> None:
        self._connect = connect
        self._confirm_timeout_s = confirm_timeout_s
        self._connection: Connection | None = None
        self._channel: Any = None
        self._published = 0
        self._unconfirmed: set[int] = set()
        self._refused: set[int] = set()
        self._returned: list[str] = []
        self._unroutable: set[str] = set()

    def publish(self, messages: Sequence[Outgoing]) -> list[str]:
        """Raises PublishFailed; the caller sends the same batch again later, under the same ids."""
        self._returned, self._unroutable = [], set()
        try:
            with eventlet.Timeout(self._confirm_timeout_s):
                self._open()
                for message in messages:
                    self._published += 1
                    self._unconfirmed.add(self._published)
                    self._channel.basic_publish(
                        amqp_message(message),
                        exchange=message.exchange,
                        routing_key=message.routing_key,
                        mandatory=message.exchange != EVENTS_EXCHANGE,  # nobody has to listen to an event
                    )
                while self._unconfirmed:
                    assert self._connection is not None
                    self._connection.drain_events()
        except eventlet.Timeout:
            waiting = len(self._unconfirmed)
            self.close()
            raise PublishFailed(f"no confirm for {waiting} messages in {self._confirm_timeout_s} s") from None
        except (OSError, amqp.AMQPError, amqp.exceptions.MessageNacked) as error:
            self.close()
            raise PublishFailed(f"{type(error).__name__}: {error}") from error
        if self._refused:
            count = len(self._refused)
            self.close()
            raise PublishFailed(f"the broker refused {count} messages")
        if self._unroutable:
            # A retry or a dead letter, and its queue is gone: unlike a reply, it must not vanish.
            raise PublishFailed(f"no queue takes {', '.join(sorted(self._unroutable))}")
        return self._returned

    def close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        self._published = 0
        self._unconfirmed, self._refused = set(), set()
        if connection is not None:
            # A connection that failed may fail again while it is closed; it is gone either way.
            with contextlib.suppress(OSError, amqp.AMQPError, eventlet.Timeout), eventlet.Timeout(2.0):
                connection.release()

    def _open(self) -> None:
        if self._channel is not None:
            return
        self._connection = self._connect()
        self._channel = self._connection.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)

    def _on_ack(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._unconfirmed = {waiting for waiting in self._unconfirmed if waiting > tag}
        else:
            self._unconfirmed.discard(tag)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        refused = {waiting for waiting in self._unconfirmed if waiting <= tag} if multiple else {tag}
        self._refused |= refused
        self._unconfirmed -= refused

    def _on_return(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        if exchange == DEFAULT_EXCHANGE:
            self._returned.append(routing_key)
        else:
            self._unroutable.add(routing_key)


class MemoryPublisher:
    """``memory://``: what is published is in its queues at once."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._producer: Producer | None = None

    def publish(self, messages: Sequence[Outgoing]) -> list[str]:
        if self._producer is None:
            self._producer = Producer(self._connect().channel())
        for message in messages:
            self._producer.publish(
                message.body,
                exchange=message.exchange,
                routing_key=message.routing_key,
                headers=message.headers,
                content_type=message.content_type,
                content_encoding="utf-8",
                correlation_id=message.correlation_id,
            )
        return []

    def keep_alive(self) -> None:
        """Memory needs no heartbeat."""

    def close(self) -> None:
        self._producer = None


def amqp_message(message: Outgoing) -> amqp.Message:
    """As it goes over the wire."""
    properties: dict[str, Any] = {
        "content_type": message.content_type,
        "delivery_mode": PERSISTENT,
        "application_headers": message.headers,
    }
    if message.correlation_id is not None:
        properties["correlation_id"] = message.correlation_id
    return amqp.Message(message.body, **properties)
