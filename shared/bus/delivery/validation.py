"""From a delivery to something a handler can take: tenant, envelope, route and model, or every reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

from shared.bus.routes import Incoming, Route
from shared.contract.words import SERVICES
from shared.messages.envelope import (
    MAX_CLOCK_AHEAD,
    MAX_SOURCE,
    Address,
    Delivery,
    Envelope,
    Refusal,
    attributes_of,
    read_address,
    read_envelope,
)
from shared.messages.ids import is_id
from shared.messages.validation import InvalidInput, Problem, did_you_mean, nearest_word, parse, quoted


@dataclass(frozen=True, slots=True)
class Readable:
    """A message that passed every check that needs no database."""

    route: Route
    envelope: Envelope
    incoming: Incoming[Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that did not. ``address`` is None when its tenant is unknown; ``replies``: this service says so."""

    address: Address | None
    message_id: str | None
    problems: tuple[Problem, ...]
    subject: str | None
    key: str
    replies: bool
    source: str = ""


@dataclass(frozen=True, slots=True)
class Unhandled:
    """A message that no handler is to see: as much of it as has to be told. ``route`` is None when there is none.

    ``is_expired``: nobody waits for it any more. ``death``: tells one death of a message from every other.
    """

    key: str
    route: Route | None
    is_command: bool
    address: Address | None
    message_id: str | None
    source: str
    subject: str | None
    is_expired: bool = False
    death: str = ""

    @property
    def replies(self) -> bool:
        return self.is_command and (self.route is None or self.route.replies)

    @property
    def is_query(self) -> bool:
        return self.route is not None and self.route.query


class Intake:
    """The routes of one service and the checks in front of them. Pure: no broker, no database."""

    def __init__(
        self,
        service: str,
        routes: Sequence[Route],
        user_id_required: bool,
        max_clock_ahead: timedelta = MAX_CLOCK_AHEAD,
    ) -> None:
        self._service = service
        self._routes = {(route.source, route.key): route for route in routes}
        self._user_id_required = user_id_required
        self._max_clock_ahead = max_clock_ahead

    def read(self, delivery: Delivery, received: datetime) -> Readable | Refused:
        try:
            address = read_address(delivery, self._user_id_required)
        except Refusal as refusal:
            return self._refused(delivery, refusal.address, refusal.message_id, refusal.problems)
        route = self._routes.get((delivery.source, address.key))
        if route is None:
            return self._refused(delivery, address, None, (self._no_route(delivery.source, address.key),))
        try:
            envelope = read_envelope(delivery, address, received, self._max_clock_ahead)
        except Refusal as refusal:
            return self._refused(delivery, address, refusal.message_id, refusal.problems)
        try:
            body: BaseModel = parse(route.model, envelope.data)
        except InvalidInput as invalid:
            return self._refused(delivery, address, envelope.id, invalid.problems, envelope.subject)
        athlete = getattr(body, "athlete", None)
        if delivery.source == "command" and athlete is not None and envelope.subject not in (None, athlete):
            other = f"ce-subject is {quoted(envelope.subject)}, and the athlete is {quoted(athlete)}"
            mismatch = Problem("/athlete", "subject_mismatch", other)
            return self._refused(delivery, address, envelope.id, (mismatch,), athlete)
        incoming = Incoming(
            tenant=address.tenant,
            id=envelope.id,
            key=address.key,
            time=envelope.time,
            body=body,
            subject=envelope.subject,
            correlation_id=address.correlation_id,
        )
        return Readable(route, envelope, incoming)

    def read_dead(self, delivery: Delivery, received: datetime) -> Readable | Refused | Unhandled:
        """What the broker gave up; nobody looks into it, for that may be what killed its consumers."""
        dead = self.identify(delivery)
        if delivery.died != "expired" or not dead.is_command:
            return dead
        # An athlete put or erased in three of four services would be neither: what all of them hear, all of them do.
        if dead.route is not None and not dead.route.expires:
            return self.read(delivery, received)
        return replace(dead, is_expired=True)

    def identify(self, delivery: Delivery) -> Unhandled:
        try:
            address: Address | None = read_address(delivery, self._user_id_required)
        except Refusal:
            address = None
        key = delivery.routing_key.partition(".")[2]
        attributes = attributes_of(delivery)
        identity, subject = (_id_in(attributes.get(name)) for name in ("id", "subject"))
        told = f"{delivery.headers.get('x-death')}\n{delivery.routing_key}\n{identity}\n".encode() + delivery.body
        return Unhandled(
            key,
            self._routes.get((delivery.source, key)),
            delivery.source == "command",
            address,
            identity,
            str(attributes.get("source", ""))[:MAX_SOURCE],
            subject,
            death=sha256(told).hexdigest(),
        )

    def _refused(
        self,
        delivery: Delivery,
        address: Address | None,
        message_id: str | None,
        problems: tuple[Problem, ...],
        subject: str | None = None,
    ) -> Refused:
        key = delivery.routing_key.partition(".")[2]
        route = self._routes.get((delivery.source, key))
        replies = route.replies if route is not None else True
        source = str(attributes_of(delivery).get("source", ""))[:MAX_SOURCE] if message_id else ""
        return Refused(address, message_id, problems, subject, key, replies and delivery.source == "command", source)

    def _no_route(self, source: str, key: str) -> Problem:
        service, _, name = key.partition(".")
        subjects = {route.key.partition(".")[0] for route in self._routes.values() if route.source == source}
        if source == "command" and service not in subjects:  # the broker hands us what nobody else takes
            known = sorted({*subjects, *SERVICES})
            nearest = nearest_word(service, known)
            meant = f"; did you mean '{nearest}.{name}'?" if nearest else f"; there are {', '.join(known)}"
            is_one = f"{service} has not been set up on this broker" if service in known else None
            return Problem("", "unknown_message", is_one or f"no service is called {quoted(service)}{meant}")
        keys = sorted(route.key for route in self._routes.values() if route.source == source)
        return Problem("", "unknown_message", f"{self._service} takes no {quoted(key)}{did_you_mean(key, keys)}")


def _id_in(value: Any) -> str | None:
    return value if isinstance(value, str) and is_id(value) else None
