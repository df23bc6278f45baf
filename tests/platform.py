"""A coaching platform as the contract describes it: plain pika, no code of the project."""

import contextlib
import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pika

RUBBISH = "amq.rabbitmq.reply-to.g2dkAA5ub25vZGVAbm9ob3N0AAAAAAAAAAAA.b2s="
"""A reply address of the right form that names nobody: up to RabbitMQ 4.0 it kills the broker's channel."""


class PlatformClient:
    """One tenant's connection: publishes commands with confirms, collects replies and its own events."""

    def __init__(self, uri: str, tenant: str, user: str | None = None, password: str | None = None) -> None:
        parameters = pika.URLParameters(uri)
        if user is not None:
            parameters.credentials = pika.PlainCredentials(user, password or "")
        self.tenant = tenant
        self.user = user or parameters.credentials.username
        self.replies: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.events_queue = ""
        self._connection = pika.BlockingConnection(parameters)
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        self._channel.basic_consume("amq.rabbitmq.reply-to", self._on_reply, auto_ack=True)

    def listen(self) -> None:
        """Subscribes to every event of the tenant."""
        queue = self._channel.queue_declare(f"tenant.{self.tenant}.events.{uuid.uuid4().hex}", exclusive=True)
        self.events_queue = queue.method.queue
        self._channel.queue_bind(self.events_queue, "tandem.events", f"{self.tenant}.#")
        self._channel.basic_consume(self.events_queue, self._on_event, auto_ack=True)

    def send(
        self,
        key: str,
        data: Any,
        *,
        id: str | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        headers: dict[str, Any] | None = None,
        user_id: str | None = None,
        set_user: bool = True,
        reply_to: str = "amq.rabbitmq.reply-to",
        expiration: str | None = None,
    ) -> str:
        """Publishes with a confirm; returns the id, under which ``replies`` holds the reply."""
        identity = id or uuid.uuid4().hex
        attributes = {
            "ce-id": identity,
            "ce-source": "/platform",
            "ce-type": f"tandem.{key}.v1",
            "ce-specversion": "1.0",
            "ce-time": datetime.now(UTC).isoformat(),
        }
        self._channel.basic_publish(
            "tandem.commands",
            f"{self.tenant}.{key}",
            json.dumps(data).encode() if body is None else body,
            pika.BasicProperties(
                content_type=content_type,
                delivery_mode=2,
                headers=attributes if headers is None else headers,
                user_id=(user_id or self.user) if set_user else None,
                reply_to=reply_to,
                correlation_id=identity,
                expiration=expiration,
            ),
            mandatory=True,
        )
        return identity

    def reply_to(self, identity: str, timeout: float = 15.0) -> dict[str, Any]:
        """Waits for the reply with this correlation id: ``{"type", "data", ...}``."""
        self.until(lambda: identity in self.replies, timeout, f"no reply to {identity}")
        return self.replies[identity]

    def tell(self, key: str, data: Any, timeout: float = 15.0, **options: Any) -> dict[str, Any]:
        return self.reply_to(self.send(key, data, **options), timeout)

    def until(self, condition: Any, timeout: float, otherwise: str) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{otherwise} within {timeout} s")
            self._connection.process_data_events(time_limit=0.05)

    def take(self, queue: str) -> dict[str, Any] | None:
        """One message off ``queue``, or None when it is empty."""
        method, properties, body = self._channel.basic_get(queue, auto_ack=True)
        return None if method is None else _message(method, properties, body)

    def close(self) -> None:
        with contextlib.suppress(pika.exceptions.ConnectionClosedByBroker):  # a test may have asked the broker to
            self._connection.close()

    def _on_reply(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self.replies[properties.correlation_id] = _message(method, properties, body)

    def _on_event(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self.events.append(_message(method, properties, body))


def _message(method: Any, properties: Any, body: bytes) -> dict[str, Any]:
    headers = properties.headers or {}
    return {
        "id": headers.get("ce-id"),
        "type": headers.get("ce-type"),
        "subject": headers.get("ce-subject"),
        "routing_key": method.routing_key,
        "headers": headers,
        "data": json.loads(body),
    }
