"""What one handler call works with, ``routes.Context`` on a database session, and what it leaves to be published."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, Protocol

from sqlalchemy.orm import Session

from shared.bus.delivery.outbox import OutboxEntry, outbox_entry
from shared.bus.routes import Accepted, Answered, Outcome, Settlement
from shared.hub import Hub, Result
from shared.messages.envelope import DEFAULT_EXCHANGE, EVENTS_EXCHANGE, Outgoing, outgoing, type_of
from shared.messages.ids import new_id
from shared.messages.validation import Problem
from shared.ops.heavy_work import HeavyWork
from shared.rules.decisions import Rules

ReplyKind = Literal["accepted", "rejected", "answered", "parked"]


def reply_message(
    service: str,
    time: datetime,
    word: ReplyKind,
    data: Mapping[str, Any],
    *,
    key: str,
    message_id: str | None,
    reply_to: str,
    correlation_id: str,
) -> Outgoing:
    """The reply to message ``message_id`` with routing key ``key``; an answer's data is the handler's alone."""
    return outgoing(
        exchange=DEFAULT_EXCHANGE,
        routing_key=reply_to,
        id=new_id(),
        source=f"/tandem/{service}",
        type=type_of(f"{key}.{word}"),
        time=time,
        subject=None,
        data=data if word == "answered" else {"message": message_id, **data},
        correlation_id=correlation_id,
    )


def event_message(
    service: str,
    tenant: str,
    name: str,
    data: Mapping[str, Any],
    time: datetime,
    subject: str | None = None,
    correlation_id: str | None = None,
    traceparent: str | None = None,
) -> Outgoing:
    """The event ``<tenant>.<service>.<name>``."""
    return outgoing(
        exchange=EVENTS_EXCHANGE,
        routing_key=f"{tenant}.{service}.{name}",
        id=new_id(),
        source=f"/tandem/{service}",
        type=type_of(f"{service}.{name}"),
        time=time,
        subject=subject,
        data=data,
        traceparent=traceparent,
        correlation_id=correlation_id,
    )


def errors(problems: Sequence[Problem]) -> dict[str, list[dict[str, str]]]:
    """A rejection's data."""
    return {"errors": [problem.as_json() for problem in problems]}


Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class EmittedEvent:
    """One event a handler emitted, as it will stand in the outbox."""

    name: str
    athlete: str | None
    data: Mapping[str, Any]
    id: str
    message: Outgoing


@dataclass(frozen=True, slots=True)
class LateReply:
    """A reply given in a later call than the command's; ``message`` is ready to be published."""

    outcome: Accepted | Answered
    message: Outgoing


@dataclass(frozen=True, slots=True)
class Causation:
    """The message being handled, as far as what follows from it must know."""

    message_id: str
    key: str
    correlation_id: str | None = None
    traceparent: str | None = None
    reply_to: str | None = None


