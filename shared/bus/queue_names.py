"""The names that a service's queues have on the broker; on the internal exchange they are the routing keys, too."""

from collections.abc import Iterable

INTERNAL_EXCHANGE = "tandem.internal"
"""Only services may write here, so its headers can be believed."""

UNROUTED_EXCHANGE = "tandem.unrouted"
"""Where the broker puts commands that no queue takes: the alternate exchange of ``tandem.commands``."""

RETRY_DELAYS_S = (5, 30, 120, 600)
"""Back-off before each further attempt."""


def commands_queue(service: str) -> str:
    return f"{service}.commands"


def events_queue(service: str) -> str:
    return f"{service}.events"


def throttled_queue(service: str) -> str:
    """Where messages of tenants wait that have used up their fair share of the service."""
    return f"{service}.crowded"


def parked_queue(service: str) -> str:
    """The service's dead letters: no handler could take them, a person has to look."""
    return f"{service}.parked"


def parked_key(service: str) -> str:
    """A routing key only: what the service itself parks."""
    return f"{service}.parked.by-service"


def dead_queue(service: str) -> str:
    """What the broker gave up on: too old, or delivered in vain too often. The service drops, tells or parks it."""
    return f"{service}.dead"


def dead_key(service: str) -> str:
    """What the arguments of the service's work queues name, which cannot be changed once a queue is there."""
    return parked_queue(service)


def waiting_queue(service: str, source: str, delay_s: int) -> str:
    """Where what failed waits to be retried."""
    return f"{service}.{source}s.wait.{delay_s}"


def retry_key(service: str, source: str) -> str:
    """A routing key only: leads back to the commands or events queue."""
    return f"{service}.{source}s.retry"


def work_queues(services: Iterable[str]) -> list[str]:
    """The queues whose emptiness means that nothing is under way (parked messages are not)."""
    kinds = (commands_queue, events_queue, throttled_queue, dead_queue)
    return [queue_of(service) for service in services for queue_of in kinds]
