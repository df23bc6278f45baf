"""The scheduling service's use cases: a message in, state changed, events out. Knows neither nameko nor kombu."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from services.scheduling.domain.advice import advise
from services.scheduling.domain.calendar import monday_of
from services.scheduling.domain.checking.check import check_week
from services.scheduling.domain.ics import as_ics
from services.scheduling.domain.week_plan import WeekPlan, placed_from_json
from services.scheduling.messages import (
    AfterLiftAdvice,
    AthleteErased,
    CheckWeek,
    EraseAthlete,
    GetWeek,
    MoveSession,
    PlanWeek,
    PutAthlete,
    ReadinessAssessed,
    SeasonPlanned,
    SessionScored,
    SetAvailability,
    WeekTargetsSet,
)
from services.scheduling.store import (
    AthleteRow,
    DoneRow,
    GateRow,
    PlanRow,
    RequestRow,
    SchedulingStore,
    TargetRow,
)
from services.scheduling.use_cases.adjust import after_gates, tell_adjustments
from services.scheduling.use_cases.compare_rules import compare_weeks
from services.scheduling.use_cases.due import maybe_to_plan
from services.scheduling.use_cases.move import move
from services.scheduling.use_cases.plan import (
    Desk,
    catch_up,
    open_weeks,
    replan,
    replan_near,
    replan_open_weeks,
    surroundings,
)
from shared.bus.routes import Accepted, Answered, Context, Forgotten, Incoming, Rejected, Route, Timer
from shared.bus.rule_routes import rule_routes
from shared.messages.problems import Problem
from shared.messages.values import AfterLift, PlannedSession

PENDING = Accepted({"pending": "athlete"})
ERASED = Forgotten({"ignored": "the athlete was erased later than this was sent"})
COMING_WEEKS_SECONDS = 600.0


def set_availability(context: Context, incoming: Incoming[SetAvailability]) -> Accepted:
    store = SchedulingStore(context.db, context.tenant)
    body, version = incoming.body, (incoming.time, incoming.id)
    if store.erased_since(body.athlete, incoming.time):
        return ERASED
    row = store.locked_athlete(body.athlete)
    if row.available_at is None or (row.available_at, row.available_id or "") < version:
        row.availability = {
            "windows": [window.model_dump(mode="json", by_alias=True, exclude_none=True) for window in body.windows],
            "limits": None if body.limits is None else body.limits.model_dump(),
        }
        row.available_at, row.available_id = version
        desk = _desk(context, store, body.athlete)
        if desk is None:
            return PENDING
        replan_open_weeks(desk)
    return Accepted()


def request_week(context: Context, incoming: Incoming[PlanWeek]) -> Accepted:
    """Keeps what is asked for and plans the week from it."""
    store = SchedulingStore(context.db, context.tenant)
    body, version = incoming.body, (incoming.time, incoming.id)
    if store.erased_since(body.athlete, incoming.time):
        return ERASED
    store.locked_athlete(body.athlete)
    given = (
        None
        if body.sessions is None
        else [session.model_dump(mode="json", exclude_none=True) for session in body.sessions]
    )
    key = {"athlete": body.athlete, "week_start": body.week_start}
    if not store.keep(RequestRow, key, {"sessions": {"given": given}}, version):
        return Accepted({"ignored": "a later plan-week of this week is held"})
    desk = _desk(context, store, body.athlete)
    if desk is None:
        return PENDING
    plan = replan(desk, body.week_start)
    if plan is None:
        return Accepted({"pending": "targets"})
    return Accepted({"status": plan.status})


def check_calendar(context: Context, incoming: Incoming[CheckWeek]) -> Answered:
    store = SchedulingStore(context.db, context.tenant)
    body = incoming.body
    if body.athlete is None:
        verdict = check_week(body.sessions, None, context.rules)
        return Answered({"athlete": None, **verdict.as_json()})
    desk = _known(context, store, body.athlete)
    profile = desk.profile
    around: list[PlannedSession] = []
    if body.sessions:
        first = min(session.start for session in body.sessions).astimezone(desk.profile.zone).date()
        profile = desk.profile_in(monday_of(first))
        around = _done_only(desk, first, {session.id for session in body.sessions})
    verdict = check_week(body.sessions, profile, context.rules, desk.limits, around, desk.windows)
    return Answered({"athlete": body.athlete, **verdict.as_json()})


def move_session(context: Context, incoming: Incoming[MoveSession]) -> Accepted:
    store = SchedulingStore(context.db, context.tenant)
    body = incoming.body
    if store.erased_since(body.athlete, incoming.time):
        return ERASED
    store.locked_athlete(body.athlete)
    return Accepted(move(_known(context, store, body.athlete), body, (incoming.time, incoming.id)))


def after_lift_advice(context: Context, incoming: Incoming[AfterLiftAdvice]) -> Answered:
    body = incoming.body
    desk = _known(context, SchedulingStore(context.db, context.tenant), body.athlete)
    gate = desk.store.gate(body.athlete, desk.today)
    advice = advise(
        AfterLift(lift=body.lift, run=body.run),
        desk.profile_in(monday_of(desk.today)),
        context.rules,
        None if gate is None else gate.gate["intensity"],
    )
    return Answered({"athlete": body.athlete, **advice.as_json()})


def get_week(context: Context, incoming: Incoming[GetWeek]) -> Answered:
    """The week's calendar with today's gate applied, as JSON or as an iCalendar text."""
    body = incoming.body
    desk = _known(context, SchedulingStore(context.db, context.tenant), body.athlete)
    held = desk.store.plan(body.athlete, body.week_start)
    if held is None:
        raise Rejected([Problem("/week_start", "not_planned", f"the week of {body.week_start} is not planned")])
    gates = desk.store.gates(body.athlete, body.week_start, body.week_start + timedelta(days=6))
    document = after_gates(held.document, gates)
    if body.format == "json":
        return Answered({"athlete": body.athlete, **document})
    text = as_ics(_plan_of(held, document), body.athlete, context.now()).decode()
    return Answered({"athlete": body.athlete, "week_start": body.week_start.isoformat(), "format": "ics", "ics": text})


def put_athlete(context: Context, incoming: Incoming[PutAthlete]) -> Accepted:
    """Keeps the newest profile, and lets take effect whatever was waiting for it."""
    store = SchedulingStore(context.db, context.tenant)
    body, version = incoming.body, (incoming.time, incoming.id)
    if store.erased_since(body.athlete, incoming.time):
        return ERASED
    row = store.locked_athlete(body.athlete)
    if row.put_at is not None and (row.put_at, row.put_id or "") >= version:
        return Accepted()
    profile = body.profile
    row.profile = profile.model_dump(mode="json", exclude_defaults=True) | {"timezone": profile.timezone}
    row.put_at, row.put_id = version
    replan_open_weeks(Desk(context, store, row, profile))
    return Accepted()


def erase_athlete(context: Context, incoming: Incoming[EraseAthlete]) -> Accepted:
    store = SchedulingStore(context.db, context.tenant)
    store.erase(incoming.body.athlete, incoming.time)
    context.emit("athlete-erased", AthleteErased(athlete=incoming.body.athlete).as_data(), incoming.body.athlete)
    return Accepted()


def hear_targets(context: Context, incoming: Incoming[WeekTargetsSet]) -> Forgotten | None:
    """Keeps the week's sessions; a week that is open is planned anew."""
    store = SchedulingStore(context.db, context.tenant)
    body = incoming.body
    if store.is_erased(body.athlete, incoming.time):
        return Forgotten()
    row = store.locked_athlete(body.athlete)
    values = {
        "phase": body.phase,
        "sessions": [session.model_dump(mode="json", exclude_none=True) for session in body.sessions],
    }
    key = {"athlete": body.athlete, "week_start": body.week_start}
    version = (incoming.time, incoming.id)
    if _withdrawn(row, body.week_start, version):
        return None
    kept = store.keep(TargetRow, key, values, version)
    desk = _desk(context, store, body.athlete)
    if kept and desk is not None and body.week_start in open_weeks(desk):
        replan(desk, body.week_start)
    return None


