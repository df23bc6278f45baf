"""A batch of deliveries becomes state, inbox rows and outbox rows in one transaction.

Knows no broker: deliveries come in, what is to be published goes out. The caller acknowledges the first ``done``
deliveries of a returned Batch, and only then.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from shared.bus.delivery.batch_outcome import BatchOutcome
from shared.bus.delivery.dispatch import Dispatcher, FairShares, GroupSize, Reading, Throttled, sender_of, whose
from shared.bus.delivery.inbox import DeliveryStore, open_batch
from shared.bus.delivery.outbox import OutboxEntry, outbox_entry
from shared.bus.delivery.retries import Dropped, Failure, Reason, is_transient, to_park, to_retry
from shared.bus.delivery.suspects import HANDLING, SUSPECT_AFTER, KillsService, Suspects
from shared.bus.delivery.timers import Periodic
from shared.bus.delivery.unit_of_work import Calls, Clock, RuleSource, event_message
from shared.bus.delivery.validation import Intake, Readable
from shared.bus.queue_names import RETRY_DELAYS_S
from shared.bus.routes import ERASED, Rejected, Route, Timer
from shared.db.engine import Database
from shared.db.row_security import act_for, may_write
from shared.hub import Hub
from shared.messages.envelope import MAX_CLOCK_AHEAD, Delivery
from shared.ops import metrics
from shared.ops.heavy_work import HeavyWork

_log = structlog.get_logger("tandem.bus")

_GONE = {"outcome": ERASED.word, "code": ERASED.code}
FEW = 8
"""Messages of a batch up to which the service has little to do, and somebody may be waiting for an answer."""

_NOTHING_CAN_BE_WRITTEN = (OperationalError, InterfaceError, InternalError, PoolTimeout)
"""A full disk, a server that takes reads only, no connection to be had: where not even a failure can be noted, the
database is away for every message, whatever it answers."""


@dataclass(frozen=True, slots=True)
class Batch:
    """``done``: how many deliveries, counted from the first, are settled. ``messages``: committed, to be published.

    ``database_away``: the rest could not be handled because the database does not answer; try again later.
    """

    done: int
    messages: tuple[OutboxEntry, ...] = ()
    database_away: bool = False


class Processor:
    """One service's routes and timers over its database."""

    def __init__(
        self,
        service: str,
        routes: Sequence[Route],
        database: Database,
        rules: RuleSource | None,
        clock: Clock,
        user_id_required: bool = True,
        budget_s: float = 0.25,
        shares: FairShares | None = None,
        erase_waiting: Callable[[str, str], Sequence[Dropped]] | None = None,
        hub: Hub | None = None,
        heavy: HeavyWork | None = None,
        max_clock_ahead: timedelta = MAX_CLOCK_AHEAD,
    ) -> None:
        """``erase_waiting``: drops what waits, parked or for another try, about a tenant's athlete.

        BrokerAway, when the queues cannot be looked through, puts the erase off.
        """
        self.service = service
        self._erase_waiting = erase_waiting
        self.store = DeliveryStore()
        self.database = database
        self._intake = Intake(service, routes, user_id_required, max_clock_ahead)
        self._keys = frozenset(route.key for route in routes)
        self._told = {one.key for one in routes if one.source == "command" and one.replies and not one.query}
        self._calls = Calls(service, rules, clock, hub, heavy)
        self._clock = clock
        self._budget_s = budget_s
        self._group_size = GroupSize(budget_s)
        self._shares = shares
        self._suspects = Suspects(database)
        self._heavy = heavy
        self._tenants_read = False

    def process(self, deliveries: Sequence[Delivery]) -> Batch:
        """Handles deliveries in order, together if all goes well, else one by one. Raises nothing a message caused."""
        received = self._clock()
        over_share = self._over_share(deliveries)
        readings = [
            self._intake.read_dead(delivery, received)
            if delivery.died is not None
            else Throttled()
            if not delivery.throttled and sender_of(delivery) in over_share
            else self._intake.read(delivery, received)
            for delivery in deliveries
        ]
        if len(deliveries) == 1 and deliveries[0].in_vain >= SUSPECT_AFTER and isinstance(readings[0], Readable):
            with HANDLING.alone():
                return self._process_suspect(deliveries[0], readings[0])
        with HANDLING.beside():
            return self._process_together(deliveries, readings)

    def _process_together(self, deliveries: Sequence[Delivery], readings: Sequence[Reading]) -> Batch:
        if len(deliveries) > 1:
            try:
                return self._process_batch(deliveries, readings)
            except Exception as error:  # noqa: BLE001 - each message gets its own try below, where its error is logged
                if not isinstance(error, Rejected):
                    _log.warning("batch failed, taking its messages one by one", messages=len(readings), exc_info=True)
                if isinstance(error, DBAPIError) and self.database.is_away(error):
                    return Batch(0, database_away=True)
        return self._one_by_one(deliveries, readings)

    def _process_suspect(self, delivery: Delivery, reading: Readable) -> Batch:
        identity = BatchOutcome.identity(reading)
        try:
            self._suspects.begin(identity, self._clock())
        except KillsService as error:
            batch = self._settle_failed(delivery, error)
        except (DBAPIError, PoolTimeout):
            _log.warning("that a message is begun cannot be noted", service=self.service, exc_info=True)
            return Batch(0, database_away=True)
        else:
            batch = self._one_by_one([delivery], [reading])
        if not batch.database_away:
            self._suspects.end(identity)
        return batch

    def run_timer(self, timer: Timer, goes_on: Callable[[], bool] = lambda: True) -> Iterator[list[OutboxEntry]]:
        """Does what is due, transaction by transaction; see ``Periodic.run``."""
        return Periodic(self.database, self.store, self._calls).run(timer, goes_on)

    def _process_batch(self, deliveries: Sequence[Delivery], readings: Sequence[Reading]) -> Batch:
        spent: defaultdict[str, float] = defaultdict(float)
        try:
            return self._processed(deliveries, readings, spent)
        except Exception:
            if self._shares is not None and not deliveries[0].throttled:
                for tenant, seconds in spent.items():  # what was refused or failed took its time all the same
                    self._shares.charge({tenant: 1}, seconds)
            raise

    def _processed(
        self, deliveries: Sequence[Delivery], readings: Sequence[Reading], spent: defaultdict[str, float]
    ) -> Batch:
        started = time.monotonic()
        work = BatchOutcome(self.service, self._clock(), self._keys)
        done = 0
        with self.database.batch(is_hurried=len(deliveries) <= FEW) as db:
            work.seen = open_batch(
                db,
                self.store,
                self.service,
                (whose(reading) for reading in readings if isinstance(reading, Readable)),
                (
                    work.identity(reading)
                    for reading in readings
                    if not isinstance(reading, Throttled) and work.in_inbox(reading)
                ),
            )
            dispatcher = Dispatcher(
                db,
                self._calls,
                work,
                self._erase_athlete,
                self._group_size,
                len(deliveries) == 1,
                self._intake.identify,
                spent,
            )
            for delivery, reading in zip(deliveries, readings, strict=True):
                if done and time.monotonic() - started > self._budget_s:
                    break  # a long handler must not hold the transaction, and with it everybody's acknowledgement
                dispatcher.dispatch(delivery, reading)
                done += 1
            dispatcher.finish()
            if not may_write(db, work.whose_rows()):
                act_for(db, None)
            new_tenants = self.store.add_tenants(db, work.tenants, work.now)
            db.flush()
            self.store.write(db, work.taken, work.messages, last=True)
        if work.erased:
            self.database.wipe()
        self.store.tenants_committed(new_tenants)
        self._charge(deliveries[:done], readings, new_tenants, time.monotonic() - started - work.elsewhere_s, spent)
        work.count(time.monotonic() - started, done)
        return Batch(done, tuple(work.messages))

    def tell_dropped(self, dropped: Sequence[Dropped]) -> None:
        """To whoever sent them; their sweeper publishes it."""
        if dropped:
            with self.database.transaction() as db:
                self.store.write(db, (), self._dropped(dropped))

    def _dropped(self, dropped: Sequence[Dropped]) -> list[OutboxEntry]:
        """What is told of them, without a name; of an event or a query nobody waits to hear."""
        now = self._clock()
        return [
            outbox_entry(one.tenant, event_message(self.service, one.tenant, "command-settled", data, now), None, now)
            for one in dropped
            if one.key in self._told
            for data in [{"message": one.message, "source": one.source, "key": one.key, **_GONE}]
        ]

    def _erase_athlete(self, db: Session, tenant: str, athlete: str) -> list[OutboxEntry]:
        dropped = () if self._erase_waiting is None else self._erase_waiting(tenant, athlete)
        self.store.erase_athlete(db, tenant, athlete)
        return self._dropped(dropped)

    def _one_by_one(self, deliveries: Sequence[Delivery], readings: Sequence[Reading]) -> Batch:
        started = time.monotonic()
        messages: list[OutboxEntry] = []
        for index, (delivery, reading) in enumerate(zip(deliveries, readings, strict=True)):
            if index and time.monotonic() - started > self._budget_s:
                return Batch(index, tuple(messages))
            try:
                batch = self._process_one(delivery, reading)
            except Exception as error:  # noqa: BLE001 - whatever a handler raises, its message is retried or parked with it
                batch = self._settle_failed(delivery, error)
            messages += batch.messages
            if batch.database_away:
                return Batch(index, tuple(messages), database_away=True)
        return Batch(len(deliveries), tuple(messages))

    def _settle_failed(self, delivery: Delivery, error: Exception) -> Batch:
        if isinstance(error, DBAPIError) and self.database.is_away(error):
            return Batch(0, database_away=True)
        try:
            return self._retry_or_park(delivery, error)
        except _NOTHING_CAN_BE_WRITTEN:
            _log.warning("nothing can be written", service=self.service, exc_info=True)
            return Batch(0, database_away=True)

    def _process_one(self, delivery: Delivery, reading: Reading) -> Batch:
        for first in (True, False):
            try:
                return self._process_batch([delivery], [reading])
            except Rejected as rejected:
                return self._rejected(reading, rejected)
            except DBAPIError as error:
                # The server may have restarted since this connection was made; over a new one it may go well.
                if not (first and error.connection_invalidated):
                    raise
        raise AssertionError("the second try returns or raises")

    def _over_share(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        """Tenants whose messages of this batch are throttled."""
        if self._shares is None:
            return frozenset()
        if not self._tenants_read:
            try:
                with self.database.transaction() as db:
                    self._shares.add_tenants(self.store.tenants(db))
            except DBAPIError:
                return frozenset()  # what follows fails alike, and says so
            self._tenants_read = True
        in_hand = {
            sender: delivery.in_hand
            for delivery in deliveries
            if not delivery.throttled and (sender := sender_of(delivery)) is not None
        }
        return self._shares.over_share(in_hand)

    def _charge(
        self,
        deliveries: Sequence[Delivery],
        readings: Sequence[Reading],
        new_tenants: set[str],
        seconds: float,
        spent: Mapping[str, float],
    ) -> None:
        if self._shares is None:
            return
        self._shares.add_tenants(new_tenants)
        handled = Counter(
            sender
            for delivery, reading in zip(deliveries, readings, strict=False)
            if not delivery.throttled
            and not isinstance(reading, Throttled)
            and (sender := sender_of(delivery)) is not None
        )
        self._shares.charge(handled, seconds, spent)
        if self._heavy is not None:
            aside = [
                sender_of(delivery) or ""
                for delivery, reading in zip(deliveries, readings, strict=False)
                if isinstance(reading, Throttled)
            ]
            metrics.throttled_planning.labels(self.service).inc(sum(map(self._heavy.is_over_budget, aside)))

    def _rejected(self, reading: Reading, rejected: Rejected) -> Batch:
        assert isinstance(reading, Readable)
        work = BatchOutcome(self.service, self._clock(), self._keys)
        work.reject(reading, rejected.problems)
        with self.database.transaction() as db:
            self.store.write(db, work.taken, work.messages)
        work.count(0.0, 1)
        return Batch(1, tuple(work.messages))

    def _retry_or_park(self, delivery: Delivery, error: Exception) -> Batch:
        key = metrics.known_key(delivery.routing_key.partition(".")[2], self._keys)
        _log.error("handling failed", service=self.service, key=key, attempts=delivery.attempts, exc_info=error)
        work = BatchOutcome(self.service, self._clock(), self._keys)
        described = f"{type(error).__module__}.{type(error).__qualname__}: {error}"
        transient = is_transient(error)
        if transient and delivery.attempts < len(RETRY_DELAYS_S):
            work.retry(to_retry(self.service, delivery, Failure("handler_failed", described, work.now)), key)
        else:
            reason: Reason = "retries_exhausted" if transient else "handler_failed"
            if isinstance(error, KillsService):
                reason = "kills_service"
            row = to_park(self.service, delivery, Failure(reason, described, work.now))
            work.park(row, replace(self._intake.identify(delivery), death=""), reason)
        with self.database.transaction() as db:
            self.store.write(db, work.taken, work.messages)
        work.count(0.0, 1)
        return Batch(1, tuple(work.messages))
