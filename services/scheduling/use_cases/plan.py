"""From what is recorded to a week's plan. Plans are made again whenever what they rest on changes; the past and today
stay as they were."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, or_, select, union

from services.scheduling.domain.conflicts import pair_horizon_hours
from services.scheduling.domain.placing.budget import WEEK_SECONDS
from services.scheduling.domain.placing.planning import OutOfTime, plan_week
from services.scheduling.domain.week_plan import WeekPlan
from services.scheduling.store import PlanRow, RequestRow, SchedulingAthleteRow, TargetRow
from services.scheduling.use_cases.gather import gather_week, other_weekday
from services.scheduling.use_cases.publish import publish_adjustments, publish_week
from services.scheduling.use_cases.record import AthleteContext
from shared.bus.routes import Context, Rejected, Settlement
from shared.messages.validation import Problem
from shared.ops import metrics
from shared.rules.lifecycle.rule_worker import WorkStopped

WEEK = timedelta(days=7)
MAX_DUE: Final = 20_000
"""Athletes of one tenant looked up at once; who is left is looked up at the next turn of the timer."""
_OPEN_AFTER_ASKING: Final = timedelta(days=2)
"""A week that was asked for today is open even if it is over; what "today" is differs from zone to zone."""


def plan_open_weeks(athlete: AthleteContext) -> None:
    """Every week that is asked for and not over, and the weeks of the season that are next."""
    for week_start in open_weeks(athlete):
        plan_and_publish(athlete, week_start)


def plan_due_weeks(athlete: AthleteContext) -> None:
    """The season's coming week once its turn has come, and what of this and the coming week other rules planned."""
    last = athlete.today + WEEK
    rules = athlete.context.rules.pack("sequencing").hash
    for week_start in open_weeks(athlete):
        plan = athlete.store.plan(week_start)
        begins = athlete.today < week_start <= last
        due = begins if plan is None else plan.pack != rules and week_start <= last
        if due:
            athlete.store.locked_row()
            plan_and_publish(athlete, week_start)
    requests = athlete.store.requests()
    if any(one.week_start + WEEK <= athlete.today and athlete.store.plan(one.week_start) is None for one in requests):
        settle_weeks(athlete)


def perhaps_due(context: Context) -> Sequence[str]:
    """Whom the timer has to look at, by one query, so that those with nothing to do cost nothing: all athletes without
    a plan of the coming week, or with an open one that other rules made, and perhaps a few whose date is not there yet;
    and who asked for a week that was over before the season had targets for it.
    """
    tenant, today = context.tenant, context.now().date()
    # Where an athlete lives it may still be yesterday, or tomorrow already.
    coming = (today, today + WEEK + timedelta(days=1))
    rules = context.rules.pack("sequencing").hash
    by_others = or_(PlanRow.pack.is_(None), PlanRow.pack != rules)
    old = select(PlanRow.athlete).where(PlanRow.tenant == tenant, PlanRow.week_start <= coming[-1], by_others)
    lately = context.now() - _OPEN_AFTER_ASKING
    asked_lately = exists().where(*_same_week(RequestRow), RequestRow.version_time >= lately)
    looked_at = union(
        *(
            select(table.athlete).where(
                table.tenant == tenant, table.week_start.between(*coming), ~exists().where(*_same_week(table))
            )
            for table in (TargetRow, RequestRow)
        ),
        old.where(or_(PlanRow.week_start >= today - WEEK, asked_lately)),
        select(RequestRow.athlete).where(
            RequestRow.tenant == tenant,
            RequestRow.week_start.between(today - 2 * WEEK, today - WEEK),
            ~exists().where(*_same_week(RequestRow)),
        ),
    ).subquery()
    query = select(SchedulingAthleteRow.athlete).where(
        SchedulingAthleteRow.tenant == tenant,
        SchedulingAthleteRow.put_at.is_not(None),
        SchedulingAthleteRow.athlete.in_(select(looked_at.c.athlete)),
    )
    return context.db.scalars(query.order_by(SchedulingAthleteRow.athlete).limit(MAX_DUE)).all()


def plan_near(athlete: AthleteContext, start: datetime) -> None:
    """The open weeks that a session at ``start`` stands in, or near enough for a rule to look at it."""
    weeks = open_weeks(athlete)
    if not weeks:
        return
    reach = timedelta(hours=pair_horizon_hours(athlete.context.rules.pack("sequencing")))
    day = athlete.profile.day_of(start)
    for week_start in weeks:
        if week_start - reach - timedelta(days=1) <= day < week_start + timedelta(days=8) + reach:
            plan_and_publish(athlete, week_start)


