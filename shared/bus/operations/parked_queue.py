"""Parked messages: looked at without being taken, and replayed or dropped by a person, with a trace of who did it.

Reading takes every message and gives it back unacknowledged when the channel closes; a quorum queue puts what comes
back in its old place. One message is replayed in three steps, publish with confirm, audit row, acknowledge: dying in
between leaves it parked, and a second replay is recognised by the inbox.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal, Self, get_args

from sqlalchemy import insert

from shared.bus.broker import HeldMessage, OpenBroker
from shared.bus.delivery.retries import CARRIED_HEADERS, PUBLISH_TO, Reason, by_broker
from shared.bus.queue_names import INTERNAL_EXCHANGE, parked_queue, retry_key
from shared.db.delivery_tables import ParkedAuditRow
from shared.db.engine import Database
from shared.messages.envelope import Outgoing
from shared.messages.ids import new_id
from shared.ops import metrics

MAX_LOOKED_AT = 1000
_OTHER = "unknown"
NOT_LOOKED_AT = "not_looked_at"
"""The reason of whatever a queue holds beyond these."""
Action = Literal["replay", "drop"]


@dataclass(frozen=True, slots=True)
class Parked:
    """One parked message. ``body`` and ``error`` may hold health data; ``as_json`` leaves them out unless asked.

    ``problem``: why it cannot be replayed, else None.
    """

    service: str
    id: str
    tenant: str
    key: str
    message_id: str | None
    reason: str
    error: str | None
    attempts: int
    first_failed: str | None
    last_failed: str | None
    content_type: str
    correlation_id: str | None
    headers: dict[str, str]
    body: bytes
    problem: str | None = None

    def as_json(self, with_body: bool = False) -> dict[str, Any]:
        document = {
            "service": self.service,
            "id": self.id,
            "tenant": self.tenant,
            "key": self.key,
            "message": self.message_id,
            "reason": self.reason,
            "error": self.error if with_body else _kind_of(self.error),
            "attempts": self.attempts,
            "first_failed": self.first_failed,
            "last_failed": self.last_failed,
            "bytes": len(self.body),
            "replayable": self.problem is None,
            "problem": self.problem,
        }
        return document | ({"body": self.body.decode(errors="replace")} if with_body else {})


@dataclass(frozen=True, slots=True)
class Filter:
    """What a command is about; an empty field is no restriction."""

    ids: frozenset[str] = frozenset()
    tenant: str | None = None
    key: str | None = None
    reason: str | None = None

    def takes(self, parked: Parked) -> bool:
        wanted = ((self.tenant, parked.tenant), (self.key, parked.key), (self.reason, parked.reason))
        return (not self.ids or parked.id in self.ids) and all(want in (None, has) for want, has in wanted)


class ParkedQueue:
    """The parked messages of one service. Use it in ``with``: leaving it gives back what was not settled."""

    def __init__(self, service: str, open_broker: OpenBroker) -> None:
        self.service = service
        self._open_broker = open_broker

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self._broker = opened.enter_context(self._open_broker())
            self._view = opened.enter_context(self._broker.look(parked_queue(self.service)))
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def read(self) -> Iterator[tuple[HeldMessage, Parked]]:
        """Each message that is there now, oldest first. Two readers at once see a part each."""
        for message in self._view.messages():
            yield message, read_parked(self.service, message)

    def replay(self, message: HeldMessage, parked: Parked, settle: Callable[[], None]) -> None:
        """Back to the service's work queue, then ``settle`` (the audit), then gone from here. Raises PublishFailed."""
        self._broker.publish([to_replay(parked)])
        self.drop(message, settle)

    def drop(self, message: HeldMessage, settle: Callable[[], None]) -> None:
        settle()
        self._view.take(message)


class ParkedDepth:
    """How many messages of a service are parked, by reason: the queue itself is asked, so it is true whoever replays,
    drops or purges. Others see nothing of what is looked at meanwhile, so that is done only when the length is new."""

    def __init__(self, service: str, open_broker: OpenBroker) -> None:
        self.service = service
        self._open_broker = open_broker
        self._known = 0
        self._before = 0

    def measure(self) -> None:
        """Sets ``tandem_parked_messages``. Raises BrokerAway."""
        with self._open_broker() as broker, broker.look(parked_queue(self.service)) as view:
            length = view.count()
            # A queue that grows shorter is in somebody's hands right now.
            is_ours = length >= self._before
            self._before = length
            if length and (length == self._known or not is_ours):
                return
            found = (read_parked(self.service, message).reason for message in islice(view.messages(), MAX_LOOKED_AT))
            reasons = Counter(reason if reason in get_args(Reason) else _OTHER for reason in found)
        if length > reasons.total():
            reasons[NOT_LOOKED_AT] = length - reasons.total()
        self._known = length
        for reason in (*get_args(Reason), _OTHER, NOT_LOOKED_AT):
            metrics.parked_messages.labels(self.service, reason).set(reasons[reason])


