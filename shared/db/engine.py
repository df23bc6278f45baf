"""Opens a service's database: its own file on SQLite, its own schema on PostgreSQL."""

import contextlib
import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any

import psycopg2
import structlog
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.orm import Session

from shared.db import answer_timeouts
from shared.db.batches import DIALECT, LAZILY, TransactionConnection, by_hand
from shared.db.writability import RefusedWrites, why_not_writable, write_problem
from shared.hub import Hub

_log = structlog.get_logger("tandem.database")

SERVICE_PLACEHOLDER = "{service}"
BUSY_TIMEOUT_S = 5.0
_WAITS = f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}"
_READS_ONLY = "tandem_reads_only"
_WITHOUT_WAITING = text(LAZILY)
_WRITERS: dict[str, Lock] = {}
"""By SQLite file."""


class _KeepingSession(Session):
    """Holds on to what was loaded: a Session alone holds objects weakly."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.loaded: set[object] = set()


@event.listens_for(_KeepingSession, "loaded_as_persistent")
@event.listens_for(_KeepingSession, "pending_to_persistent")
def _keep(session: _KeepingSession, instance: object) -> None:
    session.loaded.add(instance)


class Database:
    """One service's database. ``url`` may hold ``{service}``: on SQLite each service has its own file.

    ``durable``: SQLite flushes every commit to the disk, so that what was acknowledged survives a power cut; the
    embedded runner, whose broker is memory anyway, does without.
    ``answers_within_s``, ``idle_within_s``: see shared.db.answer_timeouts; None waits as long as it takes.
    ``pool``: connections to PostgreSQL that are kept open; for a moment there may be twice as many.
    ``hub``: None where nothing else runs in this process; then every wait takes as long as it takes.
    """

    def __init__(
        self,
        service: str,
        url: str,
        durable: bool = True,
        answers_within_s: float | None = None,
        idle_within_s: float | None = None,
        pool: int = 5,
        hub: Hub | None = None,
    ) -> None:
        self.service = service
        self._hub = hub
        self.url = service_url(url, service)
        if self.is_sqlite:
            self.engine = _sqlite(self.url, "FULL" if durable else "OFF")
            self._lazy_engine = _sqlite(self.url, "NORMAL") if durable and _is_file(self.url) else self.engine
        else:
            self.engine = self._lazy_engine = _postgresql(self.url, service, answers_within_s, idle_within_s, pool, hub)
        self._refused = RefusedWrites(self.engine, self._lazy_engine)
        # SQLite has one writer. Two greenlets of one process that wait for each other inside sqlite3 would stop the
        # whole hub until the busy timeout, so they queue here instead, whichever object they came by.
        self._writer = _WRITERS.setdefault(str(self.url), Lock()) if self.is_sqlite else nullcontext()

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def transaction(self, keeps_loaded: bool = False, durable: bool = True) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        ``keeps_loaded``: what one message of a batch has loaded is still there for the next (SQLAlchemy holds objects
        weakly, so each message would read the same rows again).
        ``durable``: False does not wait for the disk; a power cut (a killed process not) may undo what was committed.
        """
        engine = self.engine if durable else self._lazy_engine
        kind = _KeepingSession if keeps_loaded else Session
        with self._writer, kind(engine, expire_on_commit=False) as session, session.begin():
            if not durable and not self.is_sqlite:
                session.execute(_WITHOUT_WAITING)
            yield session

    @contextmanager
    def batch(self, durable: bool = True, is_hurried: bool = False) -> Iterator[Session]:
        """As ``transaction`` that keeps what was loaded. ``is_hurried``: see ``answer_timeouts.hurry``.

        On PostgreSQL the first statement has to begin with LAZILY where it is not ``durable``.
        """
        if self.is_sqlite:
            with self.transaction(keeps_loaded=True, durable=durable) as session:
                yield session
            return
        # SQLAlchemy knows of no transaction here: what it would end is ended already.
        with _KeepingSession(self.engine, expire_on_commit=False) as session, by_hand(session, is_hurried):
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Reads only, and waits for no writer."""
        with Session(self.engine.execution_options(**{_READS_ONLY: True})) as session, session.begin():
            yield session

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """What is done in the block ends in time, or with a TimeoutError."""
        return nullcontext() if self._hub is None else self._hub.within(seconds)

    def problem(self, within_s: float) -> str | None:
        """Why the database cannot be used right now, without addresses or names of users; None when it can."""
        try:
            with self.within(within_s), self.reading() as session:
                told = why_not_writable(session, self.url)
        except TimeoutError:
            return f"the database does not answer in {within_s:g} s"
        except SQLAlchemyError as error:
            told = write_problem(error)
            return told or f"the database refuses: {type(error).__name__}"
        return told or self._refused.lately()

    def answers(self) -> bool:
        """Whether a statement can be run: after a failure, what tells a database that is away from a mistake."""
        try:
            with self.transaction() as session:
                session.execute(text("SELECT 1"))
        except DBAPIError:
            _log.warning("the database does not answer", service=self.service, exc_info=True)
            return False
        return True

    def is_away(self, error: DBAPIError) -> bool:
        """Whether ``error`` tells of the database, gone or taking no writes, and of no mistake: waiting mends it."""
        return write_problem(error) is not None or not self.answers()

    def wipe(self) -> None:
        """SQLite: empties the write-ahead log, which still holds what was deleted. While somebody reads, in part."""
        if self.is_sqlite:
            with self._writer, contextlib.closing(self.engine.raw_connection()) as connection:
                cursor = connection.cursor()
                cursor.execute("PRAGMA busy_timeout=0")  # waiting for a reader would stop the whole hub
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                cursor.execute(_WAITS)

    def dispose(self) -> None:
        self.engine.dispose()
        self._lazy_engine.dispose()


def service_url(url: str, service: str) -> URL:
    """The address of one service's database, always with the driver that is cooperative under eventlet."""
    parsed = make_url(url.replace(SERVICE_PLACEHOLDER, service))
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg2")
    return parsed


