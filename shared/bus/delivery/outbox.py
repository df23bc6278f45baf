"""The outbox: what is committed and not yet confirmed by the broker."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from shared.db.bulk import Rows, delete_rows
from shared.db.delivery_tables import OutboxRow
from shared.db.tables import table_of
from shared.messages.envelope import Outgoing
from shared.messages.ids import new_id

_COLUMNS = (
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
_TABLE = table_of(OutboxRow)
_write_headers = json.JSONEncoder().encode


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """``id`` is the message's ce-id where it has one, so a repeated delivery carries the same id."""

    tenant: str
    id: str
    message: Outgoing
    athlete: str | None
    created_at_ms: int


def outbox_entry(tenant: str, message: Outgoing, athlete: str | None, now: datetime) -> OutboxEntry:
    """A row for ``message``, under its own ce-id."""
    return OutboxEntry(tenant, message.headers.get("ce-id") or new_id(), message, athlete, int(now.timestamp() * 1000))


class Outbox:
    def rows(self, rows: Sequence[OutboxEntry]) -> Rows:
        """To be written."""
        return Rows(_TABLE, _COLUMNS, [_values(row) for row in rows])

    def unpublished(self, db: Session, created_before_ms: int, limit: int) -> list[OutboxEntry]:
        """The oldest rows, locked against other replicas' sweepers where the database can."""
        query = (
            select(OutboxRow)
            .where(OutboxRow.created_at_ms <= created_before_ms)
            .order_by(OutboxRow.created_at_ms, OutboxRow.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [
            OutboxEntry(
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

    def existing(self, db: Session, ids: Collection[str]) -> set[str]:
        """Those of ``ids`` that still wait, locked by somebody or not."""
        return set(db.scalars(select(OutboxRow.id).where(OutboxRow.id.in_(ids))))

    def delete(self, db: Session, rows: Sequence[OutboxEntry], lazily: bool = False) -> None:
        """Deletes what the broker has confirmed. ``lazily``: see ``delete_rows``."""
        delete_rows(db, _TABLE, ("tenant", "id"), [(row.tenant, row.id) for row in rows], lazily)

    def delete_athlete(self, db: Session, tenant: str, athlete: str) -> None:
        """What is about an erased athlete and was not sent yet is not sent any more."""
        db.execute(delete(_TABLE).where(OutboxRow.tenant == tenant, OutboxRow.athlete == athlete))

    def is_empty(self, db: Session) -> bool:
        """True when everything committed has reached the broker."""
        return db.execute(select(OutboxRow.id).limit(1)).first() is None


def _values(row: OutboxEntry) -> tuple[Any, ...]:
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
