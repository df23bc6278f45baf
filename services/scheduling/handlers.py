"""What the scheduling service does with each message and when it acts on its own."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.scheduling.domain.advice import advise
from services.scheduling.domain.ics import CalendarOf, as_ics
from services.scheduling.domain.week_plan import placed_from_json
from services.scheduling.messages import (
    AfterLiftAdvice,
    CheckWeek,
    GetWeek,
    MoveSession,
    PlanWeek,
    ReadinessAssessed,
    SeasonPlanned,
    SessionScored,
    SetAvailability,
    WeekTargetsSet,
)
from services.scheduling.store import SchedulingAthleteRow, SchedulingAthletes, SchedulingStore
from services.scheduling.use_cases.compare_rules import compare_weeks
from services.scheduling.use_cases.gather import CheckInputs, gather_advice, gather_proposal, other_weekday
from services.scheduling.use_cases.move import move
from services.scheduling.use_cases.plan import (
    check_open,
    open_weeks,
    perhaps_due,
    plan_and_publish,
    plan_due_weeks,
    plan_near,
    plan_open_weeks,
    settle_weeks,
)
from services.scheduling.use_cases.publish import after_gates, publish_adjustments
from services.scheduling.use_cases.record import (
    AthleteContext,
    athlete_context,
    record_availability,
    record_done,
    record_gate,
    record_request,
    record_season,
    record_targets,
)
from shared.athletes.handlers import athlete_routes, unknown_athlete
from shared.bus.routes import (
    APPLIED,
    WAITS_FOR_TARGETS,
    Accepted,
    Answered,
    Context,
    Forgotten,
    Incoming,
    Rejected,
    Route,
    Timer,
    accepted,
)
from shared.bus.rule_routes import rule_routes
from shared.messages.validation import InvalidInput, Problem
from shared.messages.values import AfterLift, Profile

COMING_WEEKS_SECONDS = 600.0


def after_put(context: Context, row: SchedulingAthleteRow, profile: Profile, before: Profile | None) -> None:
    store = SchedulingStore(context.db, context.tenant, row.athlete)
    athlete = AthleteContext(context, store, profile)
    plan_open_weeks(athlete)
    if before is None:
        settle_weeks(athlete)


def set_availability(context: Context, incoming: Incoming[SetAvailability]) -> Accepted:
    store = _store(context, incoming)
    if store.erased_since(incoming.time):
        return Forgotten()
    effect = record_availability(store, incoming.body, incoming.version)
    athlete = athlete_context(context, incoming.body.athlete)
    if effect == APPLIED and athlete is not None:
        plan_open_weeks(athlete)
    return accepted(effect, athlete is not None)


def request_week(context: Context, incoming: Incoming[PlanWeek]) -> Accepted:
    """Stores what is asked for and plans the week from it."""
    store = _store(context, incoming)
    if store.erased_since(incoming.time):
        return Forgotten()
    athlete = athlete_context(context, incoming.body.athlete)
    if athlete is not None:
        check_open(athlete, incoming.body.week_start)
    was_waiting = store.request(incoming.body.week_start) is not None and store.wanted(incoming.body.week_start) is None
    effect = record_request(store, incoming.body, incoming.version)
    if effect != APPLIED or athlete is None:
        return accepted(effect, athlete is not None)
    plan = plan_and_publish(athlete, incoming.body.week_start)
    if was_waiting:
        settle_weeks(athlete)
    return accepted(WAITS_FOR_TARGETS) if plan is None else accepted(APPLIED, status=plan.status)


def check_calendar(context: Context, incoming: Incoming[CheckWeek]) -> Answered:
    body = incoming.body
    if body.athlete is None:
        calendar = CheckInputs(body.sessions, None, None, (), None)
    else:
        athlete = _known(context, incoming)
        calendar = gather_proposal(athlete.store, athlete.profile, body.sessions)
    try:
        verdict = calendar.verdict(context.rules)
    except InvalidInput as invalid:
        raise Rejected(invalid.problems) from None
    return Answered({"athlete": body.athlete, **verdict.as_json()})


def move_session(context: Context, incoming: Incoming[MoveSession]) -> Accepted:
    store = _store(context, incoming)
    if store.erased_since(incoming.time):
        return Forgotten()
    store.locked_row()
    return move(_known(context, incoming), incoming.body, incoming.version)


def after_lift_advice(context: Context, incoming: Incoming[AfterLiftAdvice]) -> Answered:
    body, athlete = incoming.body, _known(context, incoming)
    profile, gate = gather_advice(athlete.store, athlete.profile, athlete.today)
    advice = advise(AfterLift(lift=body.lift, run=body.run), profile, context.rules, gate)
    return Answered({"athlete": body.athlete, **advice.as_json()})


def get_week(context: Context, incoming: Incoming[GetWeek]) -> Answered:
    """The week's calendar with today's gate applied, as JSON or as an iCalendar text."""
    body, athlete = incoming.body, _known(context, incoming)
    store = athlete.store
    plan = store.plan(body.week_start)
    if plan is None:
        message = f"the week of {body.week_start} is not planned{other_weekday(athlete.profile, body.week_start)}"
        raise Rejected([Problem("/week_start", "not_planned", message)])
    document = after_gates(plan.document, store.gates(body.week_start, body.week_start + timedelta(days=6)))
    if body.format == "json":
        return Answered({"athlete": body.athlete, **document})
    sessions = [placed_from_json(one) for one in document["sessions"]]
    of = CalendarOf(context.tenant, body.athlete, body.week_start)
    text = as_ics(sessions, of, context.now(), plan.calendar or {}).decode()
    return Answered({"athlete": body.athlete, "week_start": body.week_start.isoformat(), "format": "ics", "ics": text})


def on_week_targets(context: Context, incoming: Incoming[WeekTargetsSet]) -> Forgotten | None:
    """A week that is open is planned anew."""
    store, week_start = _store(context, incoming), incoming.body.week_start
    if store.is_erased(incoming.time):
        return Forgotten()
    if record_targets(store, incoming.body, incoming.version):
        athlete = athlete_context(context, incoming.body.athlete)
        if athlete is not None and week_start in open_weeks(athlete):
            plan_and_publish(athlete, week_start)
            if store.request(week_start) is not None:
                settle_weeks(athlete)
    return None


def on_season_planned(context: Context, incoming: Incoming[SeasonPlanned]) -> Forgotten | None:
    """A week that the season no longer holds is planned without its sessions, as far as it is not over."""
    store = _store(context, incoming)
    if store.is_erased(incoming.time):
        return Forgotten()
    withdrawn = record_season(store, incoming.body, incoming.version, context.now())
    athlete = athlete_context(context, incoming.body.athlete)
    for week_start in withdrawn:
        if athlete is not None and store.plan(week_start) is not None:
            plan_and_publish(athlete, week_start)
    return None


def on_session_scored(context: Context, incoming: Incoming[SessionScored]) -> Forgotten | None:
    """Open weeks near what was done are planned around it."""
    store = _store(context, incoming)
    if store.is_erased(incoming.time):
        return Forgotten()
    if record_done(store, incoming.body, incoming.version):
        athlete = athlete_context(context, incoming.body.athlete)
        if athlete is not None:
            plan_near(athlete, incoming.body.start)
    return None


def on_readiness_assessed(context: Context, incoming: Incoming[ReadinessAssessed]) -> Forgotten | None:
    """The day's sessions are adjusted by its gate."""
    store, day = _store(context, incoming), incoming.body.date
    if store.is_erased(incoming.time):
        return Forgotten()
    if record_gate(store, incoming.body, incoming.version):
        athlete = athlete_context(context, incoming.body.athlete)
        gate, plan = store.gate_row(day), store.plan_on(day)
        if athlete is not None and gate is not None and plan is not None and day >= athlete.today:
            publish_adjustments(athlete, gate, plan)
    return None


