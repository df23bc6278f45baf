"""The messages of one transaction, one after the other, each settled by its handler or without one.

Neighbours that one handler takes in one call are grouped; whatever else comes goes on after them.
"""

import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from shared.bus.delivery.batch_outcome import ERASE, BatchOutcome
from shared.bus.delivery.fair_share import Throttled
from shared.bus.delivery.grouping import Group, GroupSize
from shared.bus.delivery.handler_calls import Calls, decisions_in
from shared.bus.delivery.retries import Failure, to_park, to_throttled
from shared.bus.delivery.unit_of_work import Causation, UnitOfWork
from shared.bus.delivery.validation import Readable, Refused
from shared.bus.routes import Outcome, Rejected
from shared.db.row_security import act_for
from shared.messages.envelope import Delivery
from shared.ops.logging import bound

Reading = Readable | Refused | Throttled


class Dispatcher:
    """``erase_athlete``: takes an erased athlete (tenant, athlete) out of the delivery tables.

    ``alone``: nothing comes after the first message, so it waits for no neighbour.
    """

    def __init__(
        self,
        db: Session,
        calls: Calls,
        work: BatchOutcome,
        erase_athlete: Callable[[Session, str, str], None],
        group_size: GroupSize,
        alone: bool,
    ) -> None:
        self._db = db
        self._calls = calls
        self._work = work
        self._erase_athlete = erase_athlete
        self._group_size = group_size
        self._alone = alone
        self._group = Group()

    def dispatch(self, delivery: Delivery, reading: Reading) -> None:
        """Raises what the handler raises; then the whole transaction has to go."""
        if self._alone or not self._joins_group(reading):
            self._settle(delivery, reading)

    def finish(self) -> None:
        """Handles what still waits for neighbours."""
        athletes, began = self._group.athletes, time.monotonic()
        readings = self._group.clear()
        if not readings:
            return
        route, tenant = readings[0].route, readings[0].incoming.tenant
        assert route.handle_many is not None
        act_for(self._db, tenant)
        contexts = [self._calls.context(self._db, tenant, _cause_of(reading)) for reading in readings]
        with bound(tenant=tenant, key=route.key):
            outcomes = route.handle_many(
                [(one, reading.incoming) for one, reading in zip(contexts, readings, strict=True)]
            )
        self._group_size.took(route, athletes, time.monotonic() - began)
        for reading, context, outcome in zip(readings, contexts, outcomes, strict=True):
            if isinstance(outcome, Rejected):
                self._work.reject(reading, outcome.problems)
            else:
                self._accept(reading, context, outcome)

    def _joins_group(self, reading: Reading) -> bool:
        """True when ``reading`` is settled or waits to be handled with its neighbours; else it is to be taken now."""
        if isinstance(reading, Throttled):
            return False
        identity_is_waiting = (isinstance(reading, Readable) or self._work.in_inbox(reading)) and self._group.holds(
            self._work.identity(reading)
        )
        if isinstance(reading, Readable) and reading.route.handle_many is not None:
            fits = self._group_size.fits(reading.route, self._group.athletes_with(reading))
            if identity_is_waiting or not fits or not self._group.joins(reading):
                self.finish()
            if reading.route.query or not self._work.settled_before(reading):
                self._group.add(reading)
            return True
        if isinstance(reading, Readable) or identity_is_waiting:
            self.finish()
        return False

    def _settle(self, delivery: Delivery, reading: Reading) -> None:
        work = self._work
        if isinstance(reading, Throttled):
            work.throttle(to_throttled(work.service, delivery, work.now))
        elif isinstance(reading, Readable):
            self._handle(reading)
        elif delivery.source == "event" and reading.problems[0].code != "unknown_message":
            # One of our own services sent it: a mistake of ours, parked until it can be replayed.
            described = ", ".join(f"{problem.pointer} {problem.code}".strip() for problem in reading.problems)
            work.park(to_park(work.service, delivery, Failure("event_refused", described, work.now)), reading.key)
        else:
            work.refuse(reading, delivery.body)

    def _handle(self, reading: Readable) -> None:
        if not reading.route.query and self._work.settled_before(reading):
            return
        incoming = reading.incoming
        # Per handler, not per batch: a batch may hold several tenants' messages, each sees its own tenant's rows.
        act_for(self._db, incoming.tenant)
        context = self._calls.context(self._db, incoming.tenant, _cause_of(reading))
        with bound(
            tenant=incoming.tenant,
            message_id=incoming.id,
            correlation_id=incoming.correlation_id,
            key=incoming.key,
        ):
            try:
                outcome = reading.route.handle(context, incoming)
            except Rejected as rejected:
                if not reading.route.query:
                    raise  # what the handler wrote has to go, and with it, for now, the rest of the batch
                self._work.reject(reading, rejected.problems)
                return
        self._accept(reading, context, outcome)

    def _accept(self, reading: Readable, context: UnitOfWork, outcome: Outcome) -> None:
        rows = self._calls.rows(context)
        self._work.accept(reading, outcome, rows)
        if reading.route.source == "command" and reading.route.key == ERASE:
            tenant, athlete = whose(reading)
            if athlete is not None:
                self._erase_athlete(self._db, tenant, athlete)
                self._work.erase_athlete(tenant, athlete, rows)
        self._work.decide(decisions_in(context.emitted, reading.incoming.key, outcome))


def whose(reading: Readable) -> tuple[str, str | None]:
    """(tenant, athlete) whose turn a message takes."""
    athlete = getattr(reading.incoming.body, "athlete", None) or reading.incoming.subject
    return reading.incoming.tenant, athlete


def _cause_of(reading: Readable) -> Causation:
    envelope = reading.envelope
    return Causation(
        message_id=envelope.id,
        key=envelope.address.key,
        correlation_id=envelope.address.correlation_id,
        traceparent=envelope.traceparent,
        reply_to=envelope.address.reply_to if reading.route.replies else None,
    )
