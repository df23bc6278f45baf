"""What a batch decided about each message, collected until it can be written and published at once."""

import hashlib
import json
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from prometheus_client import Counter as Metric

from shared.bus.delivery.inbox import PENDING, Identity, Inbox, InboxEntry
from shared.bus.delivery.outbox import OutboxEntry, outbox_entry
from shared.bus.delivery.retries import Reason
from shared.bus.delivery.unit_of_work import ReplyKind, UnitOfWork, errors, event_message, reply_message
from shared.bus.delivery.validation import Readable, Refused, Unhandled
from shared.bus.routes import ERASED, Accepted, Answered, Forgotten, Later, Outcome
from shared.messages.envelope import Address
from shared.messages.validation import Problem
from shared.ops import metrics

_DEAD = "tandem:dead"
"""The inbox's source of what the broker gave up, each death under a digest of its own."""
_PARKED_TEXT = "the service failed at it and keeps it; its operators know, and command-settled tells what comes of it"
_EXPIRED = Problem("", "expired", "its expiration passed before the service took it: it had no effect; send it again")
_ID_REUSED = Problem("", "id_reused", "this ce-id was used before for another message; give each message its own")


class BatchOutcome:
    """The rows of one transaction in the making. Counters are held back until ``count``: a rollback counts nothing."""

    def __init__(self, service: str, now: datetime, keys: Container[str]) -> None:
        """``keys``: of the service's own routes; whatever else a tenant writes into a routing key is no label."""
        self.service = service
        self.now = now
        self.erased = False
        self.elsewhere_s = 0.0
        """Seconds in which the batch waited for what was computed elsewhere."""
        self._routed = keys
        self.seen: dict[Identity, list[InboxEntry]] = {}
        self.taken: list[InboxEntry] = []
        self.messages: list[OutboxEntry] = []
        self.tenants: set[str] = set()
        self._counts: Counter[tuple[Metric, tuple[str, ...]]] = Counter()
        self._keys: Counter[str] = Counter()

    @staticmethod
    def in_inbox(reading: Readable | Refused | Unhandled) -> bool:
        """Queries change nothing and stand in no inbox; neither does what has no id or no tenant."""
        if isinstance(reading, Readable):
            return not reading.route.query
        if isinstance(reading, Unhandled):
            return reading.address is not None and not (reading.is_query and reading.is_expired)
        return reading.address is not None and reading.message_id is not None

    @staticmethod
    def identity(reading: Readable | Refused | Unhandled) -> Identity:
        if isinstance(reading, Readable):
            return reading.incoming.tenant, reading.incoming.id
        if isinstance(reading, Unhandled):
            assert reading.address is not None
            return reading.address.tenant, reading.death
        assert reading.address is not None and reading.message_id is not None
        return reading.address.tenant, reading.message_id

    def settled_before(self, reading: Readable) -> bool:
        """True when this id was taken before: the same message is answered again, another one is refused."""
        rows = self._seen_of(reading, reading.envelope.source)
        address, body_hash = reading.envelope.address, reading.envelope.body_hash
        same_handler = [row for row in rows if row.handler == address.key]
        if same_handler and same_handler[0].body_hash == body_hash:
            self._repeat(same_handler[0], reading, address, reading.route.replies)
            return True
        if same_handler or (rows and reading.route.source == "command"):
            self._publish_rejection(reading, address, reading.incoming.id, [_ID_REUSED], _replies(reading))
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
            is_pending = isinstance(outcome, Accepted) and outcome.effect.word == PENDING
            kind = "later" if later else PENDING if is_pending else word
            self._add_to_inbox(reading, kind, data, isinstance(outcome, Forgotten))
        if isinstance(outcome, Accepted) and outcome.effect.word != PENDING:
            self._settle(reading, address, incoming.id, outcome.effect.word, outcome.effect.code)
        counter = metrics.answered if reading.route.query else metrics.accepted
        self._count(incoming.key, counter)

    def settle(self, context: UnitOfWork) -> None:
        """Tells what came of pending commands, also of those of this very batch; ahead of what the handler emits
        being collected."""
        for one in context.settlements:
            inbox, whose = Inbox(), (context.tenant, one.athlete, PENDING)
            stored = [row for row in inbox.pending(context.db, *whose[:2]) if row.message_id not in one.still]
            fresh = [
                row
                for row in self.taken
                if (row.tenant, row.athlete, row.outcome) == whose and row.message_id not in one.still
            ]
            inbox.settle(context.db, stored)
            for row in fresh:
                self._replace(row, replace(row, outcome="accepted"))
            # Of somebody erased no event may say the name.
            subject = None if one.code == ERASED.code else one.athlete
            for row in (*stored, *fresh):
                told: dict[str, Any] = {"message": row.message_id, "source": row.source or None, "key": row.handler}
                if row.message_id in one.applied:
                    told["outcome"] = "applied"
                elif row.message_id in one.rejected:
                    told |= {"outcome": "rejected", **errors(one.rejected[row.message_id])}
                else:
                    told |= {"outcome": "none", "code": one.code}
                context.emit("command-settled", told, subject)

    def decide(self, decisions: Sequence[str]) -> None:
        """What the accepted message led to."""
        self._counts.update((metrics.decisions, (self.service, decision)) for decision in decisions)

    def reject(self, reading: Readable, problems: Sequence[Problem]) -> None:
        """The handler said no: a reply, an event, and, for a command, an inbox row so that a repeat hears the same."""
        envelope = reading.envelope
        self._publish_rejection(reading, envelope.address, reading.incoming.id, problems, _replies(reading))
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
            rows = self._seen_of(refused, refused.source)
            if rows:
                if rows[0].body_hash == body_hash and rows[0].handler == refused.key[:160]:
                    row = replace(rows[0], reply=_json(errors(refused.problems)))
                    self._repeat(row, refused, refused.address, refused.replies)
                else:
                    self._publish_rejection(refused, refused.address, refused.message_id, [_ID_REUSED], refused.replies)
                return
            # Neither whom it named nor what was wrong, which may quote it: a repetition is read, and refused, again.
            self._add_row(
                InboxEntry(*identity, refused.source, refused.key[:160], body_hash, None, "rejected", None, self.now)
            )
        self._publish_rejection(refused, refused.address, refused.message_id, refused.problems, refused.replies)

    def throttle(self, row: OutboxEntry) -> None:
        """Moved from one queue to another; it is consumed when it is taken from there."""
        self.messages.append(row)
        self._counts[metrics.throttled, (self.service,)] += 1

    def retry(self, row: OutboxEntry, key: str) -> None:
        """To be tried again later."""
        self.messages.append(row)
        self._counts[metrics.retries, (self.service, key)] += 1

    def park(self, row: OutboxEntry, parked: Unhandled, reason: Reason) -> None:
        """Kept for a person, which its sender is told; no inbox row of its id, so that a replay is taken."""
        if parked.death and self._died_before(parked):
            return
        self.messages.append(row)
        self._count(parked.key, metrics.parked, reason)
        if parked.address is None or not parked.is_command:
            return
        told = {"message": parked.message_id, "code": reason, "text": _PARKED_TEXT}
        if parked.replies:
            self._reply(parked.address, parked.message_id, "parked", told)
        if not parked.is_query:
            self._publish(parked, parked.address, "command-parked", told)

    def expire(self, expired: Unhandled) -> None:
        """A query is dropped; of a command nobody waits for a reply, but an event tells that it had no effect."""
        if self._died_before(expired):
            return
        self._count(expired.key, metrics.expired)
        if expired.address is not None and expired.replies and not expired.is_query:
            told = {"message": expired.message_id, **errors([_EXPIRED])}
            self._publish(expired, expired.address, "command-rejected", told)

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

    def _seen_of(self, reading: Readable | Refused, source: str) -> list[InboxEntry]:
        """Rows of the same sender under the same id."""
        return [row for row in self.seen.get(self.identity(reading), []) if row.source in ("", source)]

    def _died_before(self, dead: Unhandled) -> bool:
        """True when this very death was settled and its acknowledgement was lost; else it is noted."""
        if not self.in_inbox(dead):
            return False
        identity = self.identity(dead)
        if identity in self.seen:
            return True
        self._add_row(InboxEntry(*identity, _DEAD, dead.key[:160], dead.death, None, "rejected", None, self.now))
        return False

    def _repeat(self, row: InboxEntry, reading: Readable | Refused, address: Address, replies: bool) -> None:
        if row.outcome == "rejected":
            found = json.loads(row.reply) if row.reply else {}
            self._settle(reading, address, row.message_id, "rejected", more=found)
        else:
            self._settle(reading, address, row.message_id, "none", "duplicate")
        if replies and row.outcome == "rejected" and row.reply:
            self._reply(address, row.message_id, "rejected", json.loads(row.reply))
        elif replies:
            self._reply(address, row.message_id, "accepted", {**row.first_reply, "duplicate": True})
        self._count(row.handler, metrics.duplicates)

    def _publish_rejection(
        self,
        about: Readable | Refused,
        address: Address,
        message_id: str | None,
        problems: Sequence[Problem],
        replies: bool,
    ) -> None:
        if replies:
            self._reply(address, message_id, "rejected", errors(problems))
            self._publish(about, address, "command-rejected", {"message": message_id, **errors(problems)})
        self._settle(about, address, message_id, "rejected", more=errors(problems))
        self._count(address.key, metrics.rejected, problems[0].code)

    def _settle(
        self,
        about: Readable | Refused,
        address: Address,
        message_id: str | None,
        outcome: str,
        code: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """What came of a command that had been told to be parked, when a replay has brought it back."""
        if address.replayed and not (isinstance(about, Readable) and about.route.query):
            told = {"message": message_id, "outcome": outcome, **({"code": code} if code else {}), **(more or {})}
            self._publish(about, address, "command-settled", told)

    def _publish(
        self, about: Readable | Refused | Unhandled, address: Address, name: str, data: Mapping[str, Any]
    ) -> None:
        """An event of the service about a message."""
        told = about.envelope if isinstance(about, Readable) else about
        data = {"source": told.source or None, "key": address.key, **data}
        event = event_message(self.service, address.tenant, name, data, self.now, told.subject, address.correlation_id)
        self.messages.append(outbox_entry(address.tenant, event, told.subject, self.now))

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
                envelope.source,
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

    def _replace(self, row: InboxEntry, by: InboxEntry) -> None:
        for rows in (self.taken, self.seen.get((row.tenant, row.message_id), [])):
            rows[:] = [by if one is row else one for one in rows]

    def _count(self, key: str, metric: Metric, *more: str) -> None:
        """One more of ``key``; ``metric`` is labelled with the service, the key and ``more``."""
        key = metrics.known_key(key, self._routed)
        self._keys[key] += 1
        self._counts[metric, (self.service, key, *more)] += 1


def _replies(reading: Readable) -> bool:
    return reading.route.replies and reading.route.source == "command"


def _json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