def plan_coming_weeks(context: Context, athletes: Sequence[str]) -> None:
    """Plans each athlete's coming week of the season once its turn has come, and again what other rules planned;
    changes nothing when all is as it should be."""
    for name in athletes:
        athlete = athlete_context(context, name)
        if athlete is not None:
            plan_due_weeks(athlete)


def _store(context: Context, incoming: Incoming[Any]) -> SchedulingStore:
    return SchedulingStore(context.db, context.tenant, incoming.body.athlete)


def _known(context: Context, incoming: Incoming[Any]) -> AthleteContext:
    athlete = athlete_context(context, incoming.body.athlete)
    if athlete is None:
        raise unknown_athlete(incoming.body.athlete)
    return athlete


ROUTES: tuple[Route, ...] = (
    Route("command", "scheduling.set-availability", SetAvailability, set_availability),
    Route("command", "scheduling.plan-week", PlanWeek, request_week),
    Route("command", "scheduling.check-week", CheckWeek, check_calendar, query=True),
    Route("command", "scheduling.move-session", MoveSession, move_session),
    Route("command", "scheduling.after-lift-advice", AfterLiftAdvice, after_lift_advice, query=True),
    Route("command", "scheduling.get-week", GetWeek, get_week, query=True),
    *athlete_routes("scheduling", SchedulingAthletes, after_put),
    Route("event", "periodization.week-targets-set", WeekTargetsSet, on_week_targets),
    Route("event", "periodization.season-planned", SeasonPlanned, on_season_planned),
    Route("event", "load.session-scored", SessionScored, on_session_scored),
    Route("event", "recovery.readiness-assessed", ReadinessAssessed, on_readiness_assessed),
    *rule_routes("scheduling", {"sequencing": compare_weeks}),
)
TIMERS: tuple[Timer, ...] = (Timer("coming-weeks", COMING_WEEKS_SECONDS, perhaps_due, plan_coming_weeks),)