def check_open(athlete: AthleteContext, week_start: date) -> None:
    """Raises ``Rejected`` for a day on which no week of the athlete's nor of the season begins, and for a week that is
    over."""
    problems = []
    wrong = other_weekday(athlete.profile, week_start)
    if wrong and athlete.store.target(week_start) is None:
        message = f"{week_start} is a {week_start:%A}{wrong}"
        problems.append(Problem("/week_start", "wrong_weekday", message))
    if week_start + WEEK <= athlete.today:
        message = f"the week of {week_start} is over: it is {athlete.today}, and only open weeks can be planned"
        problems.append(Problem("/week_start", "past", message))
    if problems:
        raise Rejected(problems)


def settle_weeks(athlete: AthleteContext) -> None:
    """Tells which commands that waited for the profile or a season count now: a plan-week once its week is planned."""
    store, row = athlete.store, athlete.store.row()
    applied = {row.available_id} if row is not None and row.available_id is not None else set[str]()
    still, rejected = set[str](), {}
    for request in store.requests():
        if store.plan(request.week_start) is not None and store.wanted(request.week_start) is not None:
            applied.add(request.version_id)
            continue
        try:
            check_open(athlete, request.week_start)
            still.add(request.version_id)
        except Rejected as refused:
            rejected[request.version_id] = refused.problems
    athlete.context.settle(Settlement(athlete.athlete, applied, still, rejected))


def open_weeks(athlete: AthleteContext) -> list[date]:
    """Weeks that changes may still reach. A week of the season is first planned before it begins; an asked-for week
    stays open until it is over, at the least for the day on which it was asked for."""
    store, today = athlete.store, athlete.today
    weeks = {
        request.week_start
        for request in store.requests(today - timedelta(days=6), athlete.context.now() - _OPEN_AFTER_ASKING)
        if today < request.week_start + WEEK or athlete.profile.day_of(request.version_time) >= today
    }
    for target in store.targets_between(today - timedelta(days=6), today + WEEK):
        if target.week_start > today or store.plan(target.week_start) is not None:
            weeks.add(target.week_start)
    return sorted(weeks)


def plan_and_publish(athlete: AthleteContext, week_start: date) -> WeekPlan | None:
    """Plans a week from all that is recorded, and publishes it if it differs from what was; None: nothing to plan."""
    inputs = gather_week(athlete.store, athlete.profile, week_start, athlete.today)
    if inputs is None:
        return None
    started = time.monotonic()
    plan = plan_week(
        inputs, athlete.context.rules, partial(_off_hub, athlete), athlete.context.budget_s or WEEK_SECONDS
    )
    # Counted even when the transaction fails afterwards: the solver has worked.
    metrics.solve_seconds.labels(plan.status).observe(time.monotonic() - started)
    metrics.solves.labels(plan.status, "yes" if plan.optimal else "no").inc()
    store_and_publish(athlete, week_start, plan.as_json())
    return plan


def _off_hub(athlete: AthleteContext, function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return athlete.context.off_hub(function, *arguments)
    except WorkStopped:
        raise OutOfTime from None


def store_and_publish(athlete: AthleteContext, week_start: date, document: Mapping[str, Any]) -> None:
    """Takes a week's document as its plan: as it was planned, or as a session was moved by hand."""
    store, today = athlete.store, athlete.today
    row = store.plan(week_start)
    published = None
    if row is None:
        row = PlanRow(**store.key, week_start=week_start, placed=[], earlier=[])
        store.db.add(row)
    else:
        published, row.earlier = row.digest, list(row.placed_before(today))
    row.digest = publish_week(athlete, document, published)
    row.document, row.made_on = dict(document), today
    row.pack = athlete.context.rules.pack("sequencing").hash
    if document["status"] == "planned":
        row.take(document["sessions"], athlete.context.now())
    store.db.flush()
    for gate in store.gates(max(week_start, today), week_start + timedelta(days=6)):
        publish_adjustments(athlete, gate, row)


def _same_week(table: Any) -> tuple[ColumnElement[bool], ...]:
    """Of a plan and a row of ``table``."""
    return (
        PlanRow.tenant == table.tenant,
        PlanRow.athlete == table.athlete,
        PlanRow.week_start == table.week_start,
    )
