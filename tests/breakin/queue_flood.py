"""A tenant that declares queue after queue, streams among them, and what another one notices of it."""

import contextlib
import threading
import time
from dataclasses import dataclass

import pika

from shared.bus.operations.management import Management
from shared.bus.operations.tenants import events_queue, own_prefix
from tests.breakin.attacks import CLOSED, Attack, Victim
from tests.breakin.flood import ask
from tests.breakin.ground import CROWD

STOPPED_WITHIN_S = 10.0
"""From one queue too many to the refusal: two looks, and what the broker needs to answer them while it is flooded."""
_MOST_TIMES = 30
"""As many times what is allowed are declared at most."""
_GONE_WITHIN_S = 30.0


@dataclass(slots=True)
class QueueFlood:
    """``over_s``: how long more could be declared than is allowed; None: it never ended. ``left``: streams at the end.

    ``worst_s``: another tenant's question meanwhile, or a queue of its own.
    """

    allowed: int
    declared: int = 0
    over_s: float | None = None
    worst_s: float = 0.0
    left: int = 0

    def attack(self) -> Attack:
        refused = int(self.over_s is not None)
        told = (
            f"{self.declared} declared, {self.allowed} are allowed; another tenant waited {self.worst_s:.2f} s at worst"
        )
        return Attack("queue flood", self.declared + refused, refused, 1, told)


def flood_with_queues(uri: str, victim: Victim, athlete: str, management: Management, allowed: int) -> QueueFlood:
    """Returns when the flooder was refused; its queues stay."""
    flood = QueueFlood(allowed)
    thread = threading.Thread(target=_declare, args=(uri, flood))
    thread.start()
    while thread.is_alive():
        began = time.monotonic()
        ask(victim, athlete, 1)
        victim.declare_own()
        flood.worst_s = max(flood.worst_s, time.monotonic() - began)
    thread.join()
    deadline = time.monotonic() + _GONE_WITHIN_S
    while (left := _streams(management)) and time.monotonic() < deadline:
        time.sleep(0.5)
    flood.left = left
    return flood


def _declare(uri: str, flood: QueueFlood) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(uri))
    over_since = None
    try:
        channel = connection.channel()
        while flood.declared < _MOST_TIMES * flood.allowed:
            stream = flood.declared % 100 == 7
            arguments = {"x-queue-type": "stream"} if stream else {}
            channel.queue_declare(f"{own_prefix(CROWD)}{flood.declared}", durable=True, arguments=arguments)
            flood.declared += 1
            if flood.declared > flood.allowed and over_since is None:
                over_since = time.monotonic()
    except CLOSED:
        flood.over_s = time.monotonic() - (over_since or time.monotonic())
    finally:
        with contextlib.suppress(pika.exceptions.AMQPError):
            connection.close()


def _streams(management: Management) -> int:
    listed = management.get("queues", management.vhost, columns="name,type")
    own = own_prefix(CROWD)
    return sum(
        one["type"] == "stream" for one in listed if one["name"].startswith(own) and one["name"] != events_queue(CROWD)
    )
