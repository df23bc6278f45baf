"""Whether a database takes writes: one that only reads, or whose disk is full, answers every question all the same.

It is asked for what writing needs, and what it has lately refused is remembered: the question cannot know of everything
that may be full (a tablespace of its own, a quota).
"""

import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import psycopg2
from sqlalchemy import event, text
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

FULL = "the database's disk is full"
READ_ONLY = "the database is read-only"
_IO = "the database's disk fails"
WRITE_PROBLEMS = frozenset({FULL, READ_ONLY, _IO})
_BY_SQLSTATE = {"53100": FULL, "25006": READ_ONLY, "58030": _IO}
_BY_SQLITE_CODE = {sqlite3.SQLITE_FULL: FULL, sqlite3.SQLITE_READONLY: READ_ONLY, sqlite3.SQLITE_IOERR: _IO}
_LATELY_S = 5.0
"""Whoever was refused tries again within seconds; what nobody was refused for so long is over."""
_SPARE_BYTES = 1024 * 1024

_ASK_POSTGRESQL = text(
    "SET LOCAL work_mem TO '64kB';"
    " SELECT current_setting('transaction_read_only'), count(*) FROM generate_series(1, 40000)"
)
"""What fits in no 64 kB is written to a temporary file, of a megabyte: only so does a full disk tell."""


def why_not_writable(db: Session, url: URL) -> str | None:
    """What ``db``'s database says when it is asked; what it refuses is raised, see ``write_problem``."""
    if db.get_bind().dialect.name == "postgresql":
        return READ_ONLY if db.scalar(_ASK_POSTGRESQL) == "on" else None
    db.execute(text("SELECT 1"))
    if not url.database or url.database == ":memory:":
        return None
    file = Path(url.database)
    if not os.access(file, os.W_OK) or not os.access(file.parent, os.W_OK):
        return READ_ONLY
    return FULL if shutil.disk_usage(file.parent).free < _SPARE_BYTES else None


def write_problem(error: BaseException | None) -> str | None:
    """What ``error`` says of the database's disk; None where it says nothing."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg2.Error):
        return _BY_SQLSTATE.get(cause.pgcode or "")
    code: int | None = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else _BY_SQLITE_CODE.get(code & 0xFF)


class RefusedWrites:
    """What the database has lately refused to write."""

    def __init__(self, *engines: Engine) -> None:
        self._words, self._at = "", 0.0
        for engine in set(engines):
            event.listen(engine, "handle_error", self._note)

    def lately(self) -> str | None:
        return self._words if self._words and time.monotonic() - self._at < _LATELY_S else None

    def _note(self, context: Any) -> None:
        if words := write_problem(context.original_exception):
            self._words, self._at = words, time.monotonic()
