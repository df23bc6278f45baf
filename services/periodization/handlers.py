"""The use cases: what is said is kept, the season is planned again from all that is kept, and what changed is told.

State never depends on the order of messages: each thing said is kept with its stamp, and the season follows from it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.periodization.domain import CoachDeload
from services.periodization.erasure_store import NO_CORRELATION, Athletes
from services.periodization.messages import (
    AthleteErasedElsewhere,
    DayFigures,
    GetSeason,
    LoadAssessed,
    ReadinessAssessed,
    SetGoals,
    StartDeload,
)
from services.periodization.rule_admin import packs as rule_packs
from services.periodization.rule_admin.trials import Trials
from services.periodization.store import Choice, PeriodizationAthleteRow, Source, Store, due_athletes
from services.periodization.use_cases.plan import (
    athlete_season,
    packs_of,
    plan_and_publish,
    plan_if_triggers_changed,
    season_from,
)
from shared.athletes.handlers import athlete_routes, erased_later
from shared.athletes.messages import EraseAthlete
from shared.bus.delivery.replies import Later, RepliesLater
from shared.bus.routes import Accepted, Answered, Call, Context, Forgotten, Incoming, Rejected, Route, Timer, alone
from shared.contract.words import SERVICES
from shared.messages.problems import Problem
from shared.messages.values import Profile
from shared.rules.vocabulary import features_of

SERVICE: Final = "periodization"
OTHER_SERVICES: Final = frozenset(SERVICES) - {SERVICE}
REPLAN_SECONDS: Final = 20.0
MAX_DUE: Final = 20_000
"""Athletes of one tenant looked up at once; who is left is looked up at the next turn of the timer."""
_SOURCES: Final[Mapping[str, Source]] = {"load": "load", "recovery": "readiness"}
"""Services that say something of days."""
_DAY_FEATURES: Final = frozenset(features_of("athlete"))


def after_put(context: Context, row: PeriodizationAthleteRow, profile: Profile, before: Profile | None) -> None:
    plan_and_publish(context, row.athlete)


def after_erase(context: Context, incoming: Incoming[EraseAthlete]) -> Accepted:
    """Answers once all services have confirmed, in whichever order the command and the confirmations arrive here."""
    athlete = incoming.body.athlete
    Trials(context.db, context.tenant).forget_athlete(athlete)
    plan_and_publish(context, athlete)
    address = context.reply_address() if isinstance(context, RepliesLater) else None
    if address is None:
        return Accepted({"athlete": athlete})
    athletes, correlation_id = Athletes(context.db, context.tenant), address["correlation_id"]
    if athletes.await_confirmations(athlete, correlation_id, address) >= OTHER_SERVICES:
        athletes.settled(athlete, correlation_id)
        return _erased(athlete)
    return Later()


def athlete_erased_elsewhere(context: Context, incoming: Incoming[AthleteErasedElsewhere]) -> Forgotten:
    body = incoming.body
    source = _SOURCES.get(body.service)
    if source is not None:
        Store(context.db, context.tenant, body.athlete).forget_days(source, incoming.time)
    if incoming.correlation_id in (None, NO_CORRELATION) or body.service not in OTHER_SERVICES:
        return Forgotten()
    athletes = Athletes(context.db, context.tenant)
    confirmed, address = athletes.confirm(body.athlete, incoming.correlation_id, body.service)
    if address is not None and confirmed >= OTHER_SERVICES and isinstance(context, RepliesLater):
        context.reply_late(address, _erased(body.athlete))
        athletes.settled(body.athlete, incoming.correlation_id)
    return Forgotten()


def set_goals(context: Context, incoming: Incoming[SetGoals]) -> Accepted:
    body = incoming.body
    if Athletes(context.db, context.tenant).erased_since(body.athlete, incoming.time):
        return erased_later(body.athlete)
    plain = body.model_dump(mode="json", by_alias=True, exclude_none=True)
    fields: tuple[Choice, ...] = ("goals", "season_start", "week_template", "weeks")
    store = Store(context.db, context.tenant, body.athlete)
    store.profile()  # locks the athlete
    store.choose({field: plain[field] for field in fields if field in plain}, incoming.version)
    return _accepted(context, body.athlete)


def start_deload(context: Context, incoming: Incoming[StartDeload]) -> Accepted:
    body = incoming.body
    if Athletes(context.db, context.tenant).erased_since(body.athlete, incoming.time):
        return erased_later(body.athlete)
    deload = CoachDeload(body.start, body.days, body.reason)
    Store(context.db, context.tenant, body.athlete).add_coach_deload(deload, incoming.version)
    return _accepted(context, body.athlete)


def get_season(context: Context, incoming: Incoming[GetSeason]) -> Answered:
    body = incoming.body
    known = athlete_season(context, body.athlete)
    if known is None:
        raise Rejected([Problem("/athlete", "unknown_athlete", f"no athlete '{body.athlete}' is known")])
    season = season_from(known, context.rules, body.first, body.weeks)
    return Answered({**season.as_json(), "athlete": body.athlete})


def loads_assessed(calls: Sequence[Call]) -> Sequence[Forgotten | None]:
    return _note_days("load", calls)


def readiness_assessed(calls: Sequence[Call]) -> Sequence[Forgotten | None]:
    return _note_days("readiness", calls)


def due_for_replanning(context: Context) -> Sequence[str]:
    """Everybody for whom a new local day has begun or whose rules have changed.

    It also answers those whom a service keeps waiting about rules: a timer of its own would cost as much again.
    """
    rule_packs.settle_trials(context)
    return due_athletes(context.db, context.tenant, context.now(), packs_of(context.rules), MAX_DUE)


def replan_due(context: Context, athletes: Sequence[str]) -> None:
    """Plans again for those who are still due; tells only what that changes."""
    packs = packs_of(context.rules)
    for athlete in due_athletes(context.db, context.tenant, context.now(), packs, len(athletes), athletes):
        plan_and_publish(context, athlete)


def _accepted(context: Context, athlete: str) -> Accepted:
    """Plans and tells; a command for an athlete nobody has put yet is kept until then."""
    if Store(context.db, context.tenant, athlete).profile() is None:
        return Accepted({"athlete": athlete, "pending": "athlete"})
    plan_and_publish(context, athlete)
    return Accepted({"athlete": athlete})


def _note_days(source: Source, calls: Sequence[Call]) -> list[Forgotten | None]:
    """Keeps what each message says; then each athlete's season is looked at once, on behalf of the last that changed
    anything."""
    outcomes: list[Forgotten | None] = []
    changed: dict[str, Context] = {}
    first = calls[0][0]
    erased = Athletes(first.db, first.tenant).erased({incoming.body.athlete for _, incoming in calls})
    for context, incoming in calls:
        body = incoming.body
        if body.athlete in erased and erased[body.athlete] >= incoming.time:
            outcomes.append(Forgotten())
            continue
        facts = {day.date: _features(day) for day in body.days}
        if Store(context.db, context.tenant, body.athlete).note_days(source, facts, incoming.version):
            changed[body.athlete] = context
        outcomes.append(None)
    for athlete, context in changed.items():
        plan_if_triggers_changed(context, athlete)
    return outcomes


def _features(day: DayFigures) -> dict[str, Any]:
    """What rules may ask about; the rest of what was said of the day is nobody's business here."""
    plain = (bool, int, float, str, type(None))
    return {name: value for name, value in day.figures.items() if name in _DAY_FEATURES and isinstance(value, plain)}


def _erased(athlete: str) -> Accepted:
    return Accepted({"athlete": athlete, "erased_by": sorted({*OTHER_SERVICES, SERVICE})})


ROUTES: tuple[Route, ...] = (
    *athlete_routes(SERVICE, Athletes, after_put, after_erase),
    Route("command", "periodization.set-goals", SetGoals, set_goals),
    Route("command", "periodization.start-deload", StartDeload, start_deload),
    Route("command", "periodization.get-season", GetSeason, get_season, query=True),
    Route(
        "event", "load.load-assessed", LoadAssessed, alone(loads_assessed), replies=False, handle_many=loads_assessed
    ),
    Route(
        "event",
        "recovery.readiness-assessed",
        ReadinessAssessed,
        alone(readiness_assessed),
        replies=False,
        handle_many=readiness_assessed,
    ),
    *(
        Route("event", f"{service}.athlete-erased", AthleteErasedElsewhere, athlete_erased_elsewhere, replies=False)
        for service in sorted(OTHER_SERVICES)
    ),
    *rule_packs.ROUTES,
)
TIMERS: tuple[Timer, ...] = (Timer("replan-due", REPLAN_SECONDS, due_for_replanning, replan_due),)
