"""The smallest service there can be: counts repetitions per athlete. What is tested with it is the bus."""

import os
import signal
import time

from sqlalchemy import Integer, String, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.bus.routes import (
    APPLIED,
    Accepted,
    Answered,
    Context,
    Incoming,
    Later,
    Rejected,
    RepliesLater,
    Route,
    Timer,
)
from shared.bus.transport.nameko_service import tandem_service
from shared.db.common_tables import service_metadata
from shared.db.tables import COLUMN_TYPES
from shared.messages.validation import Problem
from shared.messages.values import Id, Value


class Table(DeclarativeBase):
    metadata = service_metadata()
    type_annotation_map = COLUMN_TYPES


class Count(Table):
    __tablename__ = "count"
    tenant: Mapped[str] = mapped_column(String(40), primary_key=True)
    athlete: Mapped[str] = mapped_column(String(128), primary_key=True)
    repetitions: Mapped[int] = mapped_column(Integer)


class Add(Value):
    athlete: Id
    repetitions: int


class Get(Value):
    athlete: Id


class Seen(Value):
    athlete: Id
    total: int


_failed_before: set[str] = set()


def _burn(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def add(context: Context, incoming: Incoming[Add]) -> Accepted:
    body = incoming.body
    count = context.db.get(Count, (context.tenant, body.athlete))
    if count is None:
        count = Count(tenant=context.tenant, athlete=body.athlete, repetitions=0)
        context.db.add(count)
    count.repetitions += body.repetitions
    if body.repetitions == 13:
        context.db.flush()
        raise Rejected([Problem("/repetitions", "unlucky", "13 is not taken")])
    if body.repetitions == 666 and "FAULT_MENDED" not in os.environ:
        raise RuntimeError("this handler has a mistake")
    if body.repetitions == 777 and body.athlete not in _failed_before:
        _failed_before.add(body.athlete)
        raise OperationalError("UPDATE count", {}, Exception("deadlock detected"))
    if body.repetitions == 555:
        _burn(3.0)
    if body.repetitions == 999:
        os.kill(os.getpid(), signal.SIGKILL)
    context.emit("added", {"athlete": body.athlete, "total": count.repetitions}, body.athlete)
    return Accepted(APPLIED, {"total": count.repetitions})


def get(context: Context, incoming: Incoming[Get]) -> Answered:
    count = context.db.get(Count, (context.tenant, incoming.body.athlete))
    if count is None:
        raise Rejected([Problem("/athlete", "unknown_athlete", "no such athlete")])
    return Answered({"athlete": count.athlete, "repetitions": count.repetitions})


def seen(context: Context, incoming: Incoming[Seen]) -> None:
    context.emit("echoed", {"total": incoming.body.total}, incoming.body.athlete)


def ask_later(context: Context, incoming: Incoming[Get]) -> Later:
    assert isinstance(context, RepliesLater)
    address = context.reply_address()
    if address is not None:
        context.reply_late(address, Accepted(APPLIED, {"late": True}))
    return Later()


def tick(context: Context) -> list[str]:
    total = sum(context.db.scalars(select(Count.repetitions).where(Count.tenant == context.tenant)))
    context.emit("ticked", {"total": total}, None)
    return []


ROUTES = (
    Route("command", "toy.add", Add, add),
    Route("command", "toy.get", Get, get, query=True),
    Route("command", "toy.later", Get, ask_later),
    Route("event", "toy.added", Seen, seen),
)
TIMERS = (Timer("tick", 3600.0, tick),)

ToyService = tandem_service("toy", ROUTES, TIMERS, Table.metadata)
