"""Whom the timer has to look at: found by one query, so that those with nothing to do cost nothing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, or_, select, union

from services.scheduling.domain.calendar import monday_of
from services.scheduling.store import PlanRow, RequestRow, SchedulingAthleteRow, TargetRow
from shared.bus.routes import Context

MAX_DUE: Final = 20_000
"""Athletes of one tenant looked up at once; who is left is looked up at the next turn of the timer."""
_OPEN_AFTER_ASKING: Final = timedelta(days=2)
"""A week that was asked for today is open even if it is over; what "today" is differs from zone to zone."""


def perhaps_due(context: Context) -> Sequence[str]:
    """Athletes without a plan of the coming week, or with an open one that other rules made: all of these, and perhaps
    a few whose own date is not there yet."""
    tenant, today = context.tenant, context.now().date()
    mondays = {monday_of(today + timedelta(days=off)) for off in (-1, 0, 1)}
    coming = sorted(monday + timedelta(days=7) for monday in mondays)
    rules = context.rules.pack("sequencing").hash
    by_others = or_(PlanRow.pack.is_(None), PlanRow.pack != rules)
    old = select(PlanRow.athlete).where(PlanRow.tenant == tenant, PlanRow.week_start <= coming[-1], by_others)
    lately = context.now() - _OPEN_AFTER_ASKING
    asked_lately = exists().where(*_same_week(RequestRow), RequestRow.version_time >= lately)
    looked_at = union(
        *(
            select(table.athlete).where(
                table.tenant == tenant, table.week_start.in_(coming), ~exists().where(*_same_week(table))
            )
            for table in (TargetRow, RequestRow)
        ),
        old.where(or_(PlanRow.week_start >= min(mondays), asked_lately)),
    ).subquery()
    query = select(SchedulingAthleteRow.athlete).where(
        SchedulingAthleteRow.tenant == tenant,
        SchedulingAthleteRow.put_at.is_not(None),
        SchedulingAthleteRow.athlete.in_(select(looked_at.c.athlete)),
    )
    return context.db.scalars(query.order_by(SchedulingAthleteRow.athlete).limit(MAX_DUE)).all()


def _same_week(table: Any) -> tuple[ColumnElement[bool], ...]:
    """Of a plan and a row of ``table``."""
    return (
        PlanRow.tenant == table.tenant,
        PlanRow.athlete == table.athlete,
        PlanRow.week_start == table.week_start,
    )
