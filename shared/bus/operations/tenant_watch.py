"""Keeps a tenant to what it may have of its own on the broker: queues, exchanges, and what waits in them.

RabbitMQ counts connections and channels for each user, queues only for a whole virtual host, and lets whoever may
declare a queue declare a stream. So whoever is over its limit loses the right to declare, and to publish to anything
but commands, until it is under it again; nobody else notices. What only harms is deleted at sight: streams, which no
policy keeps small, and queues that refuse what is published, which would hold back a service's events.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog

from shared.bus.operations.management import Management, ManagementRefused
from shared.bus.operations.tenants import Tenants, events_queue, own_prefix
from shared.ops import metrics

_log = structlog.get_logger("tandem.tenants")

RESTRICTED_S = 60.0
"""For how long at least: whoever made too many in a moment would otherwise do so again in the next."""
_COLUMNS = "name,type,arguments,messages,message_bytes,consumers"


@dataclass(slots=True)
class _Own:
    """What a tenant has of its own, its event queue aside."""

    queues: list[dict[str, Any]] = field(default_factory=list)
    exchanges: int = 0

    def over(self, most: int, most_bytes: int) -> str | None:
        if len(self.queues) + self.exchanges > most:
            return f"{len(self.queues) + self.exchanges} queues and exchanges of its own, {most} are allowed"
        waiting = sum(queue.get("message_bytes") or 0 for queue in self.queues)
        return f"{waiting} bytes wait in its own queues, {most_bytes} may" if waiting > most_bytes else None


class TenantWatch:
    """``look`` every few seconds; replicas may look too. ``queues``: and exchanges; ``size``: bytes."""

    def __init__(self, broker: Management, queues: int, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._broker = broker
        self._tenants = Tenants(broker)
        self._queues, self._bytes = queues, size
        self._clock = clock
        self._until: dict[str, float] = {}
        self._empty: set[str] = set()

    def look(self) -> dict[str, str]:
        """Restricts, deletes and restores; returns the restricted tenants and why. Raises as ``Management`` does."""
        restricted = self._tenants.restricted()
        told: dict[str, str] = {}
        for tenant, own in self._owned(restricted).items():
            own.queues = [queue for queue in own.queues if not self._delete_harmful(tenant, queue)]
            reason = own.over(self._queues, self._bytes)
            if reason is not None:
                told[tenant] = reason
                self._until[tenant] = self._clock() + RESTRICTED_S
                if not restricted[tenant]:
                    self._tenants.restrict(tenant)
                    _log.warning("a tenant is over its limits and may declare nothing", tenant=tenant, reason=reason)
                self._delete_surplus(own)
            elif restricted[tenant] and self._clock() >= self._until.get(tenant, 0.0):
                self._tenants.restore(tenant)
                _log.info("a tenant is under its limits again", tenant=tenant)
            elif restricted[tenant]:
                told[tenant] = "it was over its limits a moment ago"
        metrics.tenants_restricted.set(len(told))
        return told

    def _owned(self, tenants: Iterable[str]) -> dict[str, _Own]:
        vhost = self._broker.vhost
        owned: dict[str, _Own] = defaultdict(_Own) | {tenant: _Own() for tenant in tenants}
        names = {own_prefix(tenant): tenant for tenant in owned}
        for queue in self._broker.get("queues", vhost, columns=_COLUMNS):
            tenant = names.get(_prefix(queue["name"]))
            if tenant is not None and queue["name"] != events_queue(tenant):
                owned[tenant].queues.append(queue)
        for exchange in self._broker.get("exchanges", vhost, columns="name"):
            tenant = names.get(_prefix(exchange["name"]))
            if tenant is not None:
                owned[tenant].exchanges += 1
        return owned

    def _delete_harmful(self, tenant: str, queue: dict[str, Any]) -> bool:
        overflow = str(queue.get("arguments", {}).get("x-overflow", ""))
        if queue.get("type") != "stream" and not overflow.startswith("reject-publish"):
            return False
        self._broker.delete("queues", self._broker.vhost, queue["name"])
        _log.warning("a queue that a tenant may not have was deleted", tenant=tenant, queue=queue["name"])
        return True

    def _delete_surplus(self, own: _Own) -> None:
        """Of what is beyond the limit, what was found empty and unread twice: the broker's figures are seconds old."""
        surplus = len(own.queues) + own.exchanges - self._queues
        idle = [queue for queue in own.queues if queue.get("messages") == 0 and not queue.get("consumers")]
        known, self._empty = self._empty, {queue["name"] for queue in idle}
        for queue in [queue for queue in idle if queue["name"] in known][: max(0, surplus)]:
            # Only a classic queue can be told to go only while it is empty.
            only = {"if-empty": "true", "if-unused": "true"} if queue.get("type") == "classic" else {}
            try:
                self._broker.delete("queues", self._broker.vhost, queue["name"], **only)
            except ManagementRefused as refused:
                _log.info("a queue beyond a tenant's limit stays", queue=queue["name"], status=refused.status)


def _prefix(name: str) -> str:
    return name[: name.find(".", len("tenant.")) + 1]
