"""``athlete.erase`` as an operator: to all four services, as if the tenant had sent it, and until all have confirmed.

It goes over the services' own exchange, for on ``tandem.commands`` the broker lets nobody speak for a tenant.
"""

import json
import time
from datetime import UTC, datetime

from shared.bus.broker import OpenBroker, PublishFailed
from shared.bus.queue_names import INTERNAL_EXCHANGE, retry_key
from shared.contract.words import SERVICES
from shared.messages.envelope import JSON, Outgoing, type_of
from shared.messages.ids import new_id

_ERASE = "athlete.erase"
_TICK_S = 0.5


class NotErased(RuntimeError):
    """The message says how far it came and what to do."""


def erase(open_broker: OpenBroker, tenant: str, athlete: str, within_s: float) -> tuple[str, ...]:
    """Returns the services that have confirmed, which are all; raises NotErased, and BrokerAway."""
    identity = new_id()
    confirmations = _Confirmations(identity)
    replies = f"tenant.{tenant}.operator.{identity}"
    try:
        with open_broker() as broker, broker.listen(replies, [f"{tenant}.*.athlete-erased"], confirmations) as wait:
            broker.publish(_commands(tenant, athlete, identity, replies))
            deadline = time.monotonic() + within_s
            while not confirmations.answered and time.monotonic() < deadline:
                wait(min(_TICK_S, max(deadline - time.monotonic(), 0.01)))
    except PublishFailed as error:
        raise NotErased(f"{error}; nothing may have been erased; has tandem bus declare run?") from None
    missing = [service for service in SERVICES if service not in confirmations.services]
    if not confirmations.answered:
        who = ", ".join(missing) or "periodization, which answers for all,"
        raise NotErased(
            f"not confirmed within {within_s:g} s: {who}. The command waits in their queues and takes effect when they "
            "run; the same command again tells whether it did"
        )
    return tuple(SERVICES)


def _commands(tenant: str, athlete: str, identity: str, reply_to: str) -> list[Outgoing]:
    headers = {
        "ce-id": identity,
        "ce-source": "/tandem/operator",
        "ce-type": type_of(_ERASE),
        "ce-specversion": "1.0",
        "ce-time": datetime.now(UTC).isoformat(),
        "ce-subject": athlete,
        "tandem-source": "command",
        "tandem-routing-key": f"{tenant}.{_ERASE}",
        "tandem-user-id": tenant,
        "tandem-reply-to": reply_to,
    }
    body = json.dumps({"athlete": athlete}).encode()
    keys = [retry_key(service, "command") for service in SERVICES]
    return [Outgoing(INTERNAL_EXCHANGE, key, headers, body, identity, JSON) for key in keys]


class _Confirmations:
    """Events and the reply that belong to one command."""

    def __init__(self, correlation_id: str) -> None:
        self._correlation_id = correlation_id
        self.services: set[str] = set()
        self.answered = False

    def __call__(self, correlation_id: str | None, body: bytes) -> None:
        if correlation_id != self._correlation_id:
            return
        data = json.loads(body)
        if "service" in data:
            self.services.add(data["service"])
        elif "erased_by" in data:
            self.answered = set(data["erased_by"]) >= set(SERVICES)
