"""The inbox: which messages were taken, by which handler and with what outcome, so that a repetition has no effect."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, tuple_, update
from sqlalchemy.orm import Session

from shared.db.bulk import Rows, as_stored, find_rows, find_sql
from shared.db.delivery_tables import InboxRow
from shared.db.tables import table_of

Identity = tuple[str, str]
"""(tenant, message id)."""


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One message, one handler, its outcome."""

    tenant: str
    message_id: str
    handler: str
    body_hash: str
    athlete: str | None
    outcome: str
    reply: bytes | None
    received_at: datetime


_COLUMNS = tuple(InboxEntry.__slots__)
_IDENTITY = ("tenant", "message_id")
_TABLE = table_of(InboxRow)
_values = attrgetter(*_COLUMNS)


class Inbox:
    FIND_SQL = find_sql("inbox", _COLUMNS, _IDENTITY, ("%(tenants)s", "%(ids)s"))
    """PostgreSQL: what ``find`` reads, to be asked together with other things; see ``from_sql``."""

    def find(self, db: Session, ids: Sequence[Identity]) -> dict[Identity, list[InboxEntry]]:
        """The rows of these messages, whatever their handler."""
        return _by_identity(find_rows(db, _TABLE, _COLUMNS, _IDENTITY, ids))

    def from_sql(self, result: CursorResult[Any]) -> dict[Identity, list[InboxEntry]]:
        """The result of FIND_SQL as that of ``find``."""
        return _by_identity(as_stored(_TABLE, _COLUMNS, result))

    def rows(self, rows: Sequence[InboxEntry]) -> Rows:
        """To be written."""
        return Rows(_TABLE, _COLUMNS, [_values(row) for row in rows])

    def strip_athlete(self, db: Session, tenant: str, athlete: str) -> None:
        """Ids and hashes of an erased athlete's messages stay, so that a repetition brings nothing back."""
        theirs = (InboxRow.tenant == tenant) & (InboxRow.athlete == athlete)
        db.execute(update(_TABLE).where(theirs).values(athlete=None, reply=None))

    def delete_older(self, db: Session, before: datetime, limit: int) -> int:
        """Deletes at most ``limit`` rows received before ``before``; returns how many."""
        row = (InboxRow.tenant, InboxRow.message_id, InboxRow.handler)
        old = select(*row).where(InboxRow.received_at < before).limit(limit)
        return cast(CursorResult[Any], db.execute(delete(_TABLE).where(tuple_(*row).in_(old)))).rowcount


def _by_identity(rows: Iterable[Sequence[Any]]) -> dict[Identity, list[InboxEntry]]:
    by_identity: dict[Identity, list[InboxEntry]] = {}
    for values in rows:
        row = InboxEntry(*values)
        by_identity.setdefault((row.tenant, row.message_id), []).append(row)
    return by_identity
