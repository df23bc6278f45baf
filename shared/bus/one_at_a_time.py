"""Handlers written for several messages at once, as the bus wants them for one."""

from collections.abc import Sequence
from typing import Any

from shared.bus.routes import Accepted, Answered, Context, Handle, HandleMany, Incoming, Rejected

Call = tuple[Context, Incoming[Any]]
Outcomes = Sequence[Accepted | Answered | Rejected | None]


def alone(handle_many: HandleMany) -> Handle:
    """``Route.handle`` of a handler of many: one way of doing a thing, however many come at a time."""

    def handle(context: Context, incoming: Incoming[Any]) -> Accepted | Answered | None:
        (outcome,) = handle_many([(context, incoming)])
        if isinstance(outcome, Rejected):
            raise outcome
        return outcome

    return handle
