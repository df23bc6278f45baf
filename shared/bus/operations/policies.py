"""What bounds the broker's queues, whoever fills them: policies, operator policies and how many there may be.

``deploy/rabbitmq/policies-*.json`` hold the same for ``rabbitmqctl import_definitions``; a test compares them.
"""

import re
from typing import Any

from shared.bus.operations.management import Management
from shared.bus.queue_names import UNROUTED_EXCHANGE
from shared.contract.words import SERVICES
from shared.messages.envelope import COMMANDS_EXCHANGE
from shared.ops.settings import Settings

MAX_QUEUES: int = Settings.model_fields["broker_queues"].default
"""Of the virtual host. Beyond it the broker refuses everybody, so what one tenant has is bounded far below, by
``TenantWatch``."""
_OURS = f"^({'|'.join(SERVICES)})\\."
_MEGABYTE = 1024 * 1024
_WEEK_MS = 7 * 24 * 3600 * 1000
_OWN = {"max-length": 10_000, "max-length-bytes": 32 * _MEGABYTE, "expires": _WEEK_MS}
"""A queue of a tenant's own: it reads within minutes or has gone away, and 32 MB are 10,000 events of 3 KB."""
_OLDEST_GO = {"overflow": "drop-head"}
"""A full queue drops its oldest: refusing the newest would hold back the service that publishes, and everybody."""


def policies(version: str) -> dict[str, dict[str, Any]]:
    """By name, for this version of RabbitMQ."""
    work: dict[str, Any] = {"max-length-bytes": 4096 * _MEGABYTE}
    if _number(version) >= (3, 12):
        work["consumer-timeout"] = 600_000
    parked = {"max-length-bytes": 1024 * _MEGABYTE, "overflow": "reject-publish"}
    events = {"max-length": 100_000, "max-length-bytes": 256 * _MEGABYTE}
    return {
        # What an exchange was declared with cannot be changed, and a deployment may be older than this.
        "tandem-commands": {
            "pattern": f"^{re.escape(COMMANDS_EXCHANGE)}$",
            "apply-to": "exchanges",
            "priority": 10,
            "definition": {"alternate-exchange": UNROUTED_EXCHANGE},
        },
        "tandem-work": _policy(_OURS + "(commands|events|dead)$", 10, work),
        "tandem-parked": _policy(_OURS + "parked$", 10, parked),
        "tandem-tenant-queues": _policy(r"^tenant\.", 5, _OWN | _OLDEST_GO),
        "tandem-tenant-events": _policy(r"^tenant\.[a-z0-9-]+\.events$", 10, events | _OLDEST_GO),
    }


OPERATOR_POLICIES: dict[str, dict[str, Any]] = {
    # Beside whatever other policy comes to match: of each bound the lower one holds.
    "tandem-tenant-queues": {
        "pattern": r"^tenant\.(?![a-z0-9-]+\.events$)",
        "apply-to": "queues",
        "priority": 5,
        "definition": _OWN,
    },
}


def definitions(version: str, vhost: str = "/") -> dict[str, Any]:
    """As a file for ``rabbitmqctl import_definitions``."""
    limits = {"vhost": vhost, "component": "vhost-limits", "name": "limits", "value": {"max-queues": MAX_QUEUES}}
    operator = [
        {"vhost": vhost, "component": "operator_policy", "name": name, "value": value}
        for name, value in OPERATOR_POLICIES.items()
    ]
    named = [{"vhost": vhost, "name": name, **policy} for name, policy in policies(version).items()]
    return {"policies": named, "parameters": [*operator, limits]}


def set_policies(broker: Management, most_queues: int = MAX_QUEUES) -> str:
    """Sets all of them; returns the broker's version, by which they are chosen."""
    version = str(broker.get("overview")["rabbitmq_version"])
    for name, policy in policies(version).items():
        broker.put("policies", broker.vhost, name, body=policy)
    for name, policy in OPERATOR_POLICIES.items():
        broker.put("operator-policies", broker.vhost, name, body=policy)
    broker.put("vhost-limits", broker.vhost, "max-queues", body={"value": most_queues})
    return version


def _policy(pattern: str, priority: int, definition: dict[str, Any]) -> dict[str, Any]:
    return {"pattern": pattern, "apply-to": "queues", "priority": priority, "definition": definition}


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
