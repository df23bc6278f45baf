"""Raw messages of both transports as deliveries."""

from dataclasses import replace
from typing import Any, Literal

import amqp

from shared.bus.delivery.retries import by_broker, from_internal
from shared.bus.queue_names import INTERNAL_EXCHANGE
from shared.bus.transport.amqp_patches import UNREADABLE
from shared.messages.envelope import COMMANDS_EXCHANGE, Delivery


def delivery_from(message: Any, source: Literal["command", "event"], in_hand: int = 1) -> Delivery:
    """``message``: py-amqp's (taken raw, so that no header makes kombu decompress a body) or kombu's in-memory one."""
    delivery = _as_received(message, source, in_hand)
    if message.delivery_info["exchange"] == INTERNAL_EXCHANGE:
        return from_internal(delivery)
    return delivery


def dead_delivery(service: str, message: Any) -> Delivery:
    """``message``: from the queue of the dead, as it was where the broker gave it up, and why it did."""
    received = _as_received(message, "command", 1)
    if not received.headers.get("x-death"):  # parked by an earlier version of the service, and it says why itself
        return replace(received, died="")
    ours = by_broker(service, received.headers, received.user_id, received.reply_to)
    # Whoever sent it may have written what the broker says of a death: only its user vouches for it.
    return replace(from_internal(received, ours), died=ours["tandem-reason"], direct=False)


def _as_received(message: Any, source: Literal["command", "event"], in_hand: int) -> Delivery:
    given = message.properties
    properties = {name: value for name, value in given.items() if not isinstance(value, str) or value.isprintable()}
    in_memory = not isinstance(message, amqp.Message)
    headers = message.headers if in_memory else properties.get("application_headers") or {}
    headers = {name: value for name, value in headers.items() if isinstance(name, str)}
    body = message.body
    exchange = message.delivery_info["exchange"]
    return Delivery(
        source=source,
        routing_key=message.delivery_info["routing_key"],
        body=body.encode() if isinstance(body, str) else bytes(body),
        content_type=message.content_type if in_memory else properties.get("content_type"),
        content_encoding=message.content_encoding if in_memory else properties.get("content_encoding"),
        headers=headers,
        user_id=properties.get("user_id"),
        reply_to=properties.get("reply_to"),
        correlation_id=properties.get("correlation_id"),
        in_hand=in_hand,
        in_vain=delivered_before(message),
        direct=exchange == COMMANDS_EXCHANGE and "x-death" not in headers,
        unreadable=UNREADABLE in given or len(properties) < len(given),
    )


def delivered_before(message: Any) -> int:
    """How often a raw message was handed over in vain, by the broker's own count."""
    headers = message.properties.get("application_headers") or {} if isinstance(message, amqp.Message) else {}
    delivered = headers.get("x-delivery-count", 0)
    return delivered if isinstance(delivered, int) else 0


def tenant_in(message: Any) -> str:
    """The first part of a raw message's routing key."""
    return str(message.delivery_info["routing_key"]).partition(".")[0]
