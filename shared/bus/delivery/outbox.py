"""The outbox: what is committed and not yet confirmed by the broker.

The relay carries rows to the broker right after their commit; where that fails, they are the sweeper's.
"""

import json
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock
from typing import Any

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared.bus.broker import Publisher, PublishFailed
from shared.db.bulk import Rows, delete_rows
from shared.db.delivery_tables import OutboxRow
from shared.db.engine import Database
from shared.db.tables import table_of
from shared.hub import Hub
from shared.messages.envelope import EVENTS_EXCHANGE, Outgoing
from shared.messages.ids import new_id
from shared.ops import metrics

_COLUMNS = (
    "tenant",
    "id",
    "exchange",
    "routing_key",
    "headers",
    "content_type",
    "body",
    "correlation_id",
    "athlete",
    "created_at_ms",
)
_TABLE = table_of(OutboxRow)
_write_headers = json.JSONEncoder().encode


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """``id`` is the message's ce-id where it has one, so a repeated delivery carries the same id."""

    tenant: str
    id: str
    message: Outgoing
    athlete: str | None
    created_at_ms: int


def outbox_entry(tenant: str, message: Outgoing, athlete: str | None, now: datetime) -> OutboxEntry:
    """A row for ``message``, under its own ce-id."""
    return OutboxEntry(tenant, message.headers.get("ce-id") or new_id(), message, athlete, int(now.timestamp() * 1000))


