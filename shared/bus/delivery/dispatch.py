"""The messages of one transaction, one after the other, each settled by its handler or without one.

Neighbours that one handler takes in one call are grouped; whatever else comes goes on after them. Whose tenant has used
up its fair share is throttled.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from shared.bus.delivery.batch_outcome import BatchOutcome
from shared.bus.delivery.inbox import ERASE
from shared.bus.delivery.outbox import OutboxEntry
from shared.bus.delivery.retries import Failure, to_park, to_park_dead, to_throttled
from shared.bus.delivery.unit_of_work import Calls, Causation, UnitOfWork, decisions_in
from shared.bus.delivery.validation import Readable, Refused, Unhandled
from shared.bus.routes import Outcome, Rejected, Route
from shared.db.row_security import act_for
from shared.messages.envelope import Delivery
from shared.ops.logging import bound

_GUESS_S = 0.005
_TRUST = 0.3


class Throttled:
    """Takes a reading's place: the delivery is moved to the queue for throttled ones, not handled."""


def sender_of(delivery: Delivery) -> str | None:
    """The tenant who may be charged for a delivery; None when nobody is vouched for."""
    tenant = delivery.routing_key.partition(".")[0]
    return tenant if delivery.source == "event" or delivery.user_id == tenant else None


class FairShares:
    """Seconds of handling each tenant may still use: ``share`` of every second, saved up to ``burst_s``.

    All tenants of a service share its queues, so whoever sends much stands in front of everybody. A tenant that has
    used up its fair share is throttled: its messages move, unread, to the service's queue for throttled ones
    (``<service>.crowded``), which is worked off beside the others. A service with one tenant throttles nobody.

    ``in_hand``: a tenant that has no more messages than this with the consumer waits for answers and floods nobody,
    unless even these few take longer than a burst, by what its messages took so far.
    ``over_budget``: whether a tenant's heavy work has used up its processor time, which is counted there and not here.
    """

    def __init__(
        self,
        share: float,
        in_hand: int,
        burst_s: float = 0.5,
        now: Callable[[], float] = time.monotonic,
        over_budget: Callable[[str], bool] = lambda tenant: False,
    ) -> None:
        self._over_budget = over_budget
        self._share = share
        self._in_hand = in_hand
        self._burst_s = burst_s
        self._now = now
        self._left: dict[str, tuple[float, float]] = {}
        self._each: dict[str, float] = {}
        self._tenants: set[str] = set()

    def add_tenants(self, tenants: Iterable[str]) -> None:
        """These tenants use the service; nobody is throttled for others."""
        self._tenants.update(tenants)

    def over_share(self, in_hand: Mapping[str, int]) -> frozenset[str]:
        """Those who have used up their share and have more in hand, if there is anybody else to make room for."""
        if len(self._tenants | in_hand.keys()) < 2:
            return frozenset()
        return frozenset(
            tenant
            for tenant, count in in_hand.items()
            if (self._is_much(tenant, count) and self._balance(tenant) < 0) or (count > 1 and self._over_budget(tenant))
        )

    def charge(self, messages: Mapping[str, int], seconds: float, own: Mapping[str, float] | None = None) -> None:
        """``seconds`` went into so many messages of each tenant, of these ``own`` into one's alone."""
        alone = own or {}
        shared = max(0.0, seconds - sum(alone.values())) / sum(messages.values()) if messages else 0.0
        for tenant, count in messages.items():
            cost = alone.get(tenant, 0.0) + shared * count
            before = self._each.get(tenant, cost / count)
            self._each[tenant] = before + _TRUST * (cost / count - before)
            # Never deeper in debt than a burst: who stops over_share is soon an ordinary tenant again.
            left = max(self._balance(tenant) - cost, -self._burst_s)
            self._left[tenant] = (left, self._now())

    def _is_much(self, tenant: str, count: int) -> bool:
        return count > self._in_hand or (count > 1 and count * self._each.get(tenant, 0.0) > self._burst_s)

    def _balance(self, tenant: str) -> float:
        if tenant not in self._left:
            return self._burst_s
        left, since = self._left[tenant]
        return min(self._burst_s, left + (self._now() - since) * self._share)


class GroupSize:
    """How many athletes a call of ``handle_many`` may be about, by what the calls of its route took so far.

    A batch is one transaction, and while it lasts everybody else waits; what most handlers do, they do per athlete.
    """

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._seconds: dict[str, float] = {}

    def fits(self, route: Route, athletes: int) -> bool:
        return athletes <= 1 or athletes * self._seconds.get(route.key, _GUESS_S) <= self._within_s

    def took(self, route: Route, athletes: int, seconds: float) -> None:
        each = seconds / max(athletes, 1)
        before = self._seconds.get(route.key, each)
        self._seconds[route.key] = before + _TRUST * (each - before)