class UnitOfWork:
    """One tenant's call of one handler inside a transaction that somebody else commits.

    In a test: ``UnitOfWork("load", "acme", session, rules, clock)``, then read ``.emitted``.
    """

    def __init__(
        self,
        service: str,
        tenant: str,
        db: Session,
        rules: Rules | Callable[[], Rules] | None,
        clock: Clock,
        cause: Causation | None = None,
        rules_as_of: Callable[[date], Rules] | None = None,
        hub: Hub | None = None,
        heavy: HeavyWork | None = None,
    ) -> None:
        self.service = service
        self.emitted: list[EmittedEvent] = []
        self.late_replies: list[LateReply] = []
        self.settlements: list[Settlement] = []
        self.cause = cause
        self._tenant = tenant
        self._db = db
        self._rules = rules
        self._clock = clock
        self._rules_as_of = rules_as_of
        self._hub = hub
        self._heavy = heavy
        self.off_hub_s = 0.0

    @property
    def tenant(self) -> str:
        return self._tenant

    @property
    def db(self) -> Session:
        return self._db

    @property
    def rules(self) -> Rules:
        if self._rules is None:
            raise LookupError(f"service {self.service} was started without rules")
        if callable(self._rules):
            self._rules = self._rules()  # taken at first use, then the same snapshot for the whole call
        return self._rules

    def rules_on(self, day: date) -> Rules:
        if self._rules_as_of is None or day >= self._clock().astimezone(UTC).date():
            return self.rules
        return self._rules_as_of(day)

    def now(self) -> datetime:
        return self._clock()

    def off_hub(self, function: Callable[..., Result], *arguments: Any) -> Result:
        began = time.monotonic()
        try:
            if self._heavy is not None:
                result: Result = self._heavy.run(self._tenant, function, *arguments)
                return result
            return function(*arguments) if self._hub is None else self._hub.off_hub(function, *arguments)
        finally:
            self.off_hub_s += time.monotonic() - began

    @property
    def budget_s(self) -> float | None:
        return None if self._heavy is None else self._heavy.budget_s

    def settle(self, settlement: Settlement) -> None:
        self.settlements.append(settlement)

    def emit(self, name: str, data: Mapping[str, Any], athlete: str | None) -> None:
        trace, correlation_id = (self.cause.traceparent, self.cause.correlation_id) if self.cause else (None, None)
        message = event_message(self.service, self._tenant, name, data, self.now(), athlete, correlation_id, trace)
        self.emitted.append(EmittedEvent(name, athlete, data, message.headers["ce-id"], message))

    def reply_address(self) -> dict[str, str] | None:
        """Where this command's reply would go, as plain JSON to be stored; None when nobody waits for one."""
        if self.cause is None or self.cause.reply_to is None or self.cause.correlation_id is None:
            return None
        return {
            "key": self.cause.key,
            "message_id": self.cause.message_id,
            "reply_to": self.cause.reply_to,
            "correlation_id": self.cause.correlation_id,
        }

    def reply_late(self, address: Mapping[str, str], outcome: Accepted | Answered) -> None:
        """Sends the reply that an earlier call put off by returning ``Later``."""
        word: ReplyKind = "answered" if isinstance(outcome, Answered) else "accepted"
        message = reply_message(self.service, self.now(), word, outcome.data, **address)
        self.late_replies.append(LateReply(outcome, message))


_NAMES_ITS_RULES = "decided_by"


class RuleSource(Protocol):
    """Where a tenant's active rules come from; ``shared.rules.lifecycle.rule_book.RuleBook`` is one."""

    def for_tenant(self, tenant: str) -> Rules: ...

    def as_of(self, tenant: str, day: date) -> Rules: ...


class Calls:
    """One service's, under its rules and its clock."""

    def __init__(
        self,
        service: str,
        rules: RuleSource | None,
        clock: Clock,
        hub: Hub | None = None,
        heavy: HeavyWork | None = None,
    ) -> None:
        self.service = service
        self._rules = rules
        self._clock = clock
        self._hub = hub
        self._heavy = heavy

    def context(self, db: Session, tenant: str, cause: Causation | None) -> UnitOfWork:
        """For one call of one handler; without ``cause`` nobody sent a message."""
        source = self._rules
        if source is None:
            return UnitOfWork(self.service, tenant, db, None, self._clock, cause, hub=self._hub, heavy=self._heavy)
        return UnitOfWork(
            self.service,
            tenant,
            db,
            lambda: source.for_tenant(tenant),
            self._clock,
            cause,
            lambda day: source.as_of(tenant, day),
            self._hub,
            self._heavy,
        )

    def rows(self, context: UnitOfWork) -> list[OutboxEntry]:
        """The call's events, then the replies that earlier calls had put off."""
        now = self._clock()
        rows = [outbox_entry(context.tenant, event.message, event.athlete, now) for event in context.emitted]
        rows += [outbox_entry(context.tenant, reply.message, None, now) for reply in context.late_replies]
        return rows


def decisions_in(emitted: Iterable[EmittedEvent], key: str = "", outcome: Outcome = None) -> list[str]:
    """Outcomes that name the rules behind them: events such as ``week-planned``, an answered query (``check-week``)."""
    names = [event.name for event in emitted if _NAMES_ITS_RULES in event.data]
    if isinstance(outcome, Answered) and _NAMES_ITS_RULES in outcome.data:
        names.append(key.rpartition(".")[2])
    return names
