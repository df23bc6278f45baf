"""What a batch decided about each message, collected until it can be written and published at once."""

import hashlib
import json
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from prometheus_client import Counter as Metric

from shared.bus.delivery.inbox import Identity, InboxEntry
from shared.bus.delivery.outbox import OutboxEntry, outbox_entry
from shared.bus.delivery.unit_of_work import ReplyKind, errors, reply_message
from shared.bus.delivery.validation import Readable, Refused
from shared.bus.routes import DUPLICATE, ERASED, Answered, Forgotten, Later, Outcome
from shared.messages.envelope import EVENTS_EXCHANGE, Address, outgoing, type_of
from shared.messages.ids import new_id
from shared.messages.validation import Problem
from shared.ops import metrics

ERASE = "athlete.erase"
"""After this command the delivery tables, too, must not name the athlete."""
_ID_REUSED = Problem("", "id_reused", "this ce-id was used before for another message; give each message its own")


class BatchOutcome:
    """The rows of one transaction in the making. Counters are held back until ``count``: a rollback counts nothing."""

    def __init__(self, service: str, now: datetime, keys: Container[str]) -> None:
        """``keys``: of the service's own routes; whatever else a tenant writes into a routing key is no label."""
        self.service = service
        self.now = now
        self.erased = False
        self._routed = keys
        self.seen: dict[Identity, list[InboxEntry]] = {}
        self.taken: list[InboxEntry] = []
        self.messages: list[OutboxEntry] = []
        self.tenants: set[str] = set()
        self._counts: Counter[tuple[Metric, tuple[str, ...]]] = Counter()
        self._keys: Counter[str] = Counter()

    @staticmethod
    def in_inbox(reading: Readable | Refused) -> bool:
        """Queries change nothing and stand in no inbox; neither does what has no id or no tenant."""
        if isinstance(reading, Readable):
            return not reading.route.query
        return reading.address is not None and reading.message_id is not None

    @staticmethod
    def identity(reading: Readable | Refused) -> Identity:
        if isinstance(reading, Readable):
            return reading.incoming.tenant, reading.incoming.id
        assert reading.address is not None and reading.message_id is not None
        return reading.address.tenant, reading.message_id

    def settled_before(self, reading: Readable) -> bool:
        """True when this id was taken before: the same message is answered again, another one is refused."""
        rows = self.seen.get(self.identity(reading), [])
        address, body_hash = reading.envelope.address, reading.envelope.body_hash
        same_handler = [row for row in rows if row.handler == address.key]
        if same_handler and same_handler[0].body_hash == body_hash:
            self._repeat(same_handler[0], address, reading.route.replies)
            return True
        if same_handler or (rows and reading.route.source == "command"):
            self._publish_rejection(
                address, reading.incoming.id, [_ID_REUSED], reading.envelope.subject, _replies(reading)
            )
            return True
        return False

    def accept(self, reading: Readable, outcome: Outcome, rows: Sequence[OutboxEntry]) -> None:
        """The handler's events, its reply, and the inbox row."""
        incoming, address = reading.incoming, reading.envelope.address
        self.tenants.add(incoming.tenant)
        self.messages += rows
        later = isinstance(outcome, Later)
        data = {} if outcome is None or isinstance(outcome, Later) else outcome.data
        word: ReplyKind = "answered" if isinstance(outcome, Answered) else "accepted"
        if reading.route.replies and not later:
            self._reply(address, incoming.id, word, data)
        if not reading.route.query:
            self._add_to_inbox(reading, "later" if later else word, data, isinstance(outcome, Forgotten))
        counter = metrics.answered if reading.route.query else metrics.accepted
        self._count(incoming.key, counter)

    def decide(self, decisions: Sequence[str]) -> None:
        """What the accepted message led to."""
        self._counts.update((metrics.decisions, (self.service, decision)) for decision in decisions)

    def reject(self, reading: Readable, problems: Sequence[Problem]) -> None:
        """The handler said no: a reply, an event, and, for a command, an inbox row so that a repeat hears the same."""
        envelope = reading.envelope
        self._publish_rejection(envelope.address, reading.incoming.id, problems, envelope.subject, _replies(reading))
        if not reading.route.query:
            self.tenants.add(reading.incoming.tenant)
            self._add_to_inbox(reading, "rejected", errors(problems))

    def erase_athlete(self, tenant: str, athlete: str, own: Sequence[OutboxEntry]) -> None:
        """An erased athlete: of this batch's inbox rows only what recognises a repetition is kept, and of what was to
        be sent about the athlete only the erase's ``own``."""
        self.taken = [
            replace(row, athlete=None, reply=None) if (row.tenant, row.athlete) == (tenant, athlete) else row
            for row in self.taken
        ]
        self.messages = [row for row in self.messages if row in own or (row.tenant, row.athlete) != (tenant, athlete)]
        self.erased = True

    def refuse(self, refused: Refused, body: bytes) -> None:
        """A message that no handler saw."""
        code = refused.problems[0].code
        if refused.address is None:
            self._count(metrics.OTHER, metrics.rejected, code)
            return
        if self.in_inbox(refused):
            body_hash = hashlib.sha256(refused.key.encode() + b"\n" + body).hexdigest()
            identity = self.identity(refused)
            rows = self.seen.get(identity, [])
            if rows:
                if rows[0].body_hash == body_hash and rows[0].handler == refused.key[:160]:
                    self._repeat(
                        replace(rows[0], reply=_json(errors(refused.problems))), refused.address, refused.replies
                    )
                else:
                    self._publish_rejection(
                        refused.address, refused.message_id, [_ID_REUSED], refused.subject, refused.replies
                    )
                return
            # Neither whom it named nor what was wrong, which may quote it: a repetition is read, and refused, again.
            self._add_row(InboxEntry(*identity, refused.key[:160], body_hash, None, "rejected", None, self.now))
        self._publish_rejection(refused.address, refused.message_id, refused.problems, refused.subject, refused.replies)

    def throttle(self, row: OutboxEntry) -> None:
        """Moved from one queue to another; it is consumed when it is taken from there."""
        self.messages.append(row)
        self._counts[metrics.throttled, (self.service,)] += 1

    def park(self, row: OutboxEntry, key: str) -> None:
        """Kept for a person; no inbox row, so that a replay is taken."""
        self.messages.append(row)
        self._count(key, metrics.parked, "event_refused")

    def whose_rows(self) -> set[str]:
        """The tenants of all that is to be written."""
        return self.tenants | {row.tenant for row in self.taken} | {row.tenant for row in self.messages}

    def count(self, seconds: float, done: int) -> None:
        """After the commit: now it happened, so now it is counted."""
        for (metric, labels), number in self._counts.items():
            metric.labels(*labels).inc(number)
        metrics.batch_messages.labels(self.service).observe(done)
        for key, number in self._keys.items():
            metrics.consumed.labels(self.service, key).inc(number)
            handling = metrics.handling_seconds.labels(self.service, key)
            for _ in range(number):
                handling.observe(seconds)

    def _repeat(self, row: InboxEntry, address: Address, replies: bool) -> None:
        if replies and row.outcome == "rejected" and row.reply:
            self._reply(address, row.message_id, "rejected", json.loads(row.reply))
        elif replies:
            self._reply(address, row.message_id, "accepted", {**_first_reply(row), "duplicate": True})
        self._count(row.handler, metrics.duplicates)

    def _publish_rejection(
        self, address: Address, message_id: str | None, problems: Sequence[Problem], subject: str | None, replies: bool
    ) -> None:
        if replies:
            self._reply(address, message_id, "rejected", errors(problems))
            event = outgoing(
                exchange=EVENTS_EXCHANGE,
                routing_key=f"{address.tenant}.{self.service}.command-rejected",
                id=new_id(),
                source=f"/tandem/{self.service}",
                type=type_of(f"{self.service}.command-rejected"),
                time=self.now,
                subject=subject,
                data={"message": message_id, "key": address.key, **errors(problems)},
                correlation_id=address.correlation_id,
            )
            self.messages.append(outbox_entry(address.tenant, event, subject, self.now))
        code = problems[0].code
        self._count(address.key, metrics.rejected, code)

    def _reply(self, address: Address, message_id: str | None, word: ReplyKind, data: Mapping[str, Any]) -> None:
        if address.reply_to is None or address.correlation_id is None:
            return
        message = reply_message(
            self.service,
            self.now,
            word,
            data,
            key=address.key,
            message_id=message_id,
            reply_to=address.reply_to,
            correlation_id=address.correlation_id,
        )
        self.messages.append(outbox_entry(address.tenant, message, None, self.now))

    def _add_to_inbox(self, reading: Readable, outcome: str, data: Mapping[str, Any], forgotten: bool = False) -> None:
        incoming, envelope = reading.incoming, reading.envelope
        athlete = None if forgotten else getattr(incoming.body, "athlete", None) or envelope.subject
        self._add_row(
            InboxEntry(
                incoming.tenant,
                incoming.id,
                incoming.key,
                envelope.body_hash,
                athlete,
                outcome,
                _json(data) if data and not forgotten else None,
                self.now,
            )
        )

    def _add_row(self, row: InboxEntry) -> None:
        self.taken.append(row)
        self.seen.setdefault((row.tenant, row.message_id), []).append(row)

    def _count(self, key: str, metric: Metric, *more: str) -> None:
        """One more of ``key``; ``metric`` is labelled with the service, the key and ``more``."""
        key = metrics.known_key(key, self._routed)
        self._keys[key] += 1
        self._counts[metric, (self.service, key, *more)] += 1


def _replies(reading: Readable) -> bool:
    return reading.route.replies and reading.route.source == "command"


def _first_reply(row: InboxEntry) -> Mapping[str, Any]:
    """What the sender of a repetition hears; of an erased athlete no reply is kept, and one given late never is."""
    if row.reply:
        reply: dict[str, Any] = json.loads(row.reply)
        return reply
    is_erased = row.outcome != "later" and row.athlete is None and row.handler != ERASE
    return (ERASED if is_erased else DUPLICATE).data


def _json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
