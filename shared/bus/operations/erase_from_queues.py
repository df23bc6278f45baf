"""Messages of erased athletes that wait in a service's queues: dropped at the erase, and what is parked after it later.

What still is in the work queues is taken in a moment, finds the mark of the erase, and leaves nothing behind.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import structlog

from shared.bus.broker import Broker, HeldMessage, OpenBroker
from shared.bus.delivery.retries import Dropped, athlete_named
from shared.bus.operations.parked_queue import read_parked
from shared.bus.queue_names import RETRY_DELAYS_S, dead_queue, parked_queue, waiting_queue

_log = structlog.get_logger("tandem.bus")


Erased = tuple[datetime, datetime]
"""The ce-time of an athlete's last erase, and when it was taken."""


@dataclass(frozen=True, slots=True)
class About:
    """Whom a waiting message is about. ``sent``: its ce-time; ``failed``: when it failed first, by our clock."""

    tenant: str
    athlete: str
    sent: str | None
    failed: str | None
    is_event: bool
    message: str | None
    source: str | None
    key: str


def digests_of(tenant: str, athlete: str) -> tuple[str, ...]:
    """What the services' ``erasures`` hold instead of an athlete's id."""
    return tuple(sha256(f"{tenant}{between}{athlete}".encode()).hexdigest() for between in "/\n")


class QueuesOfErased:
    """One service's parked and waiting queues. Replicas and operators may look at the same time: each sees what the
    others do not hold, so ``erase_since`` is repeated."""

    def __init__(self, service: str, open_broker: OpenBroker) -> None:
        self._service = service
        self._open_broker = open_broker
        self._parked = parked_queue(service)
        self._waiting = [
            waiting_queue(service, source, delay_s) for source in ("command", "event") for delay_s in RETRY_DELAYS_S
        ]

    def erase_athlete(self, tenant: str, athlete: str) -> list[Dropped]:
        """Drops everything about the athlete; returns which commands. Raises BrokerAway."""
        whose = (tenant, athlete)
        return self._erase([self._parked, *self._waiting], lambda about: (about.tenant, about.athlete) == whose)

    def erase_since(self, erased: Mapping[tuple[str, str], Erased]) -> list[Dropped]:
        """Drops what is parked and was received, or sent, before its athlete was erased; ``erased``: by (tenant,
        digest). Which commands."""
        return self._erase([self._parked], lambda about: _sent_before(about, erased)) if erased else []

    def _erase(self, queues: Iterable[str], whose: Callable[[About], bool]) -> list[Dropped]:
        with self._open_broker() as broker:
            erased = [about for queue in queues for about in self._erase_in(broker, queue, whose)]
        if erased:
            _log.info("messages of erased athletes dropped", service=self._service, messages=len(erased))
        return [Dropped(one.tenant, one.message, one.source, one.key) for one in erased if not one.is_event]

    def _erase_in(self, broker: Broker, queue: str, whose: Callable[[About], bool]) -> list[About]:
        erased = []
        with broker.look(queue) as view:
            for message in view.messages():
                about = about_of(self._service, queue, message)
                if about is not None and whose(about):
                    view.take(message)
                    erased.append(about)
        return erased


def about_of(service: str, queue: str, message: HeldMessage) -> About | None:
    """``message``: from any queue of the service. None when it does not say whom it is about."""
    if queue in (parked_queue(service), dead_queue(service)):
        parked = read_parked(service, message)
        tenant, key, first_failed, headers, body = (
            parked.tenant,
            parked.key,
            parked.first_failed,
            parked.headers,
            parked.body,
        )
        is_event = headers.get("tandem-source") != "command"
    else:
        delivery = message.as_delivery("event" if queue.startswith(f"{service}.events") else "command")
        (tenant, _, key), first_failed = delivery.routing_key.partition("."), delivery.first_failed
        headers, body, is_event = dict(delivery.headers), delivery.body, delivery.source == "event"
    athlete = athlete_named(headers, body)
    if athlete is None:
        return None
    sent, identity, source = (headers.get(name) for name in ("ce-time", "ce-id", "ce-source"))
    return About(tenant, athlete, sent, first_failed, is_event, identity, source, key)


def _sent_before(about: About, erased: Mapping[tuple[str, str], Erased]) -> bool:
    keys = [(about.tenant, digest) for digest in digests_of(about.tenant, about.athlete)]
    at = [erased[key] for key in keys if key in erased]
    if not at:
        return False
    sent, taken = max(at)
    try:
        if about.failed is not None and datetime.fromisoformat(about.failed) <= taken:
            return True
        # An event's time is our clock's, a command's that of whoever sent it, as the erase's is.
        until = min(sent, taken) if about.is_event else sent
        return about.sent is None or datetime.fromisoformat(about.sent) <= until
    except (ValueError, TypeError):  # no time, or one without an offset: nothing speaks for a message from after
        return True
