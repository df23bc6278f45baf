"""Addresses on the broker that follow from the settings: the management API's, and a tenant's own."""

from urllib.parse import quote, unquote, urlsplit, urlunsplit

from shared.bus.operations.management import Management
from shared.ops.settings import Settings

_MANAGEMENT_PORT = 15672


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