class Outbox:
    def rows(self, rows: Sequence[OutboxEntry]) -> Rows:
        """To be written."""
        return Rows(_TABLE, _COLUMNS, [_values(row) for row in rows])

    def unpublished(self, db: Session, created_before_ms: int, limit: int) -> list[OutboxEntry]:
        """The oldest rows, locked against other replicas' sweepers where the database can."""
        query = (
            select(OutboxRow)
            .where(OutboxRow.created_at_ms <= created_before_ms)
            .order_by(OutboxRow.created_at_ms, OutboxRow.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [
            OutboxEntry(
                row.tenant,
                row.id,
                Outgoing(
                    row.exchange,
                    row.routing_key,
                    json.loads(row.headers),
                    row.body,
                    row.correlation_id,
                    row.content_type,
                ),
                row.athlete,
                row.created_at_ms,
            )
            for row in db.scalars(query)
        ]

    def existing(self, db: Session, ids: Collection[str]) -> set[str]:
        """Those of ``ids`` that still wait, locked by somebody or not."""
        return set(db.scalars(select(OutboxRow.id).where(OutboxRow.id.in_(ids))))

    def delete(self, db: Session, rows: Sequence[OutboxEntry], lazily: bool = False) -> None:
        """Deletes what the broker has confirmed. ``lazily``: see ``delete_rows``."""
        delete_rows(db, _TABLE, ("tenant", "id"), [(row.tenant, row.id) for row in rows], lazily)

    def delete_athlete(self, db: Session, tenant: str, athlete: str) -> None:
        """What is about an erased athlete and was not sent yet is not sent any more."""
        db.execute(delete(_TABLE).where(OutboxRow.tenant == tenant, OutboxRow.athlete == athlete))

    def is_empty(self, db: Session) -> bool:
        """True when everything committed has reached the broker."""
        return db.execute(select(OutboxRow.id).limit(1)).first() is None


def _values(row: OutboxEntry) -> tuple[Any, ...]:
    message = row.message
    return (
        row.tenant,
        row.id,
        message.exchange,
        message.routing_key,
        _write_headers(message.headers).encode(),
        message.content_type,
        message.body,
        message.correlation_id,
        row.athlete,
        row.created_at_ms,
    )


_log = structlog.get_logger("tandem.relay")

ROWS_PER_PUBLISH = 500
UNDER_WAY = 4
"""Batches published and not yet confirmed: what is committed next does not wait for the confirms of the one before."""
FULL_AT = 5000
"""Rows in hand at which the consumer waits: a broker that takes nothing more must slow down what is taken from it."""
DELETE_EVERY_S = 0.1
"""Confirmed rows of several batches are deleted together; a crash in between sends them again, under the same ids."""
_AWAY_S = 1.0


class Relay:
    """One per service. ``hand_over`` right after a commit; ``run`` in a green thread of its own."""

    def __init__(
        self,
        service: str,
        database: Database,
        outbox: Outbox,
        publisher: Publisher,
        hub: Hub,
    ) -> None:
        self.service = service
        self._database = database
        self._outbox = outbox
        self._publisher = publisher
        self._hub = hub
        self._rows: deque[OutboxEntry] = deque()
        self._in_hand: set[str] = set()
        self._confirmed: list[OutboxEntry] = []
        self._to_delete = Event()
        self._deleting = Lock()
        self._woken = Event()
        self._stopping = False
        self.breaking_tenants: set[str] = set()
        """Tenants that named reply addresses which break connections: their replies are left to the sweeper."""

    def hand_over(self, rows: Sequence[OutboxEntry]) -> None:
        """Takes committed rows; waits while too many are in hand already."""
        while len(self._rows) > FULL_AT and not self._stopping:
            time.sleep(0.05)
        if self.breaking_tenants:
            rows = [row for row in rows if row.message.exchange or row.tenant not in self.breaking_tenants]
        self._rows.extend(rows)
        self._in_hand.update(row.id for row in rows)
        if rows:
            self._woken.set()

    @property
    def in_hand(self) -> int:
        """Rows that were handed over and still stand in the outbox."""
        return len(self._in_hand)

    def is_in_hand(self, row: OutboxEntry) -> bool:
        return row.id in self._in_hand

    def run(self) -> None:
        """Publishes what is handed over, until ``stop``."""
        deleter = self._hub.spawn(self._delete_now_and_then)
        others = [self._hub.spawn(self._carry) for _ in range(UNDER_WAY - 1)]
        try:
            self._carry()
            for other in others:
                other.wait()
            with self._deleting:  # not in the middle of a transaction
                deleter.kill()
            self._delete_confirmed()
        finally:
            for other in (*others, deleter):
                other.kill()

    def _carry(self) -> None:
        while True:
            while self._rows:
                self._publish_next()
            if self._stopping:
                return
            self._woken.wait()
            self._woken.clear()

    def stop(self) -> None:
        """Lets ``run`` publish what it holds and return."""
        self._stopping = True
        self._woken.set()

    def reconnect(self) -> None:
        """Over a new connection from now on; what is under way is published again, under the same ids."""
        self._publisher.close()

    def keep_alive(self) -> None:
        """Sends heartbeats between publishes."""
        self._publisher.keep_alive()

    def _publish_next(self) -> None:
        rows = [self._rows.popleft() for _ in range(min(len(self._rows), ROWS_PER_PUBLISH))]
        try:
            not_taken = publish_rows(self.service, self._publisher, rows)
        except PublishFailed:
            # They stand in the outbox; the sweeper sends them once the broker answers again.
            _log.warning(
                "publishing failed, the sweeper will repeat it", service=self.service, rows=len(rows), exc_info=True
            )
            if self._stopping:  # whoever comes next sends the rest; trying it batch by batch would outlast the deadline
                rows += self._rows
                self._rows.clear()
            self._no_longer_in_hand(rows)
        else:
            left = {row.id for row in not_taken}
            self._no_longer_in_hand(not_taken)
            self._confirmed += [row for row in rows if row.id not in left]
            self._to_delete.set()

    def _no_longer_in_hand(self, rows: Sequence[OutboxEntry]) -> None:
        self._in_hand.difference_update(row.id for row in rows)
        metrics.outbox_rows.labels(self.service).set(len(self._in_hand))

    def _delete_now_and_then(self) -> None:
        while True:
            self._to_delete.wait()
            time.sleep(DELETE_EVERY_S)
            self._to_delete.clear()
            if not self._delete_confirmed():
                time.sleep(_AWAY_S)
                self._to_delete.set()

    def _delete_confirmed(self) -> bool:
        """Deletes what was confirmed; False when the database does not let us, and it is to be tried again.

        A power cut may undo it; then the rows are published once more, under the same ids.
        """
        with self._deleting:
            confirmed, self._confirmed = self._confirmed, []
            try:
                if confirmed:
                    with self._database.batch(durable=False) as db:
                        self._outbox.delete(db, confirmed, lazily=True)
            except SQLAlchemyError:
                self._confirmed += confirmed
                _log.warning("what was published stays in the outbox", service=self.service, rows=len(confirmed))
                return False
        self._no_longer_in_hand(confirmed)
        return True


def publish_rows(service: str, publisher: Publisher, rows: Sequence[OutboxEntry]) -> list[OutboxEntry]:
    """Publishes and counts; returns the rows that the broker has not taken, because their queue is full or gone.

    Raises PublishFailed.
    """
    started = time.monotonic()
    messages = [row.message for row in rows]
    try:
        confirms = publisher.publish(messages)
    except PublishFailed:
        # Mostly a connection that the broker closed meanwhile: once more, over a new one.
        metrics.publish_failures.labels(service).inc()
        try:
            confirms = publisher.publish(messages)
        except PublishFailed:
            metrics.publish_failures.labels(service).inc()
            raise
    if confirms.dropped:
        metrics.replies_dropped.labels(service).inc(len(confirms.dropped))
    for index, message in enumerate(messages):
        if message.exchange == EVENTS_EXCHANGE and index not in confirms.not_taken:
            metrics.published.labels(service, message.routing_key.split(".", 2)[2]).inc()
    _log.debug("published", service=service, rows=len(rows), seconds=time.monotonic() - started)
    return [rows[index] for index in sorted(confirms.not_taken)]
