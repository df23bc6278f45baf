"""The work that every case does: 1 KB of JSON, checked by pydantic, upserted, told on by an event.

A run's messages are the same for every case: 95 % valid, 4 % that the model refuses, 1 % repetitions of an earlier
message under its own id.
"""

import json
import os
import random
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import BigInteger, Column, Float, Integer, MetaData, String, Table

TENANT = "guest"
"""Also the broker's user, as for every tenant."""
KEY = "bench.record"
QUEUE = "bench.commands"
EVENT_KEY = f"{TENANT}.bench.recorded"
SINK = "bench.sink"
COMMANDS, EVENTS = "tandem.commands", "tandem.events"

INVALID, DUPLICATE = 0.04, 0.01
ATHLETES = 500

Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.:-]{1,128}$")]


class Lap(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    seconds: Annotated[float, Field(gt=0, le=86_400)]
    metres: Annotated[float, Field(ge=0)]
    heart_rate: Annotated[int, Field(ge=20, le=260)]


class Record(BaseModel):
    """A run as a watch tells it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    athlete: Name
    session: Name
    kind: Literal["run", "lift", "other"]
    start: datetime
    rpe: Annotated[float, Field(ge=0, le=10)]
    revision: int
    laps: Annotated[list[Lap], Field(max_length=200)]
    note: Annotated[str, Field(max_length=2000)] = ""


metadata = MetaData()
sessions = Table(
    "session",
    metadata,
    Column("tenant", String(40), primary_key=True),
    Column("athlete", String(128), primary_key=True),
    Column("session", String(128), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("rpe", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("metres", Float, nullable=False),
    Column("revision", Integer, nullable=False),
)
COLUMNS = tuple(column.name for column in sessions.columns)
_PLACES = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[3:])


ON_CONFLICT = (
    f"ON CONFLICT (tenant, athlete, session) DO UPDATE SET {_PLACES} WHERE session.revision <= excluded.revision"
)


def upsert_sql(placeholder: str) -> str:
    """The same statement for every driver; ``placeholder``: ``?``, ``%s``, ``:`` (named) or ``$`` (numbered)."""
    marks = {
        ":": [f":{name}" for name in COLUMNS],
        "$": [f"${number}" for number in range(1, len(COLUMNS) + 1)],
    }.get(placeholder, [placeholder] * len(COLUMNS))
    return f"INSERT INTO session ({', '.join(COLUMNS)}) VALUES ({', '.join(marks)}) {ON_CONFLICT}"


def newest(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Of each session one row, the last of its highest revision: PostgreSQL's upsert of many takes a key once only."""
    return list({row[:3]: row for row in sorted(rows, key=itemgetter(-1))}.values())


def row_of(record: Record) -> tuple[Any, ...]:
    """What is stored of a record, in the order of COLUMNS."""
    return (
        TENANT,
        record.athlete,
        record.session,
        record.kind,
        int(record.start.timestamp()),
        record.rpe,
        sum(lap.seconds for lap in record.laps),
        sum(lap.metres for lap in record.laps),
        record.revision,
    )


def event_of(record: Record) -> dict[str, Any]:
    """What the event says."""
    return {"athlete": record.athlete, "session": record.session, "revision": record.revision, "rpe": record.rpe}


SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000")
"""For every case: what was acknowledged survives a power cut."""


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery to be made. ``valid``: the model takes it; ``repeats``: sent before."""

    id: str
    body: bytes
    headers: Mapping[str, str]
    valid: bool
    repeats: bool


def messages(count: int, seed: int, run: str) -> list[Message]:
    """``count`` messages of about 1 KB; ids begin with ``run``."""
    chance = random.Random(seed)
    made: list[Message] = []
    for number in range(count):
        draw = chance.random()
        if draw < DUPLICATE and made:
            again = made[chance.randrange(max(0, len(made) - 1000), len(made))]
            made.append(Message(again.id, again.body, again.headers, again.valid, True))
        else:
            valid = draw >= DUPLICATE + INVALID
            made.append(_message(f"{run}-{number}", chance, valid))
    return made


def _message(identity: str, chance: random.Random, valid: bool) -> Message:
    athlete = f"athlete-{chance.randrange(ATHLETES)}"
    laps = [
        {
            "seconds": round(chance.uniform(200, 400), 2),
            "metres": round(chance.uniform(900, 1100), 1),
            "heart_rate": chance.randrange(110, 190),
        }
        for _ in range(12)
    ]
    body = {
        "athlete": athlete,
        "session": identity,
        "kind": "run",
        "start": "2026-03-02T06:30:00+01:00",
        "rpe": round(chance.uniform(1, 9), 1) if valid else 11,
        "revision": 1,
        "laps": laps,
        "note": "felt fine ",
    }
    body["note"] = "felt fine " + "x" * max(0, 1024 - len(json.dumps(body)))
    headers = {
        "ce-id": identity,
        "ce-source": "/bench",
        "ce-type": f"tandem.{KEY}.v1",
        "ce-specversion": "1.0",
        "ce-time": datetime.now(UTC).isoformat(),
        "ce-subject": athlete,
    }
    return Message(identity, json.dumps(body).encode(), headers, valid, False)


def event_headers(identity: str) -> dict[str, str]:
    """Of the peers' events, so that theirs are as large as ours."""
    return {
        "ce-id": identity,
        "ce-source": "/bench",
        "ce-type": "tandem.bench.recorded.v1",
        "ce-specversion": "1.0",
        "ce-time": datetime.now(UTC).isoformat(),
    }


def run_or_tell(settings: str, run: Callable[[], object]) -> None:
    """The end of every case's file: runs it, or, with ``--settings``, only says how it is set up."""
    if "--settings" in sys.argv:
        print(settings)
    else:
        sys.exit(run())


def amqp_uri() -> str:
    return os.environ.get("BENCH_AMQP_URI", "amqp://")


def database() -> str:
    """``sqlite:///PATH`` or ``postgresql://…``; the table is already there."""
    return os.environ["BENCH_DATABASE"]


def sqlite_path() -> str | None:
    url = database()
    return url.removeprefix("sqlite:///") if url.startswith("sqlite:") else None
