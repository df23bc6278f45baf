"""CloudEvents 1.0 over AMQP 0-9-1: what comes in is checked to the last header, what goes out is binary mode.

The header names are those of ``cloudevents.core.bindings.rabbitmq``; a test reads our messages with that binding and
its messages with ours. It is not used on the way in, because it parses a body before anything has measured it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from shared.messages.ids import is_id, is_tenant, valid_traceparent
from shared.messages.json_text import MAX_BYTES, canonical, read_json
from shared.messages.validation import InvalidInput, Problem, quoted
from shared.messages.values import Instant

COMMANDS_EXCHANGE = "tandem.commands"
EVENTS_EXCHANGE = "tandem.events"
DEFAULT_EXCHANGE = ""
"""AMQP's own: the routing key is a queue's name; only replies go there."""

JSON = "application/json"
STRUCTURED = "application/cloudevents+json"

MAX_CLOCK_AHEAD = timedelta(minutes=5)
"""By which machines' clocks may differ without NTP failing."""
_DIRECT_REPLY = re.compile(r"amq\.rabbitmq\.reply-to(\.[A-Za-z0-9+/=_-]+\.[A-Za-z0-9+/=_-]+)?")
"""As the broker writes it for the consumer of ``amq.rabbitmq.reply-to``: a process and a key, each in base64."""
MAX_SOURCE = 255
"""Characters of ce-source, which is part of a message's identity and stored with it."""
_REQUIRED = ("id", "source", "type", "specversion")
_write = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One AMQP message as the broker handed it over, nothing believed yet. ``attempts``: how often it was retried.

    ``direct``: published to the exchange we listen to. Only then has the broker checked the routing key against the
    sender; a tenant may also dead-letter into ``tandem.commands`` or bind an exchange of its own to it, under any key.
    ``throttled``: it comes from the queue of tenants over their fair share. ``in_hand``: how many deliveries under its
    tenant the consumer holds. ``in_vain``: how often the broker has handed it over before, to whoever died or lost its
    connection.
    """

    source: Literal["command", "event"]
    routing_key: str
    body: bytes
    content_type: str | None = None
    content_encoding: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    user_id: str | None = None
    reply_to: str | None = None
    correlation_id: str | None = None
    direct: bool = True
    throttled: bool = False
    in_hand: int = 1
    in_vain: int = 0
    replayed: bool = False
    """An operator put it back after it had been parked."""
    died: str | None = None
    """Why the broker gave it up, in its own words; such a message comes from the queue of the dead."""
    attempts: int = 0
    first_failed: str | None = None
    unreadable: bool = False
    """A property was no UTF-8 text, or held control characters; those that were are left out."""


@dataclass(frozen=True, slots=True)
class Address:
    """Who sent it and where an answer may go. ``key`` is the routing key without the tenant."""

    tenant: str
    key: str
    reply_to: str | None
    correlation_id: str | None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Envelope:
    """A whole message: its CloudEvents attributes and its data, as plain JSON values."""

    address: Address
    id: str
    time: datetime
    source: str
    type: str
    subject: str | None
    traceparent: str | None
    data: Any
    body_hash: str


class Refusal(Exception):
    """The message cannot be taken. ``address`` is None when not even the tenant is known."""

    def __init__(self, address: Address | None, problems: tuple[Problem, ...], message_id: str | None = None) -> None:
        self.address = address
        self.problems = problems
        self.message_id = message_id
        super().__init__("; ".join(problem.code for problem in problems))


def read_address(delivery: Delivery, user_id_required: bool) -> Address:
    """The verified tenant and the permitted reply address; raises Refusal.

    On the command exchange the broker-verified ``user_id`` must be the routing key's tenant. Where somebody else's
    tenant is named, the refusal is addressed to the user who really sent it.
    """
    tenant, _, key = delivery.routing_key.partition(".")
    if not is_tenant(tenant) or not key:
        raise Refusal(None, (_whole("routing_key", "a routing key is <tenant>.<service>.<name>"),))
    if not (key.isascii() and key.isprintable()):
        readable = "".join(one if one.isascii() and one.isprintable() else "?" for one in key)
        text = "a routing key is printable ASCII"
        sender = Address(tenant, readable, None, delivery.correlation_id)
        raise Refusal(sender if _vouched_for(delivery, tenant) else None, (_whole("routing_key", text),))
    if delivery.source == "event":
        return Address(tenant, key, None, delivery.correlation_id)
    reply_to = delivery.reply_to if _reply_permitted(delivery.reply_to, tenant) else None
    address = Address(
        tenant, key, reply_to if delivery.correlation_id else None, delivery.correlation_id, delivery.replayed
    )
    if delivery.unreadable and _vouched_for(delivery, tenant):
        text = "properties and headers must be UTF-8 text without control characters"
        raise Refusal(address, (_whole("properties_unreadable", text),), _header_id(delivery))
    if delivery.user_id is None and user_id_required:
        missing = "the user_id property must be set to the tenant"
        # On a detour nobody vouches for the tenant in the key: telling it would let others write to its events.
        known = address if delivery.direct else None
        raise Refusal(known, (_whole("user_id_missing", missing),), _header_id(delivery))
    if delivery.user_id is not None and delivery.user_id != tenant:
        other = f"user_id {quoted(delivery.user_id)} may not send for tenant {quoted(tenant)}"
        sender = Address(delivery.user_id, key, None, delivery.correlation_id)
        raise Refusal(
            sender if is_tenant(delivery.user_id) else None,
            (_whole("tenant_mismatch", other),),
            _header_id(delivery),
        )
    if delivery.reply_to is not None and not _reply_permitted(delivery.reply_to, tenant):
        foreign = f"reply_to must be amq.rabbitmq.reply-to or begin with tenant.{tenant}."
        raise Refusal(address, (_whole("reply_to_refused", foreign),), _header_id(delivery))
    return address


def _vouched_for(delivery: Delivery, tenant: str) -> bool:
    """Whether the broker itself has tied the sender to ``tenant``: by the user, or by the key it was allowed to use."""
    return delivery.user_id == tenant or (delivery.user_id is None and delivery.direct)


def read_envelope(
    delivery: Delivery, address: Address, received: datetime, max_ahead: timedelta = MAX_CLOCK_AHEAD
) -> Envelope:
    """Both content modes; raises Refusal with every problem of the envelope. ``received`` stands in for no ce-time.

    ``max_ahead``: of a command, how far its ce-time may be ahead: the newest counts, so a clock that runs ahead would
    silence all that others send until its time has come.
    """
    media_type = (delivery.content_type or "").partition(";")[0].strip().lower()
    if media_type not in (JSON, STRUCTURED):
        allowed = f"content type {quoted(delivery.content_type)} is not taken; send {JSON} or {STRUCTURED}"
        raise Refusal(address, (_whole("content_type", allowed),), _header_id(delivery))
    if (delivery.content_encoding or "utf-8").lower() not in ("utf-8", "utf8"):
        encoding = f"content encoding {quoted(delivery.content_encoding)} is not taken; send plain UTF-8"
        raise Refusal(address, (_whole("content_encoding", encoding),), _header_id(delivery))
    try:
        body = read_json(delivery.body)
    except InvalidInput as error:
        raise Refusal(address, error.problems, _header_id(delivery)) from None
    if media_type == STRUCTURED:
        attributes, data = _structured(body, address)
    else:
        attributes, data = _binary_attributes(delivery.headers), body
    problems = list(_attribute_problems(attributes, delivery.source, address.key))
    time, time_problem = _time(attributes.get("time"), received)
    if delivery.source == "command" and time - received > max_ahead:
        told, ours = (one.astimezone(UTC).isoformat(timespec="seconds") for one in (time, received))
        ahead = f"ce-time {told} is ahead of our clock, which says {ours}, by more than {max_ahead.total_seconds():g} s"
        time_problem = _whole("clock_ahead", f"{ahead}; set the clock of whoever sends, and send it again")
    if time_problem:
        problems.append(time_problem)
    if problems:
        raise Refusal(address, tuple(problems), _as_id(attributes.get("id")))
    return Envelope(
        address=address,
        id=attributes["id"],
        time=time,
        source=attributes["source"],
        type=attributes["type"],
        subject=attributes.get("subject"),
        traceparent=_traceparent(delivery.headers, attributes),
        data=data,
        body_hash=_hash_of(address.key, data),
    )


def attributes_of(delivery: Delivery) -> Mapping[str, Any]:
    """The CloudEvents attributes of a message that nobody else reads, as they stand there; empty where none can be."""
    if (delivery.content_type or "").partition(";")[0].strip().lower() != STRUCTURED:
        return _binary_attributes(delivery.headers)
    try:
        body = read_json(delivery.body)
    except InvalidInput:
        return {}
    return body if isinstance(body, dict) else {}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish; ``headers`` are ours alone, nothing inbound but the trace is carried over."""

    exchange: str
    routing_key: str
    headers: dict[str, str]
    body: bytes
    correlation_id: str | None = None
    content_type: str = JSON


