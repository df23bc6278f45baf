"""Declares on the broker what all four services need, before any of them has started."""

import re

from kombu.exceptions import OperationalError

from shared.bus.queue_names import parked_queue, work_queues
from shared.bus.transport import topology
from shared.bus.transport.wiring import Wiring
from shared.contract.words import SERVICES
from shared.ops.settings import Settings, without_password
from tandem.runtime.service_classes import service_named

_BROKEN_OFF = re.compile("EOF occurred in violation of protocol|alert", re.IGNORECASE)
_ENDED = "; the broker broke off: does it ask for a certificate that it trusts (TANDEM_AMQP_CERT_FILE, _KEY_FILE)?"


class CannotDeclare(RuntimeError):
    """The message says why not."""


def declare_services(settings: Settings) -> dict[str, list[str]]:
    """Exchanges, queues and bindings of every service; returns each one's queues. Idempotent."""
    wiring = Wiring(settings, rules=None)
    if wiring.in_memory:
        raise CannotDeclare("memory:// lives in one process and keeps nothing; set TANDEM_AMQP_URI to a broker")
    try:
        with wiring.connector()() as connection:
            connection.connect()
            for service in SERVICES:
                topology.declare(connection.channel(), service, service_named(service).routes)
    except (OSError, OperationalError, *wiring.connector()().connection_errors) as error:
        shown = without_password(settings.amqp_uri)
        hint = _ENDED if _BROKEN_OFF.search(str(error)) else ""
        raise CannotDeclare(f"{shown}: {error or type(error).__name__}{hint}") from None
    return {service: [*work_queues([service]), parked_queue(service)] for service in SERVICES}
