"""Periodic work, athlete by athlete: however many are due, each transaction holds a few, and the others wait briefly.

A tenant may have 50,000 athletes whose day ends at the same midnight. They are taken a few at a time, as many as fit
into a part of a second, in turns with the other tenants'. What is done is committed and published at once; whoever is
left when a service stops is still due when the next one looks.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from shared.bus.delivery.batch_outcome import BatchOutcome
from shared.bus.delivery.inbox import DeliveryStore
from shared.bus.delivery.outbox import OutboxEntry
from shared.bus.delivery.suspects import HANDLING
from shared.bus.delivery.unit_of_work import Calls, UnitOfWork, decisions_in
from shared.bus.routes import Timer
from shared.db.engine import Database
from shared.db.locks import lock_athletes, lock_tenant
from shared.db.row_security import act_for
from shared.ops import metrics

_log = structlog.get_logger("tandem.timers")

SLICE_S = 0.1
"""About how long one transaction of periodic work is to take: an athlete's own message may wait that long."""
_FIRST, _MAX = 5, 100


@dataclass(slots=True)
class _DueAthletes:
    """A tenant's athletes that are still to come. ``size``: how many fit into a slice, by what the last ones took."""

    tenant: str
    athletes: list[str]
    size: int = _FIRST
    failed: bool = False

    def next(self) -> list[str]:
        """The next few; they leave the list."""
        few = self.athletes[-self.size :]
        del self.athletes[-self.size :]
        return few

    def took(self, seconds: float, count: int) -> None:
        fitting = int(count * SLICE_S / max(seconds, 1e-6))
        self.size = max(1, min(fitting, self.size * 2, _MAX))


class Periodic:
    """Runs one service's timers over all its tenants."""

    def __init__(self, database: Database, store: DeliveryStore, calls: Calls) -> None:
        self._database = database
        self._store = store
        self._calls = calls

    def run(self, timer: Timer, goes_on: Callable[[], bool] = lambda: True) -> Iterator[list[OutboxEntry]]:
        """What each transaction leaves to be published. Ends when nobody is left, or before the next slice once
        ``goes_on`` says no. One tenant's failure stops no other, one athlete's no other of the tenant."""
        with self._database.transaction() as db:
            tenants = self._store.tenants(db)
        tenants_due: deque[_DueAthletes] = deque()
        for tenant in tenants:
            due = _DueAthletes(tenant, [])
            rows = self._attempt(timer, due, self._looking(timer, due))
            if rows:
                yield rows
            tenants_due.append(due)
        while tenants_due and goes_on():
            due = tenants_due.popleft()
            if due.athletes:
                tenants_due.append(due)
                yield from self._slice(timer, due)
            else:
                metrics.timer_runs.labels(self._calls.service, timer.name, "failed" if due.failed else "done").inc()

    def _looking(self, timer: Timer, due: _DueAthletes) -> Callable[[Session, UnitOfWork], None]:
        def look(db: Session, context: UnitOfWork) -> None:
            lock_tenant(db, self._calls.service, due.tenant)
            act_for(db, due.tenant)
            due.athletes = list(timer.due(context))
            # Replicas look at the same time; in one order each would wait for the athletes the other has just taken.
            random.shuffle(due.athletes)

        return look

    def _slice(self, timer: Timer, due: _DueAthletes) -> Iterator[list[OutboxEntry]]:
        few = due.next()
        began = time.monotonic()
        rows = self._attempt(timer, due, self._handling(timer, due, few))
        if rows is not None:
            due.took(time.monotonic() - began, len(few))
            yield rows
            return
        if not self._database.answers():
            due.athletes = []  # they are still due when the database is back
            return
        if len(few) > 1:
            for athlete in few:
                yield self._attempt(timer, due, self._handling(timer, due, [athlete])) or []

    def _handling(
        self, timer: Timer, due: _DueAthletes, athletes: Sequence[str]
    ) -> Callable[[Session, UnitOfWork], None]:
        def handle(db: Session, context: UnitOfWork) -> None:
            lock_athletes(db, self._calls.service, due.tenant, athletes)
            act_for(db, due.tenant)
            timer.handle(context, athletes)

        return handle

    def _attempt(
        self, timer: Timer, due: _DueAthletes, work: Callable[[Session, UnitOfWork], None]
    ) -> list[OutboxEntry] | None:
        """One transaction; None when it failed."""
        service = self._calls.service
        try:
            with HANDLING.beside(), self._database.transaction() as db:
                context = self._calls.context(db, due.tenant, None)
                work(db, context)
                BatchOutcome(service, context.now(), ()).settle(context)
                rows = self._calls.rows(context)
                self._store.write(db, (), rows)
        except Exception:  # noqa: BLE001 - logged and counted; the others' turns must come
            due.failed = True
            _log.exception("timer failed", service=service, timer=timer.name, tenant=due.tenant)
            return None
        for decision in decisions_in(context.emitted):
            metrics.decisions.labels(service, decision).inc()
        return rows
