"""Messages about one athlete that wait in the services' queues. Looks without taking: each goes back to its place."""

from typing import Any

from shared.bus.broker import Broker, HeldMessage
from shared.bus.operations.erase_from_queues import about_of
from shared.bus.operations.parked_queue import read_parked
from shared.bus.queue_names import (
    RETRY_DELAYS_S,
    commands_queue,
    dead_queue,
    events_queue,
    parked_queue,
    throttled_queue,
    waiting_queue,
)
from shared.contract.words import SERVICES
from tandem.athlete_data.stored import readable

MAX_MESSAGES_LOOKED_AT = 10_000
"""Messages in one queue; a longer one is not looked into, and the document says so."""


def queues_of(service: str) -> dict[str, str]:
    """Every queue of a service in which a message may wait, with what it means."""
    queues = {
        commands_queue(service): "commands that the service has not taken yet",
        events_queue(service): "events of other services that it has not taken yet",
        throttled_queue(service): "messages throttled: the tenant had used up its fair share",
    }
    queues[dead_queue(service)] = "messages that the broker gave up, which the service parks or drops"
    for source in ("command", "event"):
        for delay_s in RETRY_DELAYS_S:
            queues[waiting_queue(service, source, delay_s)] = f"{source}s that failed and are retried after {delay_s} s"
    queues[parked_queue(service)] = "messages that no handler could take, kept for a person"
    return queues


class WaitingMessages:
    """Of a broker that is open; looking may raise BrokerAway."""

    def __init__(self, broker: Broker, tenant: str, athlete: str) -> None:
        self._broker = broker
        self._whose = (tenant, athlete)

    def counts(self) -> dict[str, int]:
        """By queue how many messages are about the athlete; queues with none are left out."""
        counts = {queue: len(self.look(queue)[1]) for service in SERVICES for queue in queues_of(service)}
        return {queue: count for queue, count in counts.items() if count}

    def look(self, queue: str) -> tuple[int, list[dict[str, Any]]]:
        """How many messages wait there, whoever they are about, and those about the athlete, oldest first: none of a
        queue with more than MAX_MESSAGES_LOOKED_AT. A queue that is not there yet is empty."""
        with self._broker.look(queue) as view:
            count = view.count()
            if count == 0 or count > MAX_MESSAGES_LOOKED_AT:
                return count, []
            about = ((message, about_of(queue.partition(".")[0], queue, message)) for message in view.messages())
            theirs = [
                message for message, whom in about if whom is not None and (whom.tenant, whom.athlete) == self._whose
            ]
            return count, [_as_json(queue, message) for message in theirs]


def _as_json(queue: str, message: HeldMessage) -> dict[str, Any]:
    service, _, kind = queue.partition(".")
    if kind in ("parked", "dead"):
        parked = read_parked(service, message)
        whole = parked.as_json() | {"error": parked.error, "body": readable(parked.body)}
        names = ("key", "message", "reason", "error", "attempts", "first_failed", "last_failed", "body")
        return {name: whole[name] for name in names}
    delivery = message.as_delivery("event" if kind.startswith("events") else "command")
    return {
        "key": delivery.routing_key.partition(".")[2],
        "message": delivery.headers.get("ce-id"),
        "attempts": delivery.attempts,
        "first_failed": delivery.first_failed,
        "body": readable(delivery.body),
    }