def _is_file(url: URL) -> bool:
    return url.database not in (None, "", ":memory:")


def _sqlite(url: URL, synchronous: str) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # Green threads share the hub's thread but may run pure work off it; a connection is never used by two at once.
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours, see below
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "secure_delete=ON",  # not every build's default; without it an erased athlete stays readable in the file
        ):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(_WAITS)

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # A transaction that starts by reading and then writes fails at once when another process wrote in between.
        connection.exec_driver_sql("BEGIN" if _READS_ONLY in connection.get_execution_options() else "BEGIN IMMEDIATE")

    return engine


_NOTICES_A_DEAD_SERVER = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""Seconds, seconds, probes, milliseconds: a machine that vanished closes no connection; without this a statement sent
to it would wait for ever."""


_IDLE_S = 1.0
"""A connection that was used this moment is not asked whether it still lives: one round trip less for each transaction,
and a message that fails for it is tried again."""


def _postgresql(
    url: URL, schema: str, answers_within_s: float | None, idle_within_s: float | None, pool: int, hub: Hub | None
) -> Engine:
    # Told to each transaction, not to the session: behind PgBouncer a session has no options, and serves everybody.
    opening = f'BEGIN; SET LOCAL search_path TO "{schema}"; {answer_timeouts.limits(answers_within_s, idle_within_s)}'
    kind: type[Any] = TransactionConnection
    if answers_within_s is not None and hub is not None:
        kind = answer_timeouts.bounded_connection(kind, answers_within_s, hub)
    engine = create_engine(
        url.set(drivername=DIALECT),
        opening=opening,
        connect_args={"connection_factory": kind, "connect_timeout": 10, **_NOTICES_A_DEAD_SERVER},
        pool_size=pool,
        max_overflow=pool,
        pool_timeout=10,
        hide_parameters=True,  # parameters hold health data, and errors reach the logs
        executemany_mode="values_plus_batch",
    )

    @event.listens_for(engine, "checkin")
    def _note_use(_connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ask_after_idling(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("used", math.inf) <= _IDLE_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg2.Error as error:
            raise InvalidatePoolError from error  # the others are from the same time; the pool opens new ones

    return engine


def create_schema(database: Database) -> None:
    """PostgreSQL: makes the service's schema when it is missing. SQLite needs none."""
    if not database.is_sqlite:
        with database.engine.begin() as connection:
            connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{database.service}"'))
