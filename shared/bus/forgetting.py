"""Parked messages of erased athletes: dropped at the erase, and what is parked after it a little later."""

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256

import amqp
import structlog
from kombu import Connection
from kombu.exceptions import OperationalError

from shared.bus.parked import Parked, ParkedQueue

_log = structlog.get_logger("tandem.bus")


class ParkedOutOfReach(TimeoutError):
    """The parked queue could not be looked through; another try may do it."""


def digests_of(tenant: str, athlete: str) -> tuple[str, ...]:
    """What the services' ``erasures`` hold instead of an athlete's id."""
    return tuple(sha256(f"{tenant}{between}{athlete}".encode()).hexdigest() for between in "/\n")


class ParkedOfErased:
    """One service's parked queue. Replicas and operators may look at the same time: each sees what the other does not
    hold, so ``forget_since`` is repeated."""

    def __init__(self, service: str, connect: Callable[[], Connection]) -> None:
        self._service = service
        self._connect = connect

    def forget_athlete(self, tenant: str, athlete: str) -> int:
        """Drops everything about the athlete; returns how many messages. Raises ParkedOutOfReach."""
        return self._forget(lambda parked: (parked.tenant, parked.athlete) == (tenant, athlete))

    def forget_since(self, erased: Mapping[tuple[str, str], datetime]) -> int:
        """Drops what was sent before its athlete was erased: by (tenant, digest) the time of the erase."""
        if not erased:
            return 0
        return self._forget(lambda parked: _sent_before(parked, erased))

    def _forget(self, whose: Callable[[Parked], bool]) -> int:
        try:
            with ParkedQueue(self._service, self._connect) as queue:
                dropped = queue.forget(whose)
        except (OSError, amqp.AMQPError, OperationalError) as error:
            raise ParkedOutOfReach(f"{self._service}.parked: {type(error).__name__}") from error
        if dropped:
            _log.info("parked messages of erased athletes dropped", service=self._service, messages=dropped)
        return dropped


def _sent_before(parked: Parked, erased: Mapping[tuple[str, str], datetime]) -> bool:
    if parked.athlete is None:
        return False
    keys = [(parked.tenant, digest) for digest in digests_of(parked.tenant, parked.athlete)]
    at = [erased[key] for key in keys if key in erased]
    if not at:
        return False
    sent = parked.headers.get("ce-time") or parked.first_failed
    try:
        return sent is None or datetime.fromisoformat(sent) <= max(at)
    except (ValueError, TypeError):  # no time, or one without an offset: nothing speaks for a message from after
        return True
