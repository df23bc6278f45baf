"""``athlete.put`` and ``athlete.erase``, as every service handles them."""

from collections.abc import Callable

from shared.athletes.messages import EraseAthlete, PutAthlete
from shared.athletes.store import AthleteStore, Row
from shared.bus.routes import (
    APPLIED,
    DUPLICATE,
    Accepted,
    Context,
    Effect,
    Forgotten,
    Incoming,
    Later,
    Rejected,
    Route,
    Settlement,
    effect_of,
)
from shared.contract.words import ServiceName
from shared.messages.validation import Problem
from shared.messages.values import Profile

AfterPut = Callable[[Context, Row, Profile, Profile | None], None]
"""Lets take effect whatever waited for the athlete: its row, its profile, and the one of before."""
AfterErase = Callable[[Context, Incoming[EraseAthlete], Effect], Accepted | Later]


def athlete_routes(
    service: ServiceName,
    store: type[AthleteStore[Row]],
    after_put: AfterPut[Row],
    after_erase: AfterErase | None = None,
) -> tuple[Route, ...]:
    """``after_erase``: of the service that answers these commands; the others only do as they are told."""

    def put_athlete(context: Context, incoming: Incoming[PutAthlete]) -> Accepted:
        athletes, body = store(context.db, context.tenant), incoming.body
        if athletes.erased_since(body.athlete, incoming.time):
            return Forgotten(more={"athlete": body.athlete})
        row, profile = athletes.locked_athlete(body.athlete), body.profile
        before = row.profile
        effect = effect_of(incoming.version, row.put(profile, incoming.version))
        if effect == APPLIED or row.remembers_more:
            context.db.flush()
            after_put(context, row, row.profile or profile, before)
        return Accepted(effect, {"athlete": body.athlete})

    def erase_athlete(context: Context, incoming: Incoming[EraseAthlete]) -> Accepted | Later:
        athlete = incoming.body.athlete
        erased = store(context.db, context.tenant).erase(athlete, incoming.version, context.now())
        effect = APPLIED if erased else DUPLICATE
        context.settle(Settlement(athlete, code="erased"))
        context.emit("athlete-erased", {"athlete": athlete, "service": service, "effect": effect.word}, athlete)
        return Accepted(effect, {"athlete": athlete}) if after_erase is None else after_erase(context, incoming, effect)

    answers = after_erase is not None
    return (
        Route("command", "athlete.put", PutAthlete, put_athlete, replies=answers, expires=False),
        Route("command", "athlete.erase", EraseAthlete, erase_athlete, replies=answers, expires=False),
    )


def known_profile(store: AthleteStore[Row], athlete: str) -> Profile:
    """Of whom a query asks; ``Rejected`` while nobody has put the athlete."""
    profile = store.profile_of(athlete)
    if profile is None:
        raise unknown_athlete(athlete)
    return profile


def unknown_athlete(athlete: str) -> Rejected:
    return Rejected([Problem("/athlete", "unknown_athlete", f"no athlete {athlete} is known")])
