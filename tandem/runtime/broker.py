"""The broker that the settings name: for an operator's commands, with its queues, its management API, its tenants."""

import re
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from kombu.exceptions import OperationalError

from shared.bus.broker import OpenBroker
from shared.bus.operations.management import Management
from shared.bus.queue_names import parked_queue, work_queues
from shared.bus.transport import topology
from shared.bus.transport.amqp_broker import AmqpBroker
from shared.bus.transport.wiring import Wiring
from shared.contract.words import SERVICES
from shared.ops.settings import Settings, without_password
from tandem.runtime.service_classes import service_named

_BROKEN_OFF = re.compile("EOF occurred in violation of protocol|alert", re.IGNORECASE)
_ENDED = "; the broker broke off: does it ask for a certificate that it trusts (TANDEM_AMQP_CERT_FILE, _KEY_FILE)?"
_MANAGEMENT_PORT = 15672


class CannotDeclare(RuntimeError):
    """The message says why not."""


def broker_of(settings: Settings) -> OpenBroker:
    connect = Wiring(settings, None).connector()
    return lambda: AmqpBroker(connect)


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


def vhost_of(amqp_uri: str) -> str:
    """The virtual host an AMQP address names; ``/`` when it names none."""
    name = urlsplit(amqp_uri).path[1:]
    return unquote(name) or "/"


def management_of(settings: Settings) -> Management:
    """The management API: TANDEM_MANAGEMENT_URL, else the usual port on the broker's host with the same user."""
    url = settings.management_url
    if url is None:
        parts = urlsplit(settings.amqp_uri)
        user, at, _ = parts.netloc.rpartition("@")
        host = parts.hostname or "127.0.0.1"
        url = f"http://{user}{at}{f'[{host}]' if ':' in host else host}:{_MANAGEMENT_PORT}"
    return Management(url, vhost_of(settings.amqp_uri), settings.management_ca_file)


def tenant_uri(amqp_uri: str, tenant: str, password: str) -> str:
    """What a tenant connects to: the services' own address with its name and password."""
    parts = urlsplit(amqp_uri)
    host = parts.netloc.rpartition("@")[2]
    vhost = quote(vhost_of(amqp_uri), safe="")
    return urlunsplit((parts.scheme, f"{tenant}:{password}@{host}", f"/{vhost}", "", ""))
