"""The SQL behind exactly-once effects: inbox, outbox and known tenants, each read and written for a whole batch."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, tuple_, update
from sqlalchemy.orm import Session

from shared.db.bulk import Rows, as_stored, delete_rows, find_rows, find_sql, write_rows
from shared.db.delivery_tables import InboxRow, OutboxRow, TenantRow
from shared.db.inserts import insert_into
from shared.db.tables import table_of
from shared.messages.envelope import Outgoing
from shared.messages.ids import new_id


@dataclass(frozen=True, slots=True)
class Taken:
    """An inbox row: one message, one handler, its outcome."""

    tenant: str
    message_id: str
    handler: str
    body_hash: str
    athlete: str | None
    outcome: str
    reply: bytes | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class ToPublish:
    """An outbox row. ``id`` is the message's ce-id where it has one, so a repeated delivery carries the same id."""

    tenant: str
    id: str
    message: Outgoing
    athlete: str | None
    created_at_ms: int


_IDENTITY = ("tenant", "message_id")
_INBOX, _OUTBOX = table_of(InboxRow), table_of(OutboxRow)


class Ledger:
    """Reads and writes the delivery tables of one service inside somebody else's transaction."""

    def __init__(self) -> None:
        self._known_tenants: set[str] = set()

    TAKEN_SQL = find_sql("inbox", Taken.__slots__, _IDENTITY, ("%(tenants)s", "%(ids)s"))
    """PostgreSQL: what ``taken`` reads, to be asked together with other things; see ``as_taken``."""

    def as_taken(self, found: CursorResult[Any]) -> dict[tuple[str, str], list[Taken]]:
        """The result of TAKEN_SQL as that of ``taken``."""
        return _by_identity(as_stored(_INBOX, tuple(Taken.__slots__), found))

    def taken(self, db: Session, ids: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[Taken]]:
        """Inbox rows of these (tenant, message id) pairs, whatever their handler."""
        return _by_identity(find_rows(db, _INBOX, tuple(Taken.__slots__), _IDENTITY, ids))

    def write(self, db: Session, taken: Sequence[Taken], messages: Sequence[ToPublish], last: bool = False) -> None:
        """All of a batch at once; a row that is already there raises IntegrityError. ``last``: see ``write_rows``."""
        inbox = Rows(_INBOX, tuple(Taken.__slots__), [_inbox_row(row) for row in taken])
        outbox = Rows(_OUTBOX, _OUTBOX_COLUMNS, [_outbox_row(row) for row in messages])
        write_rows(db, (inbox, outbox), last)

    def forget_athlete(self, db: Session, tenant: str, athlete: str) -> None:
        """Strips an erased athlete from the inbox; ids and hashes stay, so that a repetition brings nothing back.

        What is about the athlete and was not sent yet is not sent any more.
        """
        theirs = (InboxRow.tenant == tenant) & (InboxRow.athlete == athlete)
        db.execute(update(_INBOX).where(theirs).values(athlete=None, reply=None))
        db.execute(delete(_OUTBOX).where(OutboxRow.tenant == tenant, OutboxRow.athlete == athlete))

    def forget_taken(self, db: Session, before: datetime, limit: int) -> int:
        """Drops at most ``limit`` inbox rows received before ``before``; returns how many."""
        row = (InboxRow.tenant, InboxRow.message_id, InboxRow.handler)
        old = select(*row).where(InboxRow.received_at < before).limit(limit)
        return cast(CursorResult[Any], db.execute(delete(_INBOX).where(tuple_(*row).in_(old)))).rowcount

    def unpublished(self, db: Session, created_before_ms: int, limit: int) -> list[ToPublish]:
        """The oldest outbox rows, locked against other replicas' sweepers where the database can."""
        query = (
            select(OutboxRow)
            .where(OutboxRow.created_at_ms <= created_before_ms)
            .order_by(OutboxRow.created_at_ms, OutboxRow.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [
            ToPublish(
                row.tenant,
                row.id,
                Outgoing(
                    row.exchange,
                    row.routing_key,
                    json.loads(row.headers),
                    row.body,
                    row.correlation_id,
                    row.content_type,
                ),
                row.athlete,
                row.created_at_ms,
            )
            for row in db.scalars(query)
        ]

    def published(self, db: Session, messages: Sequence[ToPublish], lazily: bool = False) -> None:
        """Forgets what the broker has confirmed. ``lazily``: see ``delete_rows``."""
        ids = [(message.tenant, message.id) for message in messages]
        delete_rows(db, _OUTBOX, ("tenant", "id"), ids, lazily)

    def outbox_is_empty(self, db: Session) -> bool:
        """True when everything committed has reached the broker."""
        return db.execute(select(OutboxRow.id).limit(1)).first() is None

    def remember_tenants(self, db: Session, tenants: Iterable[str], now: datetime) -> set[str]:
        """Notes tenants seen for the first time; give the result to ``tenants_committed`` after the commit."""
        new = set(tenants) - self._known_tenants
        if new:
            stored = set(db.scalars(select(TenantRow.tenant).where(TenantRow.tenant.in_(new))))
            if new - stored:
                rows = [{"tenant": tenant, "first_seen": now} for tenant in sorted(new - stored)]
                # A replica, or this service's other queue, may be noting it too.
                db.execute(insert_into(db, TenantRow).on_conflict_do_nothing(), rows)
        return new

    def tenants_committed(self, tenants: set[str]) -> None:
        self._known_tenants |= tenants

    def tenants(self, db: Session) -> list[str]:
        """Every tenant this service has ever heard from."""
        return list(db.scalars(select(TenantRow.tenant).order_by(TenantRow.tenant)))


def _by_identity(rows: Iterable[Sequence[Any]]) -> dict[tuple[str, str], list[Taken]]:
    found: dict[tuple[str, str], list[Taken]] = {}
    for row in rows:
        taken = Taken(*row)
        found.setdefault((taken.tenant, taken.message_id), []).append(taken)
    return found


def to_publish(tenant: str, message: Outgoing, athlete: str | None, now: datetime) -> ToPublish:
    """An outbox row for ``message``, under its own ce-id."""
    return ToPublish(tenant, message.headers.get("ce-id") or new_id(), message, athlete, int(now.timestamp() * 1000))


_inbox_row = attrgetter(*Taken.__slots__)
_OUTBOX_COLUMNS = (
    "tenant",
    "id",
    "exchange",
    "routing_key",
    "headers",
    "content_type",
    "body",
    "correlation_id",
    "athlete",
    "created_at_ms",
)
_write_headers = json.JSONEncoder().encode


def _outbox_row(row: ToPublish) -> tuple[Any, ...]:
    message = row.message
    return (
        row.tenant,
        row.id,
        message.exchange,
        message.routing_key,
        _write_headers(message.headers).encode(),
        message.content_type,
        message.body,
        message.correlation_id,
        row.athlete,
        row.created_at_ms,
    )
