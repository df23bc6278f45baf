"""``athlete.erase`` as an operator: to all four services, as if the tenant had sent it, and until all have confirmed.

It goes over the services' own exchange, for on ``tandem.commands`` the broker lets nobody speak for a tenant.
"""

import json
import time
from datetime import UTC, datetime
from typing import Any

import amqp
from kombu import Consumer, Exchange, Queue
from kombu.exceptions import OperationalError

from shared.bus.queue_names import INTERNAL_EXCHANGE, retry_key
from shared.bus.transport.publisher import ConfirmedPublisher, PublishFailed
from shared.bus.transport.wiring import Wiring
from shared.contract.words import SERVICES
from shared.messages.envelope import EVENTS_EXCHANGE, JSON, Outgoing, type_of
from shared.messages.ids import new_id
from shared.ops.settings import Settings, without_password

_ERASE = "athlete.erase"
_TICK_S = 0.5


class NotErased(RuntimeError):
    """The message says how far it came and what to do."""


def erase(settings: Settings, tenant: str, athlete: str, within_s: float) -> tuple[str, ...]:
    """Returns the services that have confirmed, which are all; raises NotErased."""
    connect = Wiring(settings, None).connector()
    shown = without_password(settings.amqp_uri)
    identity = new_id()
    try:
        with connect() as connection:
            heard = _Heard(identity)
            channel = connection.channel()
            queue = Queue(f"tenant.{tenant}.operator.{identity}", exclusive=True, auto_delete=True)
            events = Exchange(EVENTS_EXCHANGE, type="topic", no_declare=True)
            bound = queue(channel)
            bound.queue_declare()
            bound.bind_to(events, routing_key=f"{tenant}.*.athlete-erased")
            with Consumer(channel, [bound], on_message=heard, no_ack=True):
                _send(ConfirmedPublisher(connect), tenant, athlete, identity, bound.name)
                _listen(connection, heard, within_s)
    except PublishFailed as error:
        raise NotErased(f"{shown}: {error}; nothing may have been erased; has tandem bus declare run?") from None
    except (OSError, amqp.AMQPError, OperationalError) as error:
        raise NotErased(f"{shown}: {error or type(error).__name__}; set TANDEM_AMQP_URI") from None
    missing = [service for service in SERVICES if service not in heard.services]
    if not heard.answered:
        who = ", ".join(missing) or "periodization, which answers for all,"
        raise NotErased(
            f"not confirmed within {within_s:g} s: {who}. The command waits in their queues and takes effect when they "
            "run; the same command again tells whether it did"
        )
    return tuple(SERVICES)


def _send(publisher: ConfirmedPublisher, tenant: str, athlete: str, identity: str, reply_to: str) -> None:
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
    try:
        publisher.publish([Outgoing(INTERNAL_EXCHANGE, key, headers, body, identity, JSON) for key in keys])
    finally:
        publisher.close()


def _listen(connection: Any, heard: "_Heard", within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not heard.answered and time.monotonic() < deadline:
        try:
            connection.drain_events(timeout=min(_TICK_S, max(deadline - time.monotonic(), 0.01)))
        except TimeoutError:
            connection.heartbeat_check()


class _Heard:
    """Events and the reply that belong to one command."""

    def __init__(self, correlation_id: str) -> None:
        self._correlation_id = correlation_id
        self.services: set[str] = set()
        self.answered = False

    def __call__(self, message: Any) -> None:
        if message.properties.get("correlation_id") != self._correlation_id:
            return
        data = json.loads(message.body)
        if "service" in data:
            self.services.add(data["service"])
        elif "erased_by" in data:
            self.answered = set(data["erased_by"]) >= set(SERVICES)
