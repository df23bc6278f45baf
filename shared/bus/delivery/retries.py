"""Messages that failed: to a waiting queue for another try, or to the parked queue for a person to look at."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast, get_args

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.bus.broker import BrokerAway
from shared.bus.delivery.outbox import OutboxEntry, outbox_entry
from shared.bus.queue_names import (
    INTERNAL_EXCHANGE,
    RETRY_DELAYS_S,
    commands_queue,
    dead_queue,
    parked_key,
    throttled_queue,
    waiting_queue,
)
from shared.messages.envelope import Delivery, Outgoing
from shared.messages.ids import is_id, new_id
from shared.messages.json_text import MAX_BYTES


def athlete_named(headers: Mapping[str, Any], body: bytes) -> str | None:
    """The athlete that the body names, else ``ce-subject``; None where neither is an athlete's id."""
    for candidate in (_in_body(body), *(headers[name] for name in headers if name.lower() == "ce-subject")):
        if isinstance(candidate, str) and is_id(candidate):
            return candidate
    return None


def _in_body(body: bytes) -> Any:
    """Binary mode: ``athlete`` of the body; structured mode: of its ``data``, else its ``subject``."""
    if len(body) > MAX_BYTES:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    data = document.get("data")
    within = data.get("athlete") if isinstance(data, dict) else None
    return document.get("athlete") or within or document.get("subject")


Reason = Literal[
    "handler_failed",
    "retries_exhausted",
    "event_refused",
    "unpublishable",
    "kills_service",
    "delivery_limit",
    "expired",
    "rejected",
    "maxlen",
    "dead_lettered",
]
UNPUBLISHABLE: Reason = "unpublishable"

