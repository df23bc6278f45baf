"""What the composition root gives to every service of a process; it travels in nameko's configuration."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

from kombu import Connection

from shared.bus.delivery.unit_of_work import Clock, RuleSource
from shared.ops.settings import Settings

CONFIG_KEY = "tandem"
POLLING_INTERVAL_S = 0.001
MAX_WORKERS = 32


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Wiring:
    """``durable``: see shared.db.engine. ``rules``: None only for services that decide nothing."""

    settings: Settings
    rules: RuleSource | None
    clock: Clock = utc_now
    durable: bool = True

    @property
    def in_memory(self) -> bool:
        return self.settings.amqp_uri.startswith("memory://")

    @property
    def transport_options(self) -> dict[str, Any]:
        return {"polling_interval": POLLING_INTERVAL_S} if self.in_memory else {}

    @property
    def tls(self) -> dict[str, Any] | bool:
        """For an ``amqps://`` address: whom to trust, and who we are; the broker's name is checked too."""
        settings = self.settings
        if not settings.amqp_uri.startswith("amqps://"):
            return False
        files = {
            "ca_certs": settings.amqp_ca_file,
            "certfile": settings.amqp_cert_file,
            "keyfile": settings.amqp_key_file,
        }
        chosen = {name: str(path) for name, path in files.items() if path is not None}
        host = urlsplit(settings.amqp_uri).hostname
        return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": host} | chosen

    def nameko_config(self) -> dict[str, Any]:
        return {
            "AMQP_URI": self.settings.amqp_uri,
            "AMQP_SSL": self.tls,
            "HEARTBEAT": self.settings.heartbeat_seconds,
            "TRANSPORT_OPTIONS": self.transport_options,
            "max_workers": MAX_WORKERS,
            CONFIG_KEY: self,
        }

    def connector(self) -> Callable[[], Connection]:
        """Opens a connection of its own for publishing."""
        uri, options, heartbeat = self.settings.amqp_uri, self.transport_options, self.settings.heartbeat_seconds
        tls = self.tls
        return lambda: Connection(uri, ssl=tls, transport_options=options, heartbeat=heartbeat, connect_timeout=5)


def wiring_of(container: Any) -> Wiring:
    """The wiring a nameko container was started with."""
    return cast(Wiring, container.config[CONFIG_KEY])
