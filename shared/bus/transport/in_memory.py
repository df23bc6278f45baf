"""``memory://``: what services publish by there, and a platform's side of the contract."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kombu import Connection, Consumer, Exchange, Producer, Queue

from shared.bus.broker import Confirms
from shared.bus.queue_names import UNROUTED_EXCHANGE
from shared.messages.envelope import COMMANDS_EXCHANGE, EVENTS_EXCHANGE, JSON, Outgoing, type_of
from shared.messages.ids import new_id

EVENTS_QUEUE = "tandem.embedded.platform"


@dataclass(frozen=True, slots=True)
class Message:
    """One reply or event. ``name`` is its type without ``tandem.`` and ``.v1``, e.g. ``load.session-scored``."""

    name: str
    tenant: str | None
    id: str
    subject: str | None
    time: datetime
    data: Mapping[str, Any]
    correlation_id: str | None

    @property
    def outcome(self) -> str:
        """Of a reply: accepted, rejected or answered."""
        return self.name.rsplit(".", 1)[-1]


class MemoryPublisher:
    """What is published is in its queues at once."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._producer: Producer | None = None

    def publish(self, messages: Sequence[Outgoing]) -> Confirms:
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
        return Confirms()

    def keep_alive(self) -> None:
        """Memory needs no heartbeat."""

    def close(self) -> None:
        self._producer = None


class MemoryPlatform:
    """Every tenant's platform at once: sends commands, keeps the replies and events that come back."""

    def __init__(self, connection: Connection) -> None:
        self.events: list[Message] = []
        self.replies: dict[str, Message] = {}
        self._channel = connection.channel()
        self._producer = Producer(self._channel)
        self._reply_queues: set[str] = set()
        events = Queue(EVENTS_QUEUE, Exchange(EVENTS_EXCHANGE, type="topic"), routing_key="#")
        self._consumer = Consumer(self._channel, [events], on_message=self._take_event, no_ack=True)
        self._consumer.consume()

    def send(
        self,
        tenant: str,
        key: str,
        data: Mapping[str, Any],
        *,
        id: str | None = None,
        time: datetime | None = None,
        subject: str | None = None,
    ) -> str:
        """Publishes a command or query; returns its ce-id, under which ``replies`` will hold the reply."""
        identity = id or new_id()
        queue = f"tenant.{tenant}.replies"
        if queue not in self._reply_queues:
            self._reply_queues.add(queue)
            self._consumer.add_queue(Queue(queue, Exchange(""), routing_key=queue))
            self._consumer.consume()
        headers = {
            "ce-id": identity,
            "ce-source": "/embedded",
            "ce-type": type_of(key),
            "ce-specversion": "1.0",
            "ce-time": (time or datetime.now(UTC)).isoformat(),
        }
        athlete = subject or data.get("athlete")
        if isinstance(athlete, str):
            headers["ce-subject"] = athlete
        self._producer.publish(
            json.dumps(data, ensure_ascii=False).encode(),
            exchange=COMMANDS_EXCHANGE if self._is_taken(f"{tenant}.{key}") else UNROUTED_EXCHANGE,
            routing_key=f"{tenant}.{key}",
            headers=headers,
            content_type=JSON,
            content_encoding="utf-8",
            reply_to=queue,
            correlation_id=identity,
        )
        return identity

    def _is_taken(self, key: str) -> bool:
        """Whether any queue is bound to commands under ``key``: what an alternate exchange does on a real broker."""
        exchange, channel = COMMANDS_EXCHANGE, self._channel
        return bool(channel.typeof(exchange).lookup(channel.get_table(exchange), exchange, key, None))

    def _take_event(self, message: Any) -> None:
        exchange = message.delivery_info["exchange"]
        routing_key = message.delivery_info["routing_key"]
        headers = message.headers
        tenant = routing_key.split(".")[1] if exchange == "" else routing_key.partition(".")[0]
        received = Message(
            name=headers["ce-type"].removeprefix("tandem.").removesuffix(".v1"),
            tenant=tenant,
            id=headers["ce-id"],
            subject=headers.get("ce-subject"),
            time=datetime.fromisoformat(headers["ce-time"]),
            data=json.loads(message.body),
            correlation_id=message.properties.get("correlation_id"),
        )
        if exchange == EVENTS_EXCHANGE:
            self.events.append(received)
        elif received.correlation_id is not None:
            self.replies[received.correlation_id] = received
