"""What a handler is called with, and what its call leaves to be published."""

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from sqlalchemy.orm import Session

from shared.bus.delivery.outbox import OutboxEntry, outbox_entry
from shared.bus.delivery.unit_of_work import Causation, Clock, EmittedEvent, UnitOfWork
from shared.bus.routes import Answered, Outcome
from shared.hub import Hub
from shared.rules.decisions import Rules

_NAMES_ITS_RULES = "decided_by"


class RuleSource(Protocol):
    """Where a tenant's active rules come from; ``shared.rules.lifecycle.rule_book.RuleBook`` is one."""

    def for_tenant(self, tenant: str) -> Rules: ...

    def as_of(self, tenant: str, day: date) -> Rules: ...


class Calls:
    """One service's, under its rules and its clock."""

    def __init__(self, service: str, rules: RuleSource | None, clock: Clock, hub: Hub | None = None) -> None:
        self.service = service
        self._rules = rules
        self._clock = clock
        self._hub = hub

    def context(self, db: Session, tenant: str, cause: Causation | None) -> UnitOfWork:
        """For one call of one handler; without ``cause`` nobody sent a message."""
        source = self._rules
        if source is None:
            return UnitOfWork(self.service, tenant, db, None, self._clock, cause, hub=self._hub)
        return UnitOfWork(
            self.service,
            tenant,
            db,
            lambda: source.for_tenant(tenant),
            self._clock,
            cause,
            lambda day: source.as_of(tenant, day),
            self._hub,
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
