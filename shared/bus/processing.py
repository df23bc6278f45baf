"""A batch of deliveries becomes state, inbox rows and outbox rows in one transaction.

Knows no broker: deliveries come in, what is to be published goes out. The caller acknowledges the first ``done``
deliveries of a returned Batch, and only then.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from shared.bus.crowding import SetAside, Shares, sender_of
from shared.bus.decided import decisions_in
from shared.bus.gathering import Gathered
from shared.bus.handling import Accepted, Answered, Rejected, Route, Timer
from shared.bus.intake import Intake, Readable, Refused
from shared.bus.ledger import Ledger, ToPublish, to_publish
from shared.bus.opening import open_batch
from shared.bus.outcomes import Work
from shared.bus.putting_back import RETRY_DELAYS_S, Failure, Reason, is_transient, to_crowded, to_park, to_retry
from shared.bus.unit_of_work import Cause, Clock, UnitOfWork
from shared.db.delivery_tables import DeliveryTables
from shared.db.engine import Database
from shared.db.locks import take_tenant
from shared.db.row_security import act_for, may_write
from shared.messages.envelope import Delivery
from shared.ops import metrics
from shared.ops.logging import bound
from shared.rules.decisions import Rules

_log = structlog.get_logger("tandem.bus")


ERASE = "athlete.erase"
"""After this command the delivery tables, too, must not name the athlete."""


_NOTHING_CAN_BE_WRITTEN = (OperationalError, InterfaceError, InternalError, PoolTimeout)
"""A full disk, a server that takes reads only, no connection to be had: where not even a failure can be noted, the
database is away for every message, whatever it answers."""


Reading = Readable | Refused | SetAside


class RuleSource(Protocol):
    """Where a tenant's active rules come from; ``shared.rules.live.RuleBook`` is one."""

    def for_tenant(self, tenant: str) -> Rules: ...

    def as_of(self, tenant: str, day: date) -> Rules: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """``done``: how many deliveries, counted from the first, are settled. ``messages``: committed, to be published.

    ``database_away``: the rest could not be handled because the database does not answer; try again later.
    """

    done: int
    messages: tuple[ToPublish, ...] = ()
    database_away: bool = False