def hear_season(context: Context, incoming: Incoming[SeasonPlanned]) -> Forgotten | None:
    """A week that the season no longer holds is planned without its sessions, as far as it is not over."""
    store = SchedulingStore(context.db, context.tenant)
    body, version = incoming.body, (incoming.time, incoming.id)
    if store.is_erased(body.athlete, incoming.time):
        return Forgotten()
    row = store.locked_athlete(body.athlete)
    if row.season_at is not None and (row.season_at, row.season_id or "") >= version:
        return None
    row.season_weeks = sorted({week.start.isoformat() for week in body.weeks})
    row.season_at, row.season_id = version
    desk = _desk(context, store, body.athlete)
    since = monday_of(context.now().date() if desk is None else desk.today)
    for target in store.targets_from(body.athlete, since):
        if target.sessions and _withdrawn(row, target.week_start, (target.told_at, target.told_id)):
            target.sessions, (target.told_at, target.told_id) = [], version
            if desk is not None and store.plan(body.athlete, target.week_start) is not None:
                replan(desk, target.week_start)
    return None


def _withdrawn(row: AthleteRow, week_start: date, version: tuple[datetime, str]) -> bool:
    """Whether the season, told later than ``version``, does not hold the week."""
    if row.season_at is None or row.season_weeks is None:
        return False
    return week_start.isoformat() not in row.season_weeks and version < (row.season_at, row.season_id or "")


