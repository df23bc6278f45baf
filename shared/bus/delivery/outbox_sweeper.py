"""Publishes what was left in the outbox, and keeps what the broker will not have from stopping everything else.

A message that breaks the connection is found by halving, on a connection of the sweeper's own, and parked with the
broker's words. What a full or missing queue does not take waits in the outbox and is tried again one at a time.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared.bus.broker import MessageRefused, Publisher
from shared.bus.delivery.inbox import DeliveryStore
from shared.bus.delivery.outbox import ROWS_PER_PUBLISH, OutboxEntry, Relay, publish_rows
from shared.bus.delivery.retries import UNPUBLISHABLE, to_park_unpublishable
from shared.bus.queue_names import parked_key
from shared.db.engine import Database
from shared.db.writability import WRITE_PROBLEMS
from shared.ops import metrics

_log = structlog.get_logger("tandem.relay")

PROBE_AFTER_S = (5.0, 10.0, 20.0, 40.0, 60.0)
"""Back-off of the one message that is tried again to see whether its queue takes messages."""
_ASKED_WITHIN_S = 2.0
ISOLATE_WITHIN_S = 10.0
"""How long one sweep looks for messages that break connections; what it has not come to waits for the next sweep."""


class Sweeper:
    """One per service. ``sweep`` every few seconds, in a green thread of its own."""

    def __init__(
        self,
        relay: Relay,
        database: Database,
        store: DeliveryStore,
        publisher: Publisher,
        now_ms: Callable[[], int],
        sweep_age_ms: int = 5000,
    ) -> None:
        """``publisher``: nobody else's, so that only the message at hand can have broken its connection."""
        self.service = relay.service
        self._relay = relay
        self._database = database
        self._store = store
        self._publisher = publisher
        self._now_ms = now_ms
        self._sweep_age_ms = sweep_age_ms
        self._not_taken: set[str] = set()
        self._unparkable: set[str] = set()
        self._probes = 0
        self._probe_at = 0.0

    @property
    def is_held_up(self) -> bool:
        """Whether a queue of ours is full or gone: what is taken in now could not be put anywhere."""
        return bool(self._not_taken)

    def keep_alive(self) -> None:
        """Sends heartbeats between publishes."""
        self._publisher.keep_alive()

    def sweep(self) -> int:
        """Publishes all rows left behind by a crash or a broken connection; returns how many it settled.

        Every service does this every few seconds, so it also says whether the database answers, and takes writes.
        """
        writable = self._database.problem(_ASKED_WITHIN_S) not in WRITE_PROBLEMS
        metrics.database_writable.labels(self.service).set(writable)
        swept = 0
        while True:
            try:
                due, settled = self._sweep_some()
            except SQLAlchemyError:
                metrics.database_answers.labels(self.service).set(0)
                raise
            swept += settled
            if due < ROWS_PER_PUBLISH or not settled:
                return swept
            self._relay.keep_alive()  # a long time without a broker leaves many
            self.keep_alive()

    def _sweep_some(self) -> tuple[int, int]:
        before = self._now_ms() - self._sweep_age_ms
        held = len(self._not_taken) + len(self._unparkable)  # they are the oldest, and must not hide what is younger
        with self._database.transaction() as db:
            rows = self._store.outbox.unpublished(db, before, ROWS_PER_PUBLISH + held)
            # Set before anything is published: that something cannot be is what they are there for.
            metrics.database_answers.labels(self.service).set(1)
            self._set_oldest_age(rows)
            due = self._due(db, rows)
            published = None
            if due and not self._database.is_sqlite:  # the rows stay locked, so no other replica sends them too
                published = self._publish(due)
                self._settle(db, *published)
        if due and published is None:
            published = self._publish(due)
            with self._database.transaction() as db:
                self._settle(db, *published)
        if published is None:
            return 0, 0
        taken, parked = published
        if parked:
            metrics.parked.labels(self.service, "outbox", UNPUBLISHABLE).inc(len(parked))
        return len(due), len(taken) + len(parked)

    def _set_oldest_age(self, rows: Sequence[OutboxEntry]) -> None:
        oldest = min((row.created_at_ms for row in rows), default=None)
        age_s = 0.0 if oldest is None else (self._now_ms() - oldest) / 1000
        metrics.outbox_oldest_seconds.labels(self.service).set(age_s)

    def _due(self, db: Session, rows: Sequence[OutboxEntry]) -> list[OutboxEntry]:
        """Without what the broker did not take, but for one of it when it is time to try again."""
        if held := self._not_taken | self._unparkable:
            # Some may have been erased, or gone through with another replica. Asked for by id, for one that another
            # replica looks at right now is locked, and so not among ``rows``.
            there = self._store.outbox.existing(db, held)
            self._not_taken &= there
            self._unparkable &= there
        left = [row for row in rows if not self._relay.is_in_hand(row) and row.id not in self._unparkable]
        waiting = [row for row in left if row.id in self._not_taken]
        due = [row for row in left if row.id not in self._not_taken]
        if waiting and time.monotonic() >= self._probe_at:
            due.append(waiting[0])
        self._set_refused_rows()
        return due

    def _publish(self, rows: Sequence[OutboxEntry]) -> tuple[list[OutboxEntry], list[tuple[OutboxEntry, OutboxEntry]]]:
        """Which rows the broker has; and which it will never have, each with the row that parks it."""
        taken: list[OutboxEntry] = []
        parked: list[tuple[OutboxEntry, OutboxEntry]] = []
        deadline = time.monotonic() + ISOLATE_WITHIN_S
        # Those who broke connections before come last: what the others wait for is through by then.
        suspects = self._relay.breaking_tenants
        parts = [[row for row in rows if row.tenant in suspects], [row for row in rows if row.tenant not in suspects]]
        while parts and time.monotonic() < deadline:
            part = parts.pop()
            if not part:
                continue
            try:
                not_taken = publish_rows(self.service, self._publisher, part)
            except MessageRefused as error:
                middle = len(part) // 2
                if middle:
                    parts += (part[middle:], part[:middle])
                elif (entry := self._parked(part[0], str(error))) is not None:
                    parked.append((part[0], entry))
            else:
                self._note_not_taken(part, not_taken)
                taken += [row for row in part if row.id not in self._not_taken]
        return taken, parked

    def _parked(self, row: OutboxEntry, words: str) -> OutboxEntry | None:
        """What stands for a row that the broker refuses; None where there is nowhere left to put it."""
        _log.error("the broker refuses a message", service=self.service, message_id=row.id, reason=words)
        if row.message.routing_key == parked_key(self.service):
            self._unparkable.add(row.id)
            return None
        if not row.message.exchange:
            self._relay.breaking_tenants.add(row.tenant)
        return to_park_unpublishable(self.service, row, words, datetime.fromtimestamp(self._now_ms() / 1000, UTC))

    def _note_not_taken(self, tried: Sequence[OutboxEntry], not_taken: Sequence[OutboxEntry]) -> None:
        probed = any(row.id in self._not_taken for row in tried)
        self._not_taken -= {row.id for row in tried}
        if not_taken:
            keys = sorted({row.message.routing_key for row in not_taken})
            _log.error("the broker does not take messages", service=self.service, rows=len(not_taken), queue=keys)
            self._probe_at = time.monotonic() + PROBE_AFTER_S[min(self._probes, len(PROBE_AFTER_S) - 1)]
            self._probes += 1
            self._not_taken |= {row.id for row in not_taken}
            # A channel that was told that a queue is full believes it until the queue says otherwise, which it does
            # not do when its limit is raised; a new one asks again.
            self._publisher.close()
        elif probed:  # and taken: all that waits is due
            self._probes, self._not_taken = 0, set()
            self._relay.reconnect()
        self._set_refused_rows()

    def _set_refused_rows(self) -> None:
        metrics.outbox_refused_rows.labels(self.service).set(len(self._not_taken))

    def _settle(
        self, db: Session, taken: Sequence[OutboxEntry], parked: Sequence[tuple[OutboxEntry, OutboxEntry]]
    ) -> None:
        self._store.outbox.delete(db, [*taken, *(row for row, _ in parked)])
        if parked:
            self._store.write(db, (), [entry for _, entry in parked])
