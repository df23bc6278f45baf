"""What PostgreSQL's own log holds of the services' sessions: no statement, no row, no value.

psycopg2 writes values into its statements, and the server quotes them: the statement of an error, a duplicate's key in
its detail, an unreadable number in the message itself. Only a superuser may say how a role is logged, so ``tandem db
upgrade`` does it where it is one, and ``tandem doctor`` tells what is left to do. Errors are in the services' own logs,
by their type. Source: PostgreSQL manual, section 20.8 (error reporting and logging).
"""

import contextlib

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

SETTINGS = {"log_min_messages": "fatal", "log_min_error_statement": "panic", "log_error_verbosity": "terse"}
"""Nothing below FATAL, which tells of sessions and not of rows; never a statement; never a detail."""


def keep_values_out(connection: Connection, role: str | None = None) -> bool:
    """Sets it for ``role`` (this connection's own where None), from its next session on; says whether we may."""
    if role is None:
        role = str(connection.scalar(text("SELECT current_user")))
    with contextlib.suppress(DBAPIError), connection.begin_nested():
        for statement in _statements(role):
            connection.exec_driver_sql(statement)
        return True
    return False


def cure(connection: Connection) -> str | None:
    """SQL for a superuser that keeps values of this connection's role out of the log; None where they are."""
    found = {name: connection.scalar(text(f"SHOW {name}")) for name in SETTINGS}
    if found == SETTINGS:
        return None
    return "; ".join(_statements(str(connection.scalar(text("SELECT current_user")))))


def _statements(role: str) -> list[str]:
    name = '"' + role.replace('"', '""') + '"'
    return [f"ALTER ROLE {name} SET {setting} = '{value}'" for setting, value in SETTINGS.items()]
