"""From a delivery to something a handler can take: tenant, envelope, route and model, or every reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from shared.bus.routes import Incoming, Route
from shared.messages.envelope import (
    MAX_CLOCK_AHEAD,
    Address,
    Delivery,
    Envelope,
    Refusal,
    read_address,
    read_envelope,
)
from shared.messages.validation import InvalidInput, Problem, did_you_mean, parse, quoted


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
        return Refused(address, message_id, problems, subject, key, replies and delivery.source == "command")

    def _no_route(self, source: str, key: str) -> Problem:
        keys = sorted(route.key for route in self._routes.values() if route.source == source)
        return Problem("", "unknown_message", f"{self._service} takes no {quoted(key)}{did_you_mean(key, keys)}")
