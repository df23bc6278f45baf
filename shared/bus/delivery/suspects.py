"""Tells the message that kills its service from those that were merely in hand when it died.

The broker counts a death against everything it had handed over. So what it has delivered in vain a few times is handled
alone: nothing else of this process runs beside it, and that it was begun stands in the inbox before its handler starts.
Whoever dies in between leaves that mark behind; a message that was begun so often and never ended is the one.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Condition
from typing import Final

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.bus.delivery.inbox import BEGUN, Identity
from shared.db.delivery_tables import InboxRow
from shared.db.engine import Database
from shared.db.upserts import upsert

SUSPECT_AFTER: Final = 2
"""Deliveries in vain, of topology.DELIVERY_LIMIT, after which a message may be one that kills its service."""
DEATHS: Final = 3
"""Deaths while it alone was handled that prove it. One may be an operator's kill -9, or a machine's end."""


class KillsService(Exception):
    """The message is the one; said of it when it is parked."""

    def __init__(self) -> None:
        super().__init__(f"the service died {DEATHS} times while it handled this message and nothing else")


class Alone:
    """Many may be ``beside`` each other, one ``alone`` with nobody beside it."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._beside = 0
        self._waiting = 0
        self._alone = False

    @contextmanager
    def beside(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not (self._alone or self._waiting))
            self._beside += 1
        try:
            yield
        finally:
            with self._changed:
                self._beside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: not (self._alone or self._beside))
            self._waiting -= 1
            self._alone = True
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()


HANDLING: Final = Alone()
"""Of this process: what one service handles may kill the others that run in it."""


class Suspects:
    """The marks of one service."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begun_here: Identity | None = None

    def begin(self, identity: Identity, now: datetime) -> None:
        """Marks it as begun, once for each process that does. Raises KillsService, and what the database raises."""
        if self._begun_here == identity:
            return  # the database went away meanwhile: the same process tries again
        with self._database.transaction() as db:
            found = db.scalar(select(InboxRow.outcome).where(*_mark(identity)))
            deaths = int(found or 0)
            if deaths >= DEATHS:
                raise KillsService
            tenant, message_id = identity
            outcome = str(deaths + 1)
            row = {
                "tenant": tenant,
                "message_id": message_id,
                "source": "",
                "handler": BEGUN,
                "body_hash": "",
                "outcome": outcome,
                "received_at": now,
            }
            upsert(db, InboxRow, row, {"outcome": outcome})
        self._begun_here = identity

    def end(self, identity: Identity) -> None:
        """Nobody died of it. Where the database does not let us say so, the mark grows old and goes."""
        self._begun_here = None
        with suppress(DBAPIError, PoolTimeout), self._database.transaction() as db:
            db.execute(delete(InboxRow).where(*_mark(identity)))


def _mark(identity: Identity) -> tuple[ColumnElement[bool], ...]:
    tenant, message_id = identity
    return InboxRow.tenant == tenant, InboxRow.message_id == message_id, InboxRow.handler == BEGUN
