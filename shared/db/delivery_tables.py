"""The tables that make delivery trustworthy; every service holds its own, beside its state, in the same transaction."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, String, Table

from shared.db.tables import AthleteId, MessageId, Tenant, UtcDateTime

PARKED_AUDIT = "parked_audit"


@dataclass(frozen=True, slots=True)
class DeliveryTables:
    """``inbox``: what was taken, with its outcome. ``outbox``: what is to be published. ``tenants``: who was seen.

    ``parked_audit``: who replayed or dropped which parked message, and when; it names no athlete.
    """

    inbox: Table
    outbox: Table
    tenants: Table
    parked_audit: Table


def add_to(base: Any) -> DeliveryTables:
    """Adds the delivery tables to a service's declarative base; call it in ``store.py``, before migrations look."""
    return _tables(base.metadata)


def of(metadata: MetaData) -> DeliveryTables:
    """The delivery tables already in ``metadata``; adds them when they are not there."""
    if "inbox" not in metadata.tables:
        return _tables(metadata)
    return DeliveryTables(*(metadata.tables[name] for name in ("inbox", "outbox", "tenants", PARKED_AUDIT)))


def _tables(metadata: MetaData) -> DeliveryTables:
    inbox = Table(
        "inbox",
        metadata,
        Column("tenant", Tenant, primary_key=True),
        Column("message_id", MessageId, primary_key=True),
        Column("handler", String(160), primary_key=True, comment="the route's key"),
        Column("body_hash", String(64), nullable=False),
        Column("athlete", AthleteId, nullable=True),
        Column("outcome", String(16), nullable=False, comment="accepted, rejected or later"),
        Column("reply", LargeBinary, nullable=True, comment="the outcome's data as JSON, sent again for a duplicate"),
        Column("received_at", UtcDateTime, nullable=False),
    )
    outbox = Table(
        "outbox",
        metadata,
        Column("tenant", Tenant, primary_key=True),
        Column("id", MessageId, primary_key=True, comment="the message's ce-id; ids sort in the order of making"),
        Column("exchange", String(64), nullable=False, comment="empty for a reply"),
        Column("routing_key", String(255), nullable=False),
        Column("headers", LargeBinary, nullable=False),
        Column("content_type", String(64), nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("correlation_id", String(255), nullable=True),
        Column("athlete", AthleteId, nullable=True),
        Column("created_at_ms", BigInteger, nullable=False),
    )
    tenants = Table(
        "tenants",
        metadata,
        Column("tenant", Tenant, primary_key=True),
        Column("first_seen", UtcDateTime, nullable=False),
    )
    parked_audit = Table(PARKED_AUDIT, metadata, *parked_audit_columns())
    Index("ix_inbox_received_at", inbox.c.received_at)
    # Tenant last: without statistics, PostgreSQL would look for message ids by an index that begins with the tenant.
    Index("ix_inbox_athlete", inbox.c.athlete, inbox.c.tenant)
    Index("ix_outbox_created_at_ms", outbox.c.created_at_ms)
    return DeliveryTables(inbox, outbox, tenants, parked_audit)


def parked_audit_columns() -> list[Column[Any]]:
    """Fresh columns, for the table and for the migration that makes it."""
    return [
        Column("tenant", Tenant, primary_key=True),
        Column("id", MessageId, primary_key=True),
        Column("at", UtcDateTime, nullable=False),
        Column("by", String(128), nullable=False, comment="who ran the command"),
        Column("action", String(16), nullable=False, comment="replay or drop"),
        Column("parked_id", String(128), nullable=False),
        Column("key", String(255), nullable=False, comment="the routing key without the tenant"),
        Column("message_id", String(128), nullable=True, comment="the sender's ce-id"),
        Column("reason", String(64), nullable=False, comment="why it was parked"),
    ]
