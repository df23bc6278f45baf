"""A batch's transaction on PostgreSQL: BEGIN travels with its first statement and COMMIT with its last.

psycopg2 sends both on their own, and each wait for the server costs a busy service more than a statement does. The
server ends a series of statements at the first that fails, so a COMMIT behind a failed one is never reached.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, SQLAlchemyError
from sqlalchemy.orm import Session

from shared.db.answer_timeouts import hurry

BEGIN = "BEGIN; "
"""What the first statement of ``by_hand`` begins with."""
BEGIN_LAZILY = BEGIN + "SET LOCAL synchronous_commit TO off; "
"""The same, where nobody waits for the disk: a power cut (a killed process not) may undo what is committed."""
COMMIT = "; COMMIT"
"""What the last one may end with; nothing may be left to be flushed."""


@contextlib.contextmanager
def by_hand(session: Session, is_hurried: bool = False) -> Iterator[None]:
    """Lets what is executed begin and end the transaction; ends what was begun and not ended, by COMMIT or by ROLLBACK.

    A connection whose transaction cannot be ended is closed, which rolls it back; it never goes back to the pool open.
    ``is_hurried``: see ``answer_timeouts.hurry``.
    """
    connection = session.connection()
    try:
        # psycopg2's own switch: SQLAlchemy's isolation levels ask the server to change its default, there and back.
        _driver_of(connection).autocommit = True
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
            with contextlib.suppress(psycopg2.InterfaceError):  # closed: the pool finds that out
                _driver_of(connection).autocommit = False


def _is_open(connection: Connection) -> bool:
    if connection.closed or connection.invalidated:
        return False
    driver = _driver_of(connection)
    return not driver.closed and bool(driver.info.transaction_status != TRANSACTION_STATUS_IDLE)


def _driver_of(connection: Connection) -> Any:
    return connection.connection.driver_connection
