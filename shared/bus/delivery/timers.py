"""Periodic work, athlete by athlete: however many are due, each transaction holds a few, and the others wait briefly.

A tenant may have 50,000 athletes whose day ends at the same midnight. They are taken a few at a time, as many as fit
into a part of a second, in turns with the other tenants'. What is done is committed and told at once; whoever is left
when a service stops is still due when the next one looks.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from shared.bus.delivery.decisions import decisions_in
from shared.bus.delivery.handler_calls import Calls
from shared.bus.delivery.ledger import Ledger, ToPublish
from shared.bus.delivery.unit_of_work import UnitOfWork
from shared.bus.routes import Timer
from shared.db.engine import Database
from shared.db.locks import take_tenant, take_turns
from shared.db.row_security import act_for
from shared.ops import metrics

_log = structlog.get_logger("tandem.timers")

SLICE_S = 0.1
"""About how long one transaction of periodic work is to take: an athlete's own message may wait that long."""
_FIRST, _MOST = 5, 100


@dataclass(slots=True)
class _Turn:
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
        self.size = max(1, min(fitting, self.size * 2, _MOST))


class Periodic:
    """Runs one service's timers over all its tenants."""

    def __init__(self, database: Database, ledger: Ledger, calls: Calls) -> None:
        self._database = database
        self._ledger = ledger
        self._calls = calls

    def run(self, timer: Timer, goes_on: Callable[[], bool] = lambda: True) -> Iterator[list[ToPublish]]:
        """What each transaction leaves to be published. Ends when nobody is left, or before the next slice once
        ``goes_on`` says no. One tenant's failure stops no other, one athlete's no other of the tenant."""
        with self._database.transaction() as db:
            tenants = self._ledger.tenants(db)
        turns: deque[_Turn] = deque()
        for tenant in tenants:
            turn = _Turn(tenant, [])
            rows = self._attempt(timer, turn, self._looking(timer, turn))
            if rows:
                yield rows
            turns.append(turn)
        while turns and goes_on():
            turn = turns.popleft()
            if turn.athletes:
                turns.append(turn)
                yield from self._slice(timer, turn)
            else:
                metrics.timer_runs.labels(self._calls.service, timer.name, "failed" if turn.failed else "done").inc()

    def _looking(self, timer: Timer, turn: _Turn) -> Callable[[Session, UnitOfWork], None]:
        def look(db: Session, context: UnitOfWork) -> None:
            take_tenant(db, self._calls.service, turn.tenant)
            act_for(db, turn.tenant)
            turn.athletes = list(timer.due(context))
            # Replicas look at the same time; in one order each would wait for the athletes the other has just taken.
            random.shuffle(turn.athletes)

        return look

    def _slice(self, timer: Timer, turn: _Turn) -> Iterator[list[ToPublish]]:
        few = turn.next()
        began = time.monotonic()
        rows = self._attempt(timer, turn, self._handling(timer, turn, few))
        if rows is not None:
            turn.took(time.monotonic() - began, len(few))
            yield rows
            return
        if not self._database.answers():
            turn.athletes = []  # they are still due when the database is back
            return
        if len(few) > 1:
            for athlete in few:
                yield self._attempt(timer, turn, self._handling(timer, turn, [athlete])) or []

    def _handling(self, timer: Timer, turn: _Turn, athletes: Sequence[str]) -> Callable[[Session, UnitOfWork], None]:
        def handle(db: Session, context: UnitOfWork) -> None:
            take_turns(db, self._calls.service, turn.tenant, athletes)
            act_for(db, turn.tenant)
            timer.handle(context, athletes)

        return handle

    def _attempt(
        self, timer: Timer, turn: _Turn, work: Callable[[Session, UnitOfWork], None]
    ) -> list[ToPublish] | None:
        """One transaction; None when it failed."""
        service = self._calls.service
        try:
            with self._database.transaction() as db:
                context = self._calls.context(db, turn.tenant, None)
                work(db, context)
                rows = self._calls.rows(context)
                self._ledger.write(db, (), rows)
        except Exception:  # noqa: BLE001 - logged and counted; the others' turns must come
            turn.failed = True
            _log.exception("timer failed", service=service, timer=timer.name, tenant=turn.tenant)
            return None
        for decision in decisions_in(context.emitted):
            metrics.decisions.labels(service, decision).inc()
        return rows