def hear_session(context: Context, incoming: Incoming[SessionScored]) -> Forgotten | None:
    """Keeps what was done; open weeks near it are planned around it."""
    store = SchedulingStore(context.db, context.tenant)
    body = incoming.body
    if store.is_erased(body.athlete, incoming.time):
        return Forgotten()
    store.locked_athlete(body.athlete)
    values = {
        "removed": body.removed,
        "start": body.start,
        "planned": body.planned,
        "told": {} if body.removed else body.done.model_dump(mode="json", exclude_none=True),
    }
    key = {"athlete": body.athlete, "session": body.session}
    kept = store.keep(DoneRow, key, values, (incoming.time, incoming.id))
    desk = _desk(context, store, body.athlete)
    if kept and desk is not None:
        replan_near(desk, body.start)
    return None


def hear_readiness(context: Context, incoming: Incoming[ReadinessAssessed]) -> Forgotten | None:
    """Keeps the day's gate; the day's sessions are adjusted by it."""
    store = SchedulingStore(context.db, context.tenant)
    body = incoming.body
    if store.is_erased(body.athlete, incoming.time):
        return Forgotten()
    store.locked_athlete(body.athlete)
    held = store.gate(body.athlete, body.date)
    values = {
        "gate": body.gate.model_dump(mode="json"),
        "today": [session.model_dump(mode="json", exclude_none=True) for session in body.today],
        "decided_by": body.decided_by,
        "told": {} if held is None else held.told,
    }
    key = {"athlete": body.athlete, "date": body.date}
    kept = store.keep(GateRow, key, values, (incoming.time, incoming.id))
    desk = _desk(context, store, body.athlete)
    gate = store.gate(body.athlete, body.date)
    if not kept or desk is None or gate is None or body.date < desk.today:
        return None
    plan = store.plan(body.athlete, monday_of(body.date))
    if plan is not None:
        tell_adjustments(context, body.athlete, gate, plan.placed)
    return None


def plan_coming_weeks(context: Context, athletes: Sequence[str]) -> None:
    """Plans each athlete's coming week of the season once its turn has come, and again what other rules planned;
    changes nothing when all is as it should be."""
    store = SchedulingStore(context.db, context.tenant)
    for athlete in athletes:
        desk = _desk(context, store, athlete)
        if desk is not None:
            catch_up(desk)


def _desk(context: Context, store: SchedulingStore, athlete: str) -> Desk | None:
    row = store.athlete(athlete)
    profile = None if row is None else store.profile(row)
    return None if row is None or profile is None else Desk(context, store, row, profile)


def _known(context: Context, store: SchedulingStore, athlete: str) -> Desk:
    desk = _desk(context, store, athlete)
    if desk is None:
        raise Rejected([Problem("/athlete", "unknown_athlete", f"no athlete {athlete} is known")])
    return desk


def _done_only(desk: Desk, first: date, own: set[str]) -> list[PlannedSession]:
    """Done sessions around a proposed calendar: what other weeks plan is not held against a proposal."""
    planned = {one["id"] for plan in desk.store.plans_around(desk.athlete, monday_of(first)) for one in plan.placed}
    return [session for session in surroundings(desk, monday_of(first), own) if session.id not in planned]


def _plan_of(held: PlanRow, document: dict[str, Any]) -> WeekPlan:
    sessions = tuple(placed_from_json(one) for one in document["sessions"])
    return WeekPlan(document["status"], held.week_start, sessions, (), False, None, (), (), (), ())


ROUTES: tuple[Route, ...] = (
    Route("command", "scheduling.set-availability", SetAvailability, set_availability),
    Route("command", "scheduling.plan-week", PlanWeek, request_week),
    Route("command", "scheduling.check-week", CheckWeek, check_calendar, query=True),
    Route("command", "scheduling.move-session", MoveSession, move_session),
    Route("command", "scheduling.after-lift-advice", AfterLiftAdvice, after_lift_advice, query=True),
    Route("command", "scheduling.get-week", GetWeek, get_week, query=True),
    Route("command", "athlete.put", PutAthlete, put_athlete, replies=False),
    Route("command", "athlete.erase", EraseAthlete, erase_athlete, replies=False),
    Route("event", "periodization.week-targets-set", WeekTargetsSet, hear_targets),
    Route("event", "periodization.season-planned", SeasonPlanned, hear_season),
    Route("event", "load.session-scored", SessionScored, hear_session),
    Route("event", "recovery.readiness-assessed", ReadinessAssessed, hear_readiness),
    *rule_routes("scheduling", {"sequencing": compare_weeks}),
)
TIMERS: tuple[Timer, ...] = (Timer("coming-weeks", COMING_WEEKS_SECONDS, maybe_to_plan, plan_coming_weeks),)