@dataclass(slots=True)
class Group:
    """Neighbours in a batch with one route and one tenant, each under an id of its own."""

    route: Route | None = None
    tenant: str = ""
    readings: list[Readable] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)
    _athletes: set[str | None] = field(default_factory=set)

    @property
    def athletes(self) -> int:
        """How many different ones the messages are about."""
        return len(self._athletes)

    def athletes_with(self, reading: Readable) -> int:
        """The same with one more message."""
        return len(self._athletes) + (_athlete_of(reading) not in self._athletes)

    def holds(self, identity: tuple[str, str]) -> bool:
        """Whether a message with this (tenant, id) waits here: what comes next under its id must see its outcome."""
        return identity[1] in self._ids and identity[0] == self.tenant

    def joins(self, reading: Readable) -> bool:
        """Whether ``reading`` may be handled in one call with those that wait."""
        return not self.readings or (reading.route is self.route and reading.incoming.tenant == self.tenant)

    def add(self, reading: Readable) -> None:
        self.route, self.tenant = reading.route, reading.incoming.tenant
        self.readings.append(reading)
        self._ids.add(reading.incoming.id)
        self._athletes.add(_athlete_of(reading))

    def clear(self) -> list[Readable]:
        """What waited; nothing waits any more."""
        readings, self.readings = self.readings, []
        self._ids.clear()
        self._athletes.clear()
        return readings


def _athlete_of(reading: Readable) -> str | None:
    return getattr(reading.incoming.body, "athlete", None)


Reading = Readable | Refused | Unhandled | Throttled


class Dispatcher:
    """``erase_athlete``: takes an erased athlete (tenant, athlete) out of the delivery tables and the
    queues; what is to be told of it.

    ``alone``: nothing comes after the first message, so it waits for no neighbour. ``spent``: takes the seconds that
    handlers took, by tenant.
    """

    def __init__(
        self,
        db: Session,
        calls: Calls,
        work: BatchOutcome,
        erase_athlete: Callable[[Session, str, str], Sequence[OutboxEntry]],
        group_size: GroupSize,
        alone: bool,
        identify: Callable[[Delivery], Unhandled],
        spent: defaultdict[str, float] | None = None,
    ) -> None:
        self._db = db
        self._calls = calls
        self._work = work
        self._erase_athlete = erase_athlete
        self._group_size = group_size
        self._alone = alone
        self._identify = identify
        self._group = Group()
        self._spent: defaultdict[str, float] = defaultdict(float) if spent is None else spent

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
        with bound(tenant=tenant, key=route.key), self._charged_to(tenant, contexts):
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
        elif isinstance(reading, Unhandled) and reading.is_expired:
            work.expire(reading)
        elif isinstance(reading, Unhandled):
            row, reason = to_park_dead(work.service, delivery, work.now)
            work.park(row, reading, reason)
        elif delivery.source == "event" and reading.problems[0].code != "unknown_message":
            # One of our own services sent it: a mistake of ours, parked until it can be replayed.
            described = ", ".join(f"{problem.pointer} {problem.code}".strip() for problem in reading.problems)
            row = to_park(work.service, delivery, Failure("event_refused", described, work.now))
            work.park(row, self._identify(delivery), "event_refused")
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
                with self._charged_to(incoming.tenant, [context]):
                    outcome = reading.route.handle(context, incoming)
            except Rejected as rejected:
                if not reading.route.query:
                    raise  # what the handler wrote has to go, and with it, for now, the rest of the batch
                self._work.reject(reading, rejected.problems)
                return
        self._accept(reading, context, outcome)

    @contextmanager
    def _charged_to(self, tenant: str, contexts: Sequence[UnitOfWork]) -> Iterator[None]:
        """Without what was done off the hub, which is counted elsewhere."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._spent[tenant] += time.monotonic() - began - sum(context.off_hub_s for context in contexts)

    def _accept(self, reading: Readable, context: UnitOfWork, outcome: Outcome) -> None:
        self._work.settle(context)
        rows = self._calls.rows(context)
        self._work.elsewhere_s += context.off_hub_s
        self._work.accept(reading, outcome, rows)
        if reading.route.source == "command" and reading.route.key == ERASE:
            tenant, athlete = whose(reading)
            if athlete is not None:
                dropped = self._erase_athlete(self._db, tenant, athlete)
                self._work.erase_athlete(tenant, athlete, rows)
                self._work.messages += dropped
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