class Processor:
    """One service's routes and timers over its database."""

    def __init__(
        self,
        service: str,
        routes: Sequence[Route],
        database: Database,
        tables: DeliveryTables,
        rules: RuleSource | None,
        clock: Clock,
        user_id_required: bool = True,
        budget_s: float = 0.25,
        shares: Shares | None = None,
        forget_parked: Callable[[str, str], object] | None = None,
    ) -> None:
        """``forget_parked``: drops what the service's parked queue holds of a tenant's athlete; a TimeoutError, when
        the queue cannot be looked through, puts the erase off."""
        self.service = service
        self._forget_parked = forget_parked
        self.ledger = Ledger(tables)
        self.database = database
        self._intake = Intake(service, routes, user_id_required)
        self._keys = frozenset(route.key for route in routes)
        self._rules = rules
        self._clock = clock
        self._budget_s = budget_s
        self._shares = shares
        self._tenants_read = False

    def process(self, deliveries: Sequence[Delivery]) -> Batch:
        """Handles deliveries in order, together if all goes well, else one by one. Raises nothing a message caused."""
        received = self._clock()
        crowding = self._crowding(deliveries)
        readings = [
            SetAside(delivery.routing_key.partition(".")[2])
            if not delivery.set_aside and sender_of(delivery) in crowding
            else self._intake.read(delivery, received)
            for delivery in deliveries
        ]
        if len(deliveries) > 1:
            try:
                return self._together(deliveries, readings)
            except Exception as error:  # noqa: BLE001 - each message gets its own try below, where its error is told
                if not isinstance(error, Rejected):
                    _log.warning("batch failed, taking its messages one by one", messages=len(readings), exc_info=True)
                if isinstance(error, DBAPIError) and not self._database_answers():
                    return Batch(0, database_away=True)
        return self._one_by_one(deliveries, readings)

    def run_timer(self, timer: Timer) -> tuple[ToPublish, ...]:
        """Calls the timer once per known tenant, each in its own transaction; one tenant's failure stops no other."""
        published: list[ToPublish] = []
        with self.database.transaction() as db:
            tenants = self.ledger.tenants(db)
        for tenant in tenants:
            try:
                with self.database.transaction() as db:
                    take_tenant(db, self.service, tenant)
                    act_for(db, tenant)
                    context = self._context(db, tenant, None)
                    timer.handle(context)
                    rows = self._rows(context)
                    self.ledger.write(db, (), rows)
            except Exception:  # noqa: BLE001 - counted and logged; the other tenants' turns must come
                metrics.timer_runs.labels(self.service, timer.name, "failed").inc()
                _log.exception("timer failed", service=self.service, timer=timer.name, tenant=tenant)
            else:
                metrics.timer_runs.labels(self.service, timer.name, "done").inc()
                for decision in decisions_in(context.emitted):
                    metrics.decisions.labels(self.service, decision).inc()
                published += rows
        return tuple(published)

    def _together(self, deliveries: Sequence[Delivery], readings: Sequence[Reading]) -> Batch:
        started = time.monotonic()
        work = Work(self.service, self._clock(), self._keys)
        done = 0
        with self.database.transaction(keeps_loaded=True) as db:
            work.seen = open_batch(
                db,
                self.ledger,
                self.service,
                (_whose(reading) for reading in readings if isinstance(reading, Readable)),
                (
                    work.identity(reading)
                    for reading in readings
                    if not isinstance(reading, SetAside) and work.in_inbox(reading)
                ),
            )
            gathered = Gathered()
            for delivery, reading in zip(deliveries, readings, strict=True):
                if done and time.monotonic() - started > self._budget_s:
                    break  # a long handler must not hold the transaction, and with it everybody's acknowledgement
                if len(deliveries) == 1 or not self._gather(db, work, gathered, reading):
                    self._take(db, work, delivery, reading)
                done += 1
            self._handle_gathered(db, work, gathered)
            if not may_write(db, work.whose_rows()):
                act_for(db, None)
            new_tenants = self.ledger.remember_tenants(db, work.tenants, work.now)
            self.ledger.write(db, work.taken, work.messages)
        if work.forgot:
            self.database.wipe()
        self.ledger.tenants_committed(new_tenants)
        self._charge(deliveries[:done], readings, new_tenants, time.monotonic() - started)
        work.count(time.monotonic() - started, done)
        return Batch(done, tuple(work.messages))

    def _gather(self, db: Session, work: Work, gathered: Gathered, reading: Reading) -> bool:
        """True when ``reading`` is settled or waits to be handled with its neighbours; else it is to be taken now."""
        if isinstance(reading, SetAside):
            return False
        if isinstance(reading, Readable) and reading.route.handle_many is not None:
            if gathered.holds(work.identity(reading)) or not gathered.joins(reading):
                self._handle_gathered(db, work, gathered)
            if reading.route.query or not work.settled_before(reading):
                gathered.add(reading)
            return True
        if isinstance(reading, Readable) or (work.in_inbox(reading) and gathered.holds(work.identity(reading))):
            self._handle_gathered(db, work, gathered)
        return False

    def _handle_gathered(self, db: Session, work: Work, gathered: Gathered) -> None:
        readings = gathered.take_all()
        if not readings:
            return
        route, tenant = readings[0].route, readings[0].incoming.tenant
        assert route.handle_many is not None
        act_for(db, tenant)
        contexts = [self._context(db, tenant, _cause_of(reading)) for reading in readings]
        with bound(tenant=tenant, key=route.key):
            outcomes = route.handle_many(
                [(one, reading.incoming) for one, reading in zip(contexts, readings, strict=True)]
            )
        for reading, context, outcome in zip(readings, contexts, outcomes, strict=True):
            if isinstance(outcome, Rejected):
                work.reject(reading, outcome.problems)
            else:
                self._accept(db, work, reading, context, outcome)

    def _take(self, db: Session, work: Work, delivery: Delivery, reading: Reading) -> None:
        if isinstance(reading, SetAside):
            work.set_aside(to_crowded(self.service, delivery, work.now))
            return
        if isinstance(reading, Refused):
            if delivery.source == "event" and reading.problems[0].code != "unknown_message":
                # One of our own services sent it: a mistake of ours, kept until it can be replayed.
                described = ", ".join(f"{problem.pointer} {problem.code}".strip() for problem in reading.problems)
                work.park(to_park(self.service, delivery, Failure("event_refused", described, work.now)), reading.key)
            else:
                work.refuse(reading, delivery.body)
            return
        if not reading.route.query and work.settled_before(reading):
            return
        # Per handler, not per batch: a batch may hold several tenants' messages, each sees its own tenant's rows.
        act_for(db, reading.incoming.tenant)
        context = self._context(db, reading.incoming.tenant, _cause_of(reading))
        with bound(
            tenant=reading.incoming.tenant,
            message_id=reading.incoming.id,
            correlation_id=reading.incoming.correlation_id,
            key=reading.incoming.key,
        ):
            try:
                outcome = reading.route.handle(context, reading.incoming)
            except Rejected as rejected:
                if not reading.route.query:
                    raise  # what the handler wrote has to go, and with it, for now, the rest of the batch
                work.reject(reading, rejected.problems)
                return
        self._accept(db, work, reading, context, outcome)

    def _accept(
        self, db: Session, work: Work, reading: Readable, context: UnitOfWork, outcome: Accepted | Answered | None
    ) -> None:
        rows = self._rows(context)
        work.accept(reading, outcome, rows)
        if reading.route.source == "command" and reading.route.key == ERASE:
            tenant, athlete = _whose(reading)
            if athlete is not None:
                if self._forget_parked is not None:
                    self._forget_parked(tenant, athlete)
                self.ledger.forget_athlete(db, tenant, athlete)
                work.forget(tenant, athlete, rows)
        work.decide(decisions_in(context.emitted, reading.incoming.key, outcome))

    def _one_by_one(self, deliveries: Sequence[Delivery], readings: Sequence[Reading]) -> Batch:
        started = time.monotonic()
        messages: list[ToPublish] = []
        for index, (delivery, reading) in enumerate(zip(deliveries, readings, strict=True)):
            if index and time.monotonic() - started > self._budget_s:
                return Batch(index, tuple(messages))
            try:
                batch = self._alone(delivery, reading)
            except Exception as error:  # noqa: BLE001 - whatever a handler raises, its message is put back with it
                if isinstance(error, DBAPIError) and not self._database_answers():
                    return Batch(index, tuple(messages), database_away=True)
                try:
                    batch = self._put_back(delivery, error)
                except _NOTHING_CAN_BE_WRITTEN:
                    _log.warning("nothing can be written", service=self.service, exc_info=True)
                    return Batch(index, tuple(messages), database_away=True)
            messages += batch.messages
        return Batch(len(deliveries), tuple(messages))

    def _alone(self, delivery: Delivery, reading: Reading) -> Batch:
        for first in (True, False):
            try:
                return self._together([delivery], [reading])
            except Rejected as rejected:
                return self._rejected(reading, rejected)
            except DBAPIError as error:
                # The server may have restarted since this connection was made; over a new one it may go well.
                if not (first and error.connection_invalidated):
                    raise
        raise AssertionError("the second try returns or raises")

    def _crowding(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        """Tenants whose messages of this batch are set aside."""
        if self._shares is None:
            return frozenset()
        if not self._tenants_read:
            try:
                with self.database.transaction() as db:
                    self._shares.know(self.ledger.tenants(db))
            except DBAPIError:
                return frozenset()  # what follows fails alike, and says so
            self._tenants_read = True
        in_hand = {
            sender: delivery.in_hand
            for delivery in deliveries
            if not delivery.set_aside and (sender := sender_of(delivery)) is not None
        }
        return self._shares.crowding(in_hand)

    def _charge(
        self, deliveries: Sequence[Delivery], readings: Sequence[Reading], new_tenants: set[str], seconds: float
    ) -> None:
        if self._shares is None:
            return
        self._shares.know(new_tenants)
        handled = Counter(
            sender
            for delivery, reading in zip(deliveries, readings, strict=False)
            if not delivery.set_aside
            and not isinstance(reading, SetAside)
            and (sender := sender_of(delivery)) is not None
        )
        self._shares.charge(handled, seconds)

    def _rejected(self, reading: Reading, rejected: Rejected) -> Batch:
        assert isinstance(reading, Readable)
        work = Work(self.service, self._clock(), self._keys)
        work.reject(reading, rejected.problems)
        with self.database.transaction() as db:
            self.ledger.write(db, work.taken, work.messages)
        work.count(0.0, 1)
        return Batch(1, tuple(work.messages))

    def _put_back(self, delivery: Delivery, error: Exception) -> Batch:
        key = metrics.known_key(delivery.routing_key.partition(".")[2], self._keys)
        _log.error("handling failed", service=self.service, key=key, attempts=delivery.attempts, exc_info=error)
        now = self._clock()
        described = f"{type(error).__module__}.{type(error).__qualname__}: {error}"
        transient = is_transient(error)
        if transient and delivery.attempts < len(RETRY_DELAYS_S):
            row = to_retry(self.service, delivery, Failure("handler_failed", described, now))
            metrics.retries.labels(self.service, key).inc()
        else:
            reason: Reason = "retries_exhausted" if transient else "handler_failed"
            row = to_park(self.service, delivery, Failure(reason, described, now))
            metrics.parked.labels(self.service, key, reason).inc()
        with self.database.transaction() as db:
            self.ledger.write(db, (), [row])
        return Batch(1, (row,))

    def _context(self, db: Session, tenant: str, cause: Cause | None) -> UnitOfWork:
        source = self._rules
        if source is None:
            return UnitOfWork(self.service, tenant, db, None, self._clock, cause)
        return UnitOfWork(
            self.service,
            tenant,
            db,
            lambda: source.for_tenant(tenant),
            self._clock,
            cause,
            lambda day: source.as_of(tenant, day),
        )

    def _rows(self, context: UnitOfWork) -> list[ToPublish]:
        now = self._clock()
        rows = [to_publish(context.tenant, event.message, event.athlete, now) for event in context.emitted]
        rows += [to_publish(context.tenant, reply.message, None, now) for reply in context.late_replies]
        return rows

    def _database_answers(self) -> bool:
        try:
            with self.database.transaction() as db:
                db.execute(text("SELECT 1"))
        except DBAPIError:
            _log.warning("the database does not answer", service=self.service, exc_info=True)
            return False
        return True


def _whose(reading: Readable) -> tuple[str, str | None]:
    athlete = getattr(reading.incoming.body, "athlete", None) or reading.incoming.subject
    return reading.incoming.tenant, athlete


def _cause_of(reading: Readable) -> Cause:
    envelope = reading.envelope
    return Cause(
        message_id=envelope.id,
        key=envelope.address.key,
        correlation_id=envelope.address.correlation_id,
        traceparent=envelope.traceparent,
        reply_to=envelope.address.reply_to if reading.route.replies else None,
    )
