"""Exchanges and queues, legal on RabbitMQ 3.10, 3.13 and 4.x; declaring them again changes nothing.

What identifies a queue stands in its arguments; what is tuned (lengths, rates) belongs into policies.
"""

from collections.abc import Sequence
from typing import Any

from kombu import Exchange, Queue

from shared.bus.queue_names import (
    INTERNAL_EXCHANGE,
    RETRY_DELAYS_S,
    UNROUTED_EXCHANGE,
    commands_queue,
    dead_key,
    dead_queue,
    events_queue,
    parked_key,
    parked_queue,
    retry_key,
    throttled_queue,
    waiting_queue,
)
from shared.bus.routes import Route
from shared.messages.envelope import COMMANDS_EXCHANGE, EVENTS_EXCHANGE

DELIVERY_LIMIT = 20
"""Deliveries of one message that kills or loses its consumer before the broker itself parks it."""
PARKED_DELIVERY_LIMIT = 2**31 - 1
"""Looking at a parked message delivers it; without a limit of its own RabbitMQ 4 would delete it at the 21st look."""

COMMANDS = Exchange(COMMANDS_EXCHANGE, type="topic", durable=True)
EVENTS = Exchange(EVENTS_EXCHANGE, type="topic", durable=True)
UNROUTED = Exchange(UNROUTED_EXCHANGE, type="fanout", durable=True)
ANSWERS_UNROUTED = "periodization"
"""The service that answers what no service takes; it answers what all of them hear, too."""
INTERNAL = Exchange(INTERNAL_EXCHANGE, type="topic", durable=True)


def command_bindings(routes: Sequence[Route]) -> list[str]:
    """Whole subjects (``*.load.#``) where this service answers, so that it can also say what it does not know."""
    commands = [route for route in routes if route.source == "command"]
    answered = {route.key.partition(".")[0] for route in commands if route.replies}
    heard = {route.key for route in commands if route.key.partition(".")[0] not in answered}
    return sorted({f"*.{subject}.#" for subject in answered} | {f"*.{key}" for key in heard})


def event_bindings(routes: Sequence[Route]) -> list[str]:
    return sorted({f"*.{route.key}" for route in routes if route.source == "event"})


def declare(channel: Any, service: str, routes: Sequence[Route], waits: bool = True) -> None:
    """Declares everything one service needs on ``channel``.

    ``waits``: the broker has quorum queues and message TTLs. ``memory://`` has neither; there a message to be retried
    goes straight back to its queue.
    """
    for exchange in (COMMANDS, EVENTS, INTERNAL, UNROUTED):
        exchange(channel).declare()
    for source, name, exchange, keys in (
        ("command", commands_queue(service), COMMANDS, command_bindings(routes)),
        ("event", events_queue(service), EVENTS, event_bindings(routes)),
    ):
        queue = Queue(name, durable=True, queue_arguments=_work(service) if waits else None)(channel)
        queue.queue_declare()
        for key in keys:
            queue.bind_to(exchange, routing_key=key)
        queue.bind_to(INTERNAL, routing_key=retry_key(service, source))
        if source == "command" and service == ANSWERS_UNROUTED:
            queue.bind_to(UNROUTED)
        for delay_s in RETRY_DELAYS_S:
            key = waiting_queue(service, source, delay_s)
            if waits:
                waiting = Queue(key, durable=True, queue_arguments=_waiting(service, source, delay_s))(channel)
                waiting.queue_declare()
                waiting.bind_to(INTERNAL, routing_key=key)
            else:
                queue.bind_to(INTERNAL, routing_key=key)
    throttled = Queue(throttled_queue(service), durable=True, queue_arguments=_work(service) if waits else None)(
        channel
    )
    throttled.queue_declare()
    throttled.bind_to(INTERNAL, routing_key=throttled_queue(service))
    parked = Queue(parked_queue(service), durable=True, queue_arguments=_parked() if waits else None)(channel)
    parked.queue_declare()
    parked.bind_to(INTERNAL, routing_key=parked_key(service))
    dead = Queue(dead_queue(service), durable=True, queue_arguments=_dead(service) if waits else None)(channel)
    dead.queue_declare()
    dead.bind_to(INTERNAL, routing_key=dead_key(service))
    # Until 0.1 the broker's dead went there at once. First the new way, then not the old one: nothing falls in between.
    if waits:
        parked.unbind_from(INTERNAL, routing_key=dead_key(service))


def _quorum() -> dict[str, Any]:
    return {"x-queue-type": "quorum", "x-delivery-limit": DELIVERY_LIMIT}


def _parked() -> dict[str, Any]:
    return _quorum() | {"x-delivery-limit": PARKED_DELIVERY_LIMIT}


def _dead_letters_to(key: str) -> dict[str, Any]:
    return {
        "x-dead-letter-exchange": INTERNAL_EXCHANGE,
        "x-dead-letter-routing-key": key,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _work(service: str) -> dict[str, Any]:
    return _quorum() | _dead_letters_to(dead_key(service))


def _dead(service: str) -> dict[str, Any]:
    """Whose reading kills the service is parked by the broker itself."""
    return _quorum() | _dead_letters_to(parked_key(service))


def _waiting(service: str, source: str, delay_s: int) -> dict[str, Any]:
    return _quorum() | _dead_letters_to(retry_key(service, source)) | {"x-message-ttl": delay_s * 1000}
