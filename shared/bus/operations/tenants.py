"""A tenant on the broker: its user, what that user may do, its event queue and its limits.

The broker is the first wall between tenants: what is granted here is all a tenant's connection can reach. Services
check the same again on every message (``shared.messages.envelope.read_address``).
"""

import re
import secrets
from dataclasses import dataclass
from typing import Any

from shared.bus.operations.management import Management
from shared.messages.envelope import COMMANDS_EXCHANGE, EVENTS_EXCHANGE
from shared.messages.ids import is_tenant

TAG = "tandem-tenant"
"""Users with this tag are tenants; every other user belongs to somebody else and is never touched."""

EVENT_DELIVERY_LIMIT = 100
"""Deliveries of one event that kills its consumer before the broker drops it."""

_PASSWORD_BYTES = 24


class TenantError(ValueError):
    """The message says what is wrong with the request."""


@dataclass(frozen=True, slots=True)
class TenantLimits:
    """What one tenant may hold of the broker. ``events``: kept for it while it is away; the oldest go first."""

    connections: int = 20
    channels: int = 100
    events: int = 100_000
    event_bytes: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TenantStatus:
    """A tenant as the broker has it; ``events_waiting`` is None while the broker is still counting.

    ``restricted``: see ``TenantWatch``.
    """

    tenant: str
    connections: int | None
    channels: int | None
    events_waiting: int | None
    queues: int
    restricted: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "tenant": self.tenant,
            "max_connections": self.connections,
            "max_channels": self.channels,
            "events_waiting": self.events_waiting,
            "queues": self.queues,
            "restricted": self.restricted,
        }


def events_queue(tenant: str) -> str:
    return f"tenant.{tenant}.events"


def own_prefix(tenant: str) -> str:
    """What the names of its queues and exchanges begin with."""
    return f"tenant.{tenant}."


def permissions(tenant: str, restricted: bool = False) -> dict[str, str]:
    """Patterns on names of exchanges and queues: its own, commands to write to, events to bind to.

    ``restricted``: it declares and deletes nothing, and fills nothing of its own; commands, events and replies go on.
    """
    own = rf"tenant\.{tenant}\..*"
    commands = re.escape(COMMANDS_EXCHANGE)
    return {
        "configure": "^$" if restricted else f"^{own}$",
        "write": f"^{commands}$" if restricted else f"^({commands}|{own})$",
        "read": rf"^({re.escape(EVENTS_EXCHANGE)}|{own})$",
    }


TOPIC_PERMISSIONS = (
    {"exchange": COMMANDS_EXCHANGE, "write": r"^{username}\..*", "read": ""},
    {"exchange": EVENTS_EXCHANGE, "write": "", "read": r"^{username}\.[^#*]*"},
)
"""Patterns on routing keys; the broker puts the user's name in."""


