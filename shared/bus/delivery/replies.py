"""What a sender hears of its command or query: accepted, rejected or answered; and a reply that comes later."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from shared.bus.routes import Accepted, Answered
from shared.messages.envelope import Outgoing, outgoing, type_of
from shared.messages.ids import new_id
from shared.messages.problems import Problem

ReplyKind = Literal["accepted", "rejected", "answered"]

DEFAULT_EXCHANGE = ""
"""AMQP's own: the routing key is a queue's name; only replies go there."""


@runtime_checkable
class RepliesLater(Protocol):
    """The part of the context that such a handler needs on top of ``handling.Context``."""

    def reply_address(self) -> dict[str, str] | None: ...

    def reply_late(self, address: Mapping[str, str], outcome: Accepted | Answered) -> None: ...


def reply_message(
    service: str,
    time: datetime,
    word: ReplyKind,
    data: Mapping[str, Any],
    *,
    key: str,
    message_id: str | None,
    reply_to: str,
    correlation_id: str,
) -> Outgoing:
    """The reply to message ``message_id`` with routing key ``key``; an answer's data is the handler's alone."""
    return outgoing(
        exchange=DEFAULT_EXCHANGE,
        routing_key=reply_to,
        id=new_id(),
        source=f"/tandem/{service}",
        type=type_of(f"{key}.{word}"),
        time=time,
        subject=None,
        data=data if word == "answered" else {"message": message_id, **data},
        correlation_id=correlation_id,
    )


def errors(problems: Sequence[Problem]) -> dict[str, list[dict[str, str]]]:
    """A rejection's data."""
    return {"errors": [problem.as_json() for problem in problems]}
