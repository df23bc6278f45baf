"""What the periodization service does with each message and when it acts on its own.

State never depends on the order of messages: each thing said is stored with its version, and the season follows from
it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from services.periodization.erasure_store import NO_CORRELATION, Athletes
from services.periodization.messages import (
    AthleteErasedElsewhere,
    GetSeason,
    LoadAssessed,
    ReadinessAssessed,
    SetGoals,
    StartDeload,
)
from services.periodization.rule_admin.handlers import ROUTES as RULE_ADMIN_ROUTES
from services.periodization.rule_admin.trials import Trials, settle_trials
from services.periodization.store import ConfirmationRow, PeriodizationAthleteRow, SeasonStore, Source, due_athletes
from services.periodization.use_cases.plan import (
    athlete_season,
    packs_of,
    plan_and_publish,
    plan_if_triggers_changed,
    season_from,
)
from services.periodization.use_cases.publish import bounded
from services.periodization.use_cases.record import record_days, record_deload, record_goals
from shared.athletes.batches import Came
from shared.athletes.handlers import athlete_routes, unknown_athlete
from shared.athletes.messages import EraseAthlete
from shared.bus.routes import (
    APPLIED,
    DUPLICATE,
    Accepted,
    Answered,
    Call,
    Context,
    Effect,
    Forgotten,
    Incoming,
    Later,
    RepliesLater,
    Route,
    Timer,
    accepted,
    alone,
)
from shared.contract.words import SERVICES
from shared.messages.values import Profile

SERVICE: Final = "periodization"
OTHER_SERVICES: Final = frozenset(SERVICES) - {SERVICE}
REPLAN_SECONDS: Final = 20.0
MAX_DUE: Final = 20_000
"""Athletes of one tenant looked up at once; who is left is looked up at the next turn of the timer."""
_SOURCES: Final[Mapping[str, Source]] = {"load": "load", "recovery": "readiness"}
"""Services that say something of days."""


def after_put(context: Context, row: PeriodizationAthleteRow, profile: Profile, before: Profile | None) -> None:
    plan_and_publish(context, row.athlete)
    if before is None:
        context.settle(SeasonStore(context.db, context.tenant, row.athlete).stands())


def after_erase(context: Context, incoming: Incoming[EraseAthlete], effect: Effect) -> Accepted | Later:
    """Answers once all services have confirmed, in whichever order the command and the confirmations arrive here."""
    athlete = incoming.body.athlete
    Trials(context.db, context.tenant).forget_athlete(athlete)
    address = context.reply_address() if isinstance(context, RepliesLater) else None
    if address is None:
        return Accepted(effect, {"athlete": athlete})
    athletes, correlation_id = Athletes(context.db, context.tenant), address["correlation_id"]
    confirmations = athletes.await_confirmations(athlete, correlation_id, address, effect == APPLIED)
    if set(confirmations.services) >= OTHER_SERVICES:
        outcome = _erased(athlete, confirmations)
        athletes.settled(athlete, correlation_id)
        return outcome
    return Later()


def on_athlete_erased(context: Context, incoming: Incoming[AthleteErasedElsewhere]) -> Forgotten:
    body = incoming.body
    source = _SOURCES.get(body.service)
    if source is not None:
        SeasonStore(context.db, context.tenant, body.athlete).forget_days(source, incoming.time)
    if incoming.correlation_id in (None, NO_CORRELATION) or body.service not in OTHER_SERVICES:
        return Forgotten()
    athletes = Athletes(context.db, context.tenant)
    confirmations = athletes.confirm(body.athlete, incoming.correlation_id, body.service, body.effect == APPLIED.word)
    address = confirmations.reply_address
    if address is not None and set(confirmations.services) >= OTHER_SERVICES and isinstance(context, RepliesLater):
        context.reply_late(address, _erased(body.athlete, confirmations))
        athletes.settled(body.athlete, incoming.correlation_id)
    return Forgotten()


def set_goals(context: Context, incoming: Incoming[SetGoals]) -> Accepted:
    body = incoming.body
    if Athletes(context.db, context.tenant).erased_since(body.athlete, incoming.time):
        return Forgotten(more={"athlete": body.athlete})
    came = record_goals(SeasonStore(context.db, context.tenant, body.athlete), body, incoming.version)
    return _planned(context, body.athlete, came)


def start_deload(context: Context, incoming: Incoming[StartDeload]) -> Accepted:
    body = incoming.body
    if Athletes(context.db, context.tenant).erased_since(body.athlete, incoming.time):
        return Forgotten(more={"athlete": body.athlete})
    came = record_deload(SeasonStore(context.db, context.tenant, body.athlete), body, incoming.version)
    return _planned(context, body.athlete, came)


def get_season(context: Context, incoming: Incoming[GetSeason]) -> Answered:
    body = incoming.body
    known = athlete_season(context, body.athlete)
    if known is None:
        raise unknown_athlete(body.athlete)
    season = season_from(known, context.rules, body.first, body.weeks)
    return Answered({**bounded(season.as_json()), "athlete": body.athlete})


def on_loads_assessed(calls: Sequence[Call]) -> Sequence[Forgotten | None]:
    return _on_days("load", calls)


def on_readiness_assessed(calls: Sequence[Call]) -> Sequence[Forgotten | None]:
    return _on_days("readiness", calls)


def due_for_replanning(context: Context) -> Sequence[str]:
    """Everybody for whom a new local day has begun or whose rules have changed.

    It also answers those whom a service keeps waiting about rules: a timer of its own would cost as much again.
    """
    settle_trials(context)
    return due_athletes(context.db, context.tenant, context.now(), packs_of(context.rules), MAX_DUE)


def replan_due(context: Context, athletes: Sequence[str]) -> None:
    """Plans again for those who are still due; publishes only what that changes."""
    packs = packs_of(context.rules)
    for athlete in due_athletes(context.db, context.tenant, context.now(), packs, len(athletes), athletes):
        plan_and_publish(context, athlete)


def _planned(context: Context, athlete: str, came: Came) -> Accepted:
    """A command for an athlete nobody has put yet takes effect then."""
    is_known = SeasonStore(context.db, context.tenant, athlete).profile() is not None
    if is_known:
        plan_and_publish(context, athlete)
    return accepted(came, is_known, athlete=athlete)


def _on_days(source: Source, calls: Sequence[Call]) -> list[Forgotten | None]:
    """Stores what each message says; then each athlete's season is looked at once, on behalf of the last that changed
    anything."""
    outcomes: list[Forgotten | None] = []
    changed: dict[str, Context] = {}
    first = calls[0][0]
    erased = Athletes(first.db, first.tenant).erased({incoming.body.athlete for _, incoming in calls})
    for context, incoming in calls:
        body = incoming.body
        if body.athlete in erased and erased[body.athlete].seen >= incoming.time:
            outcomes.append(Forgotten())
            continue
        store = SeasonStore(context.db, context.tenant, body.athlete)
        if record_days(store, source, body.days, incoming.version):
            changed[body.athlete] = context
        outcomes.append(None)
    for athlete, context in changed.items():
        plan_if_triggers_changed(context, athlete)
    return outcomes


def _erased(athlete: str, confirmations: ConfirmationRow) -> Accepted:
    """``none`` only where no service had anything left to erase."""
    effect = APPLIED if confirmations.applied else DUPLICATE
    return Accepted(effect, {"athlete": athlete, "erased_by": sorted({*OTHER_SERVICES, SERVICE})})


ROUTES: tuple[Route, ...] = (
    *athlete_routes(SERVICE, Athletes, after_put, after_erase),
    Route("command", "periodization.set-goals", SetGoals, set_goals),
    Route("command", "periodization.start-deload", StartDeload, start_deload),
    Route("command", "periodization.get-season", GetSeason, get_season, query=True),
    *(
        Route("event", key, model, alone(handle), replies=False, handle_many=handle)
        for key, model, handle in (
            ("load.load-assessed", LoadAssessed, on_loads_assessed),
            ("recovery.readiness-assessed", ReadinessAssessed, on_readiness_assessed),
        )
    ),
    *(
        Route("event", f"{service}.athlete-erased", AthleteErasedElsewhere, on_athlete_erased, replies=False)
        for service in sorted(OTHER_SERVICES)
    ),
    *RULE_ADMIN_ROUTES,
)
TIMERS: tuple[Timer, ...] = (Timer("replan-due", REPLAN_SECONDS, due_for_replanning, replan_due),)