_CARRIED = ("traceparent",)
PUBLISH_TO = ("tandem-publish-exchange", "tandem-publish-key")
CARRIED_HEADERS = (
    "tandem-source",
    "tandem-routing-key",
    "tandem-user-id",
    "tandem-reply-to",
    "traceparent",
    *PUBLISH_TO,
)
"""Of a parked message, what its replay takes along."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A command that waited, parked or for another try, and is gone because its athlete was erased."""

    tenant: str
    message: str | None
    source: str | None
    key: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message is retried or parked."""

    reason: Reason
    error: str
    at: datetime


def is_transient(error: BaseException) -> bool:
    """True for what another try may cure: something is away, deadlock, timeout, a lost race for the same inbox row."""
    if isinstance(error, OperationalError | InterfaceError | IntegrityError | PoolTimeout | TimeoutError | BrokerAway):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def to_throttled(service: str, delivery: Delivery, now: datetime) -> OutboxEntry:
    """The message on its way to where throttled tenants wait for each other."""
    return _internal(throttled_queue(service), delivery, _ours(delivery) | {"tandem-set-aside": "yes"}, now)


def to_retry(service: str, delivery: Delivery, failure: Failure) -> OutboxEntry:
    """The message on its way to the waiting queue of its next attempt; ``attempts`` must be below the limit."""
    delay_s = RETRY_DELAYS_S[delivery.attempts]
    again = replace(delivery, attempts=delivery.attempts + 1, first_failed=delivery.first_failed or _stamp(failure.at))
    return _internal(waiting_queue(service, delivery.source, delay_s), again, _ours(again), failure.at)


def to_park(service: str, delivery: Delivery, failure: Failure) -> OutboxEntry:
    """The message on its way to the parked queue, with everything a person needs to judge and replay it."""
    first_failed = delivery.first_failed or _stamp(failure.at)
    headers = _ours(replace(delivery, first_failed=first_failed)) | {
        "tandem-reason": failure.reason,
        "tandem-error": failure.error[:500],
        "tandem-last-failed": _stamp(failure.at),
        "tandem-parked-id": new_id(),
    }
    return _internal(parked_key(service), delivery, headers, failure.at)


def to_park_unpublishable(service: str, row: OutboxEntry, error: str, at: datetime) -> OutboxEntry:
    """What the broker will not publish, on its way to the parked queue, with where it was to go."""
    message = row.message
    headers = message.headers | {
        "tandem-reason": UNPUBLISHABLE,
        "tandem-error": error[:500],
        "tandem-first-failed": message.headers.get("tandem-first-failed", _stamp(at)),
        "tandem-last-failed": _stamp(at),
        "tandem-parked-id": new_id(),
    }
    if message.exchange != INTERNAL_EXCHANGE:  # there they say already what the message is
        name = message.headers.get("ce-type", "").removeprefix("tandem.").removesuffix(".v1")
        headers |= {
            "tandem-source": "outbox",
            "tandem-routing-key": f"{row.tenant}.{name}",
            "tandem-publish-exchange": message.exchange,
            "tandem-publish-key": message.routing_key,
        }
    parked = Outgoing(
        INTERNAL_EXCHANGE,
        parked_key(service),
        headers,
        message.body,
        message.correlation_id,
        message.content_type,
    )
    return replace(outbox_entry(row.tenant, parked, row.athlete, at), id=new_id())


def to_park_dead(service: str, delivery: Delivery, at: datetime) -> tuple[OutboxEntry, Reason]:
    """What the broker gave up, on its way to the parked queue, and why."""
    headers = {name: value for name, value in delivery.headers.items() if isinstance(value, str)}
    reason = cast(Reason, delivery.died or headers.get("tandem-reason"))
    if reason not in get_args(Reason):
        reason = "dead_lettered"
    if delivery.died:
        return to_park(service, delivery, Failure(reason, "the broker gave it up", at)), reason
    content_type = delivery.content_type or "application/octet-stream"
    parked = Outgoing(
        INTERNAL_EXCHANGE, parked_key(service), headers, delivery.body, delivery.correlation_id, content_type
    )
    tenant = headers.get("tandem-routing-key", "").partition(".")[0][:40]
    athlete = athlete_named(headers, delivery.body)
    return replace(outbox_entry(tenant, parked, athlete, at), id=new_id()), reason


def by_broker(service: str, headers: Mapping[str, Any], user_id: str | None, reply_to: str | None) -> dict[str, Any]:
    """What our headers would say of a message that the broker itself dead-lettered: it carries none that count.

    The first x-death entry is the broker's newest; a sender may have written others. Only into the commands queue can
    tenants write; what lay in another one came from a service, headers and all.
    """
    deaths = headers["x-death"]
    death = deaths[1] if deaths[0].get("queue") == dead_queue(service) and len(deaths) > 1 else deaths[0]
    of_tenants = death.get("queue") == commands_queue(service)
    source = "command" if of_tenants else "event"
    if death.get("exchange") == INTERNAL_EXCHANGE and not of_tenants:
        ours = {name: headers[name] for name in (*CARRIED_HEADERS, "tandem-attempts") if name in headers}
        source = str(ours.get("tandem-source", source))
    else:
        keys = death.get("routing-keys") or [""]
        ours = {"tandem-routing-key": keys[0], "tandem-user-id": user_id}
        if reply_to:
            ours["tandem-reply-to"] = reply_to
    return ours | {"tandem-source": source, "tandem-reason": str(death.get("reason", "dead_lettered"))}


def from_internal(delivery: Delivery, ours: Mapping[str, Any] | None = None) -> Delivery:
    """A delivery that comes back over the internal exchange, as it was when it first arrived.

    ``ours``: what its headers of ours would say where it has none.
    """
    ours = delivery.headers if ours is None else ours
    return replace(
        delivery,
        source=cast(Literal["command", "event"], ours["tandem-source"]),
        routing_key=ours["tandem-routing-key"],
        user_id=ours.get("tandem-user-id"),
        reply_to=ours.get("tandem-reply-to"),
        throttled="tandem-set-aside" in ours,
        replayed="tandem-replayed" in ours,
        direct=True,  # what was not is refused at once and never retried
        attempts=int(ours.get("tandem-attempts", "0")),
        first_failed=ours.get("tandem-first-failed"),
    )


def _internal(key: str, delivery: Delivery, headers: dict[str, str], now: datetime) -> OutboxEntry:
    carried = {
        name: value
        for name, value in delivery.headers.items()
        if isinstance(value, str) and (name.lower().startswith("ce-") or name in _CARRIED)
    }
    if all(name.lower() != "ce-time" for name in carried):
        # Else it would be as young as each new try, and what somebody erased in the meantime would come back with it.
        carried["ce-time"] = delivery.first_failed or _stamp(now)
    message = Outgoing(
        INTERNAL_EXCHANGE,
        key,
        carried | headers,
        delivery.body,
        delivery.correlation_id,
        delivery.content_type or "application/octet-stream",
    )
    tenant = delivery.routing_key.partition(".")[0][:40]
    athlete = athlete_named(delivery.headers, delivery.body)
    # Under an id of its own: the sender's ce-id stays in the headers, and nothing says it is unique.
    return replace(outbox_entry(tenant, message, athlete, now), id=new_id())


def _ours(delivery: Delivery) -> dict[str, str]:
    ours: dict[str, Any] = {
        "tandem-source": delivery.source,
        "tandem-routing-key": delivery.routing_key,
        "tandem-user-id": delivery.user_id,
        "tandem-reply-to": delivery.reply_to,
        "tandem-attempts": str(delivery.attempts),
        "tandem-first-failed": delivery.first_failed,
        "tandem-replayed": "yes" if delivery.replayed else None,
    }
    return {name: value for name, value in ours.items() if value is not None}


def _stamp(moment: datetime) -> str:
    return moment.isoformat()
