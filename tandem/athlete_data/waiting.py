"""Messages about one athlete that wait in the services' queues. Looks without taking: each goes back to its place."""

from collections.abc import Callable
from typing import Any

import amqp
from kombu.exceptions import OperationalError

from shared.bus.operations.erase_from_queues import about_of
from shared.bus.operations.parked_queue import read_parked
from shared.bus.queue_names import (
    RETRY_DELAYS_S,
    commands_queue,
    events_queue,
    parked_queue,
    throttled_queue,
    waiting_queue,
)
from shared.bus.transport.deliveries import delivery_from
from shared.bus.transport.wiring import Wiring
from shared.contract.words import SERVICES
from shared.ops.settings import Settings, without_password
from tandem.athlete_data.stored import readable

MAX_MESSAGES_LOOKED_AT = 10_000
"""Messages in one queue; a longer one is not looked into, and the document says so."""


_GONE = (OSError, amqp.AMQPError, OperationalError)


class BrokerAway(RuntimeError):
    """The message says which, and what to do."""


def queues_of(service: str) -> dict[str, str]:
    """Every queue of a service in which a message may wait, with what it means."""
    queues = {
        commands_queue(service): "commands that the service has not taken yet",
        events_queue(service): "events of other services that it has not taken yet",
        throttled_queue(service): "messages set aside while the tenant had used up its share",
    }
    for source in ("command", "event"):
        for delay_s in RETRY_DELAYS_S:
            queues[waiting_queue(service, source, delay_s)] = (
                f"{source}s that failed and are tried again after {delay_s} s"
            )
    queues[parked_queue(service)] = "messages that no handler could take, kept for a person"
    return queues


class WaitingMessages:
    """Use it in ``with``: leaving it gives every message back. Raises BrokerAway."""

    def __init__(self, settings: Settings, tenant: str, athlete: str) -> None:
        self._wiring = Wiring(settings, None)
        self._whose = (tenant, athlete)
        self._address = without_password(settings.amqp_uri)

    def __enter__(self) -> "WaitingMessages":
        self._connection = self._wiring.connector()()
        try:
            self._connection.connect()
        except _GONE as error:
            raise self._away(error) from None
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.release()

    def counts(self) -> dict[str, int]:
        """By queue how many messages are about the athlete; queues with none are left out."""
        found = {queue: len(self.look(queue)[1]) for service in SERVICES for queue in queues_of(service)}
        return {queue: count for queue, count in found.items() if count}

    def look(self, queue: str) -> tuple[int, list[dict[str, Any]]]:
        """How many messages wait there, whoever they are about, and those about the athlete, oldest first: none of a
        queue with more than MAX_MESSAGES_LOOKED_AT. A queue that is not there yet is empty."""
        return self._asking(lambda channel: self._looked(channel, queue)) or (0, [])

    def _looked(self, channel: Any, queue: str) -> tuple[int, list[dict[str, Any]]]:
        channel.auto_decode = False
        waiting = int(channel.queue_declare(queue, passive=True).message_count)
        found = []
        for _ in range(waiting if waiting <= MAX_MESSAGES_LOOKED_AT else 0):
            message = channel.basic_get(queue)
            if message is None:
                break
            about = about_of(queue.partition(".")[0], queue, message)
            if about is not None and (about.tenant, about.athlete) == self._whose:
                found.append(_told(queue, message))
        return waiting, found

    def _asking(self, ask: Callable[[Any], Any]) -> Any:
        """On a channel of its own, whose end gives everything back. None when the queue is not there."""
        try:
            with self._connection.channel() as channel:
                return ask(channel)
        except amqp.NotFound:
            return None
        except _GONE as error:
            raise self._away(error) from None

    def _away(self, error: Exception) -> BrokerAway:
        told = str(error) or type(error).__name__
        return BrokerAway(f"the broker at {self._address}: {told}; set TANDEM_AMQP_URI, or say --without-queues")


def _told(queue: str, message: Any) -> dict[str, Any]:
    service, _, kind = queue.partition(".")
    if kind == "parked":
        parked = read_parked(service, message)
        whole = parked.as_json() | {"error": parked.error, "body": readable(parked.body)}
        kept = ("key", "message", "reason", "error", "attempts", "first_failed", "last_failed", "body")
        return {name: whole[name] for name in kept}
    delivery = delivery_from(message, "event" if kind.startswith("events") else "command")
    return {
        "key": delivery.routing_key.partition(".")[2],
        "message": delivery.headers.get("ce-id"),
        "attempts": delivery.attempts,
        "first_failed": delivery.first_failed,
        "body": readable(delivery.body),
    }
