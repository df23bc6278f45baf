"""Transactions on PostgreSQL: BEGIN travels with the first statement, and a batch's COMMIT with its last.

psycopg2 sends both on their own, and each wait for the server costs a busy service more than a statement does. The
server ends a series of statements at the first that fails, so a COMMIT behind a failed one is never reached.

With BEGIN travels what a transaction needs to know, the schema to begin with. None of it belongs to the session: a
pooler such as PgBouncer in transaction mode gives each transaction whichever session is free.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as DriverConnection
from sqlalchemy import Connection
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import InterfaceError, SQLAlchemyError
from sqlalchemy.orm import Session

from shared.db.answer_timeouts import hurry

LAZILY = "SET LOCAL synchronous_commit TO off; "
"""Nobody waits for the disk: a power cut (a killed process not) may undo what the transaction commits."""
COMMIT = "; COMMIT"
"""What the last statement of ``by_hand`` may end with; nothing may be left to be flushed."""


class TransactionConnection(DriverConnection):  # type: ignore[misc]  # psycopg2 ships no types
    """``opening``: what the next statement has to begin with."""

    opening = ""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.autocommit = True


class TransactionDialect(PGDialect_psycopg2):
    """Begins and ends transactions itself. ``opening``: how each begins."""

    supports_statement_cache = True

    def __init__(self, opening: str = "BEGIN; ", **options: Any) -> None:
        untyped: Any = super()
        untyped.__init__(**options)
        self._opening = opening

    def do_begin(self, dbapi_connection: Any) -> None:
        dbapi_connection.driver_connection.opening = self._opening

    def do_commit(self, dbapi_connection: Any) -> None:
        _end(dbapi_connection, "COMMIT")

    def do_rollback(self, dbapi_connection: Any) -> None:
        _end(dbapi_connection, "ROLLBACK")

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        cursor.execute(_opened(cursor) + statement, parameters)

    def do_execute_no_params(self, cursor: Any, statement: str, context: Any = None) -> None:
        cursor.execute(_opened(cursor) + statement)

    def do_executemany(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        if opening := _opened(cursor):
            cursor.execute(opening)
        untyped: Any = super()
        untyped.do_executemany(cursor, statement, parameters, context)


DIALECT = "postgresql+tandem"
registry.register("postgresql.tandem", __name__, TransactionDialect.__name__)


def _opened(cursor: Any) -> str:
    opening: str = cursor.connection.opening
    cursor.connection.opening = ""
    return opening


def _end(dbapi_connection: Any, how: str) -> None:
    driver = dbapi_connection.driver_connection
    driver.opening = ""
    if driver.info.transaction_status != TRANSACTION_STATUS_IDLE:
        with driver.cursor() as cursor:
            cursor.execute(how)


@contextlib.contextmanager
def by_hand(session: Session, is_hurried: bool = False) -> Iterator[None]:
    """Lets what is executed end the transaction; ends what was begun and not ended, by COMMIT or by ROLLBACK.

    A connection whose transaction cannot be ended is closed, which rolls it back; it never goes back to the pool open.
    ``is_hurried``: see ``answer_timeouts.hurry``.
    """
    connection = session.connection()
    try:
        hurry(_driver_of(connection), is_hurried)
    except psycopg2.Error as error:
        connection.invalidate(error)
        raise InterfaceError("BEGIN", {}, error, connection_invalidated=True) from error
    try:
        yield
        session.flush()
        if _is_open(connection):
            connection.exec_driver_sql("COMMIT")
    finally:
        if _is_open(connection):
            with contextlib.suppress(SQLAlchemyError, psycopg2.Error):
                connection.exec_driver_sql("ROLLBACK")
            if _is_open(connection):
                connection.invalidate()
        if not connection.invalidated:
            hurry(_driver_of(connection), False)


def _is_open(connection: Connection) -> bool:
    if connection.closed or connection.invalidated:
        return False
    driver = _driver_of(connection)
    return not driver.closed and bool(driver.info.transaction_status != TRANSACTION_STATUS_IDLE)


def _driver_of(connection: Connection) -> Any:
    return connection.connection.driver_connection