class Tenants:
    """Adds, changes and removes tenants. ``tandem bus declare`` must have made the exchanges."""

    def __init__(self, management: Management) -> None:
        self._broker = management

    def add(self, tenant: str, limits: TenantLimits) -> str:
        """A new tenant; returns its password, which is kept nowhere."""
        if not is_tenant(tenant):
            raise TenantError(f"'{tenant}' is no tenant id: 2 to 40 characters of a-z, 0-9 and -")
        user = self._broker.find("users", tenant)
        if user is not None:
            if _is_tenant(user):
                raise TenantError(f"tenant {tenant} exists; tandem tenant rotate {tenant} gives it a new password")
            raise TenantError(f"{tenant} is a user of the broker and no tenant; take another id")
        self._require_exchanges()
        # Without a password nobody can log in; the last step gives it one.
        self._broker.put("users", tenant, body={"password_hash": "", "tags": TAG})
        return self._equip(tenant, limits)

    def rotate(self, tenant: str, limits: TenantLimits) -> str:
        """A new password and everything else as ``add`` sets it; open connections are closed."""
        self._require_tenant(tenant)
        self._require_exchanges()
        password = self._equip(tenant, limits)
        self._disconnect(tenant)
        return password

    def remove(self, tenant: str) -> None:
        """Takes its user, its queues and exchanges, and its policy away. What services store of it stays stored."""
        self._require_tenant(tenant)
        vhost = self._broker.vhost
        self._broker.delete("users", tenant)
        self._disconnect(tenant)
        own = own_prefix(tenant)
        for kind in ("queues", "exchanges"):
            for thing in self._broker.get(kind, vhost):
                if thing["name"].startswith(own):
                    self._broker.delete(kind, vhost, thing["name"])
        self._broker.delete("policies", vhost, _policy(tenant))

    def all(self) -> list[TenantStatus]:
        """Every tenant, by name."""
        tenants = sorted(user["name"] for user in self._broker.get("users") if _is_tenant(user))
        limits = {found["user"]: found["value"] for found in self._broker.get("user-limits")}
        queues = self._broker.get("queues", self._broker.vhost, columns="name,messages")
        waiting = {queue["name"]: queue.get("messages") for queue in queues}
        restricted = self.restricted()
        return [
            TenantStatus(
                tenant,
                limits.get(tenant, {}).get("max-connections"),
                limits.get(tenant, {}).get("max-channels"),
                waiting.get(events_queue(tenant)),
                sum(name.startswith(own_prefix(tenant)) for name in waiting),
                restricted.get(tenant, False),
            )
            for tenant in tenants
        ]

    def restricted(self) -> dict[str, bool]:
        """Every tenant that may do something here, and whether it is restricted."""
        tenants = {user["name"] for user in self._broker.get("users") if _is_tenant(user)}
        granted = self._broker.get("vhosts", self._broker.vhost, "permissions")
        return {one["user"]: one["configure"] == "^$" for one in granted if one["user"] in tenants}

    def restrict(self, tenant: str) -> None:
        """Until ``restore``. Its connections are closed: an open channel remembers what it was allowed."""
        self._broker.put("permissions", self._broker.vhost, tenant, body=permissions(tenant, restricted=True))
        self._disconnect(tenant)

    def restore(self, tenant: str) -> None:
        self._broker.put("permissions", self._broker.vhost, tenant, body=permissions(tenant))

    def _equip(self, tenant: str, limits: TenantLimits) -> str:
        vhost = self._broker.vhost
        self._broker.put("permissions", vhost, tenant, body=permissions(tenant))
        for topic in TOPIC_PERMISSIONS:
            self._broker.put("topic-permissions", vhost, tenant, body=topic)
        self._broker.put("user-limits", tenant, "max-connections", body={"value": limits.connections})
        self._broker.put("user-limits", tenant, "max-channels", body={"value": limits.channels})
        queue = events_queue(tenant)
        # A full queue drops its oldest events: refusing new ones would hold back everybody's.
        self._broker.put(
            "policies",
            vhost,
            _policy(tenant),
            body={
                "pattern": rf"^{re.escape(queue)}$",
                "apply-to": "queues",
                "priority": 20,
                "definition": {
                    "max-length": limits.events,
                    "max-length-bytes": limits.event_bytes,
                    "overflow": "drop-head",
                },
            },
        )
        self._broker.put(
            "queues",
            vhost,
            queue,
            body={
                "durable": True,
                "arguments": {"x-queue-type": "quorum", "x-delivery-limit": EVENT_DELIVERY_LIMIT},
            },
        )
        self._broker.post(
            "bindings", vhost, "e", EVENTS_EXCHANGE, "q", queue, body={"routing_key": f"{tenant}.#", "arguments": {}}
        )
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
        self._broker.put("users", tenant, body={"password": password, "tags": TAG})
        return password

    def _require_tenant(self, tenant: str) -> None:
        user = self._broker.find("users", tenant)
        if user is None:
            raise TenantError(f"there is no tenant {tenant}; tandem tenant list shows all")
        if not _is_tenant(user):
            raise TenantError(f"{tenant} is a user of the broker and no tenant")

    def _require_exchanges(self) -> None:
        for exchange in (COMMANDS_EXCHANGE, EVENTS_EXCHANGE):
            if self._broker.find("exchanges", self._broker.vhost, exchange) is None:
                raise TenantError(f"the broker has no exchange {exchange} yet; run: tandem bus declare")

    def _disconnect(self, tenant: str) -> None:
        for connection in self._broker.get("connections"):
            if connection.get("user") == tenant:
                self._broker.delete("connections", connection["name"])


def _policy(tenant: str) -> str:
    return f"tandem-tenant-{tenant}"


def _is_tenant(user: dict[str, Any]) -> bool:
    tags = user.get("tags", [])
    # A comma-separated text before RabbitMQ 3.9, a list since.
    return TAG in (tags.split(",") if isinstance(tags, str) else tags)