class Audit:
    """Writes who did what to which parked message into the service's own database."""

    def __init__(self, database: Database, by: str, now: Callable[[], datetime]) -> None:
        self._database, self._by, self._now = database, by, now

    def note(self, action: Action, parked: Parked) -> None:
        row = {
            "tenant": parked.tenant,
            "id": new_id(),
            "at": self._now(),
            "by": self._by[:128],
            "action": action,
            "parked_id": parked.id,
            "key": parked.key,
            "message_id": parked.message_id,
            "reason": parked.reason,
        }
        with self._database.transaction() as db:
            db.execute(insert(ParkedAuditRow), [row])


class RateLimit:
    """At most ``per_second`` steps; None = as fast as it goes."""

    def __init__(self, per_second: float | None) -> None:
        self._gap_s = 1 / per_second if per_second else 0.0
        self._next = 0.0

    def step(self) -> float:
        """Waits until the next step is due; returns for how long, in seconds."""
        wait_s = max(0.0, self._next - time.monotonic())
        time.sleep(wait_s)
        self._next = max(self._next, time.monotonic()) + self._gap_s
        return wait_s


def read_parked(service: str, message: HeldMessage) -> Parked:
    """One that the broker itself parked (delivery limit) carries none of our headers, and what
    its sender wrote under their names is not believed."""
    headers, body = message.headers, message.body
    properties = message.properties
    ours: Mapping[str, Any] = headers
    if headers.get("x-death"):
        ours = by_broker(service, headers, properties.get("user_id"), properties.get("reply_to"))
    routing_key = str(ours.get("tandem-routing-key", ""))
    tenant, _, key = routing_key.partition(".")
    carried = {name: value for name, value in headers.items() if isinstance(value, str) and name.startswith("ce-")}
    carried |= {name: str(ours[name]) for name in CARRIED_HEADERS if ours.get(name) is not None}
    identity = (
        ours.get("tandem-parked-id") or hashlib.sha256(f"{headers.get('ce-id')}".encode() + body).hexdigest()[:32]
    )
    return Parked(
        service=service,
        id=str(identity),
        tenant=tenant[:40],
        key=key[:255],
        message_id=_text(headers.get("ce-id"), 128),
        reason=str(ours.get("tandem-reason", "unknown"))[:64],
        error=_text(ours.get("tandem-error"), 500),
        attempts=int(ours.get("tandem-attempts", "0")),
        first_failed=_text(ours.get("tandem-first-failed"), 40),
        last_failed=_text(ours.get("tandem-last-failed"), 40),
        content_type=message.properties.get("content_type") or "application/octet-stream",
        correlation_id=message.properties.get("correlation_id"),
        headers=carried,
        body=body,
        problem=_problem(ours, routing_key),
    )


def to_replay(parked: Parked) -> Outgoing:
    """As it first arrived, with all its attempts before it; what could not be published, as it was to go out."""
    source = parked.headers["tandem-source"]
    if source == "outbox":
        exchange, key = (parked.headers[name] for name in PUBLISH_TO)
        headers = {name: value for name, value in parked.headers.items() if not name.startswith("tandem-")}
        return Outgoing(exchange, key, headers, parked.body, parked.correlation_id, parked.content_type)
    return Outgoing(
        INTERNAL_EXCHANGE,
        retry_key(parked.service, source),
        parked.headers | {"tandem-replayed": "yes"},
        parked.body,
        parked.correlation_id,
        parked.content_type,
    )


def _problem(ours: Mapping[str, Any], routing_key: str) -> str | None:
    if ours.get("tandem-source") == "outbox" and all(name in ours for name in PUBLISH_TO):
        return None
    if ours.get("tandem-source") not in ("command", "event") or "." not in routing_key:
        return "where it came from is not known"
    if ours["tandem-source"] == "command" and ours.get("tandem-user-id") != routing_key.partition(".")[0]:
        return "the broker did not vouch for its sender; the sender must send it again"
    return None


def _kind_of(error: str | None) -> str | None:
    """``module.Error`` of ``module.Error: text``: the text may quote what was sent."""
    return None if error is None else error.partition(": ")[0]


def _text(value: Any, max_length: int) -> str | None:
    return None if value is None else str(value)[:max_length]
