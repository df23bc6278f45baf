"""Carries committed outbox rows to the broker: at once after the commit, and, where that failed, by the sweeper."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Lock

import structlog
from sqlalchemy.exc import SQLAlchemyError

from shared.bus.broker import Publisher, PublishFailed
from shared.bus.delivery.outbox import OutboxEntry
from shared.bus.delivery.store import DeliveryStore
from shared.db.engine import Database
from shared.hub import Hub
from shared.messages.envelope import EVENTS_EXCHANGE
from shared.ops import metrics

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
    """One per service. ``hand_over`` right after a commit; ``run`` and ``sweep`` each in their own green thread."""

    def __init__(
        self,
        service: str,
        database: Database,
        store: DeliveryStore,
        publisher: Publisher,
        now_ms: Callable[[], int],
        hub: Hub,
        sweep_age_ms: int = 5000,
    ) -> None:
        self.service = service
        self._database = database
        self._store = store
        self._publisher = publisher
        self._now_ms = now_ms
        self._hub = hub
        self._sweep_age_ms = sweep_age_ms
        self._rows: deque[OutboxEntry] = deque()
        self._in_hand: set[str] = set()
        self._confirmed: list[OutboxEntry] = []
        self._to_delete = Event()
        self._deleting = Lock()
        self._woken = Event()
        self._stopping = False

    def hand_over(self, rows: Sequence[OutboxEntry]) -> None:
        """Takes committed rows; waits while too many are in hand already."""
        while len(self._rows) > FULL_AT and not self._stopping:
            time.sleep(0.05)
        self._rows.extend(rows)
        self._in_hand.update(row.id for row in rows)
        if rows:
            self._woken.set()

    @property
    def in_hand(self) -> int:
        """Rows that were handed over and still stand in the outbox."""
        return len(self._in_hand)

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

    def sweep(self) -> int:
        """Publishes all rows left behind by a crash or a broken connection; returns how many.

        Every service does this every few seconds, so it also says whether the database answers.
        """
        try:
            swept = last = self._sweep_some()
        except SQLAlchemyError:
            metrics.database_answers.labels(self.service).set(0)
            raise
        metrics.database_answers.labels(self.service).set(1)
        while last == ROWS_PER_PUBLISH:  # a long time without a broker leaves many
            self.keep_alive()
            last = self._sweep_some()
            swept += last
        return swept

    def _sweep_some(self) -> int:
        before = self._now_ms() - self._sweep_age_ms
        held = frozenset(self._in_hand)
        with self._database.transaction() as db:
            rows = self._store.outbox.unpublished(db, before, ROWS_PER_PUBLISH)
            left = [row for row in rows if row.id not in held and row.id not in self._in_hand]
            oldest = min((row.created_at_ms for row in rows), default=None)
            if left and not self._database.is_sqlite:  # the rows stay locked, so no other replica sends them too
                self._publish(left)
                self._store.outbox.delete(db, left)
        if left and self._database.is_sqlite:
            self._publish(left)
            with self._database.transaction() as db:
                self._store.outbox.delete(db, left)
        age_s = 0.0 if oldest is None else (self._now_ms() - oldest) / 1000
        metrics.outbox_oldest_seconds.labels(self.service).set(age_s)
        return len(left)

    def keep_alive(self) -> None:
        """Sends heartbeats between publishes."""
        self._publisher.keep_alive()

    def _publish_next(self) -> None:
        rows = [self._rows.popleft() for _ in range(min(len(self._rows), ROWS_PER_PUBLISH))]
        try:
            self._publish(rows)
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
            self._confirmed += rows
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
                        self._store.outbox.delete(db, confirmed, lazily=True)
            except SQLAlchemyError:
                self._confirmed += confirmed
                _log.warning("what was published stays in the outbox", service=self.service, rows=len(confirmed))
                return False
        self._no_longer_in_hand(confirmed)
        return True

    def _publish(self, rows: Sequence[OutboxEntry]) -> None:
        started = time.monotonic()
        messages = [row.message for row in rows]
        try:
            returned = self._publisher.publish(messages)
        except PublishFailed:
            # Mostly a connection that the broker closed meanwhile: once more, over a new one.
            metrics.publish_failures.labels(self.service).inc()
            try:
                returned = self._publisher.publish(messages)
            except PublishFailed:
                metrics.publish_failures.labels(self.service).inc()
                raise
        if returned:
            metrics.replies_dropped.labels(self.service).inc(len(returned))
        for row in rows:
            if row.message.exchange == EVENTS_EXCHANGE:
                name = row.message.routing_key.split(".", 2)[2]
                metrics.published.labels(self.service, name).inc()
        _log.debug("published", service=self.service, rows=len(rows), seconds=time.monotonic() - started)
