"""``athlete.put`` and ``athlete.erase``, as every service handles them."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from shared.athletes.messages import EraseAthlete, PutAthlete
from shared.athletes.store import AthleteStore
from shared.bus.routes import Accepted, Context, Forgotten, Incoming, Route
from shared.contract.words import ServiceName
from shared.messages.values import Profile

ERASED = Forgotten({"ignored": "the athlete was erased later than this was sent"})
"""The outcome of a command about an athlete."""
AfterPut = Callable[[Context, str, Profile | None], None]
"""Lets take effect whatever waited for the athlete; with the profile of before, if there was one."""
AfterErase = Callable[[Context, Incoming[EraseAthlete]], Accepted]


def athlete_routes(
    service: ServiceName,
    store: Callable[[Session, str], AthleteStore[Any]],
    after_put: AfterPut,
    after_erase: AfterErase | None = None,
) -> tuple[Route, ...]:
    """``after_erase``: of the service that answers these commands; the others only do as they are told."""

    def put_athlete(context: Context, incoming: Incoming[PutAthlete]) -> Accepted:
        athletes, body = store(context.db, context.tenant), incoming.body
        if athletes.erased_since(body.athlete, incoming.time):
            return erased_later(body.athlete)
        row = athletes.locked_athlete(body.athlete)
        before = athletes.profile(row)
        if row.put(body.profile, (incoming.time, incoming.id)):
            context.db.flush()
            after_put(context, body.athlete, before)
        return Accepted({"athlete": body.athlete})

    def erase_athlete(context: Context, incoming: Incoming[EraseAthlete]) -> Accepted:
        athlete = incoming.body.athlete
        store(context.db, context.tenant).erase(athlete, (incoming.time, incoming.id))
        context.emit("athlete-erased", {"athlete": athlete, "service": service}, athlete)
        return Accepted({"athlete": athlete}) if after_erase is None else after_erase(context, incoming)

    answers = after_erase is not None
    return (
        Route("command", "athlete.put", PutAthlete, put_athlete, replies=answers),
        Route("command", "athlete.erase", EraseAthlete, erase_athlete, replies=answers),
    )


def erased_later(athlete: str) -> Forgotten:
    """``ERASED`` with the athlete, as periodization answers."""
    return Forgotten({"athlete": athlete, **ERASED.data})