class MessageTooLarge(ValueError):
    """An event of ours that no consumer would take; the handler has to say less or say it in several."""


def outgoing(
    *,
    exchange: str,
    routing_key: str,
    id: str,
    source: str,
    type: str,
    time: datetime,
    subject: str | None,
    data: Mapping[str, Any],
    traceparent: str | None = None,
    correlation_id: str | None = None,
) -> Outgoing:
    """A message in binary mode; raises MessageTooLarge, and ValueError for a number that is not finite."""
    headers = {
        "ce-id": id,
        "ce-source": source,
        "ce-type": type,
        "ce-specversion": "1.0",
        "ce-time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    if subject is not None:
        headers["ce-subject"] = subject
    if traceparent is not None:
        headers["traceparent"] = traceparent
    body = _write(data).encode()
    if exchange == EVENTS_EXCHANGE and len(body) > MAX_BYTES:
        raise MessageTooLarge(f"{type}: {len(body)} bytes, and at most {MAX_BYTES} are taken")
    return Outgoing(exchange, routing_key, headers, body, correlation_id)


def type_of(key: str) -> str:
    """``load.record-session`` -> ``tandem.load.record-session.v1``."""
    return f"tandem.{key}.v1"


def _reply_permitted(reply_to: str | None, tenant: str) -> bool:
    if reply_to is None:
        return False
    return bool(_DIRECT_REPLY.fullmatch(reply_to)) or reply_to.startswith(f"tenant.{tenant}.")


def _binary_attributes(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower()[3:]: value for name, value in headers.items() if name.lower().startswith("ce-")}


def _structured(body: Any, address: Address) -> tuple[dict[str, Any], Any]:
    if not isinstance(body, dict):
        raise Refusal(
            address, (_whole("not_an_event", "a structured message is an object with id, source, type, data"),)
        )
    if "data_base64" in body:
        base64 = "data_base64 is not taken; send the data as JSON in 'data'"
        raise Refusal(address, (Problem("/data_base64", "base64_data", base64),), _as_id(body.get("id")))
    attributes = {name: value for name, value in body.items() if name != "data"}
    return attributes, body.get("data")


def _attribute_problems(attributes: Mapping[str, Any], source: str, key: str) -> list[Problem]:
    problems = []
    for name in _REQUIRED:
        value = attributes.get(name)
        if value is None or value == "":
            problems.append(_whole(f"{name}_missing", f"the CloudEvents attribute ce-{name} is missing"))
        elif not isinstance(value, str):
            problems.append(_whole(f"{name}_invalid", f"ce-{name} must be text, not {quoted(value)}"))
        elif not value.isprintable():
            unprintable = f"ce-{name} holds a line feed or another character that cannot be printed"
            problems.append(_whole(f"{name}_invalid", unprintable))
    if not problems and len(attributes["source"]) > MAX_SOURCE:
        problems.append(_whole("source_invalid", f"ce-source holds at most {MAX_SOURCE} characters"))
    if not problems and not is_id(attributes["id"]):
        problems.append(_whole("id_invalid", "ce-id must be 1 to 128 characters of A-Z a-z 0-9 _ . : -"))
    if not problems and attributes["specversion"] != "1.0":
        problems.append(
            _whole("specversion_invalid", f"ce-specversion must be 1.0, not {quoted(attributes['specversion'])}")
        )
    if not problems and attributes["type"] != type_of(key):
        wrong = f"ce-type {quoted(attributes['type'])} does not belong to routing key …{key}; it is {type_of(key)}"
        problems.append(_whole("type_mismatch", wrong))
    subject = attributes.get("subject")
    if subject is not None and not (isinstance(subject, str) and is_id(subject)):
        problems.append(_whole("subject_invalid", "ce-subject is the athlete's id: 1 to 128 of A-Z a-z 0-9 _ . : -"))
    return problems


def _time(given: Any, received: datetime) -> tuple[datetime, Problem | None]:
    if given is None:
        return received, None
    try:
        return _INSTANT.validate_python(given), None
    except ValidationError:
        return received, _whole("time_invalid", f"ce-time {quoted(given)} is no RFC 3339 time with an offset")


def _traceparent(headers: Mapping[str, Any], attributes: Mapping[str, Any]) -> str | None:
    for candidate in (headers.get("traceparent"), attributes.get("traceparent")):
        if valid_traceparent(candidate):
            return valid_traceparent(candidate)
    return None


def _header_id(delivery: Delivery) -> str | None:
    return _as_id(_binary_attributes(delivery.headers).get("id"))


def _as_id(value: Any) -> str | None:
    return value if isinstance(value, str) and is_id(value) else None


def _hash_of(key: str, data: Any) -> str:
    return hashlib.sha256(key.encode() + b"\n" + canonical(data)).hexdigest()


def _whole(code: str, message: str) -> Problem:
    return Problem("", code, message)
