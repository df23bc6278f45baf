"""The tables that make delivery trustworthy; every service holds its own, beside its state, in the same transaction."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.tables import AthleteId, CommonTables, MessageId, Tenant


class InboxRow(CommonTables):
    """A message that was taken, with its outcome."""

    __tablename__ = "inbox"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    message_id: Mapped[str] = mapped_column(MessageId, primary_key=True)
    source: Mapped[str] = mapped_column(
        String(255), primary_key=True, server_default="", comment="its ce-source; empty where it was taken before 0.2"
    )
    handler: Mapped[str] = mapped_column(String(160), primary_key=True, comment="the route's key")
    body_hash: Mapped[str] = mapped_column(String(64))
    athlete: Mapped[str | None] = mapped_column(AthleteId)
    outcome: Mapped[str] = mapped_column(String(16), comment="accepted, rejected or later")
    reply: Mapped[bytes | None] = mapped_column(comment="the outcome's data as JSON, sent again for a duplicate")
    received_at: Mapped[datetime] = mapped_column(index=True)

    # Tenant last: without statistics, PostgreSQL would look for message ids by an index that begins with the tenant.
    __table_args__ = (Index("ix_inbox_athlete", "athlete", "tenant"),)


class OutboxRow(CommonTables):
    """A message that is to be published."""

    __tablename__ = "outbox"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    id: Mapped[str] = mapped_column(
        MessageId, primary_key=True, comment="the message's ce-id; ids sort in the order of making"
    )
    exchange: Mapped[str] = mapped_column(String(64), comment="empty for a reply")
    routing_key: Mapped[str] = mapped_column(String(255))
    headers: Mapped[bytes]
    content_type: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes]
    correlation_id: Mapped[str | None] = mapped_column(String(255))
    athlete: Mapped[str | None] = mapped_column(AthleteId)
    created_at_ms: Mapped[int] = mapped_column(BigInteger, index=True)


class TenantRow(CommonTables):
    """A tenant that was seen."""

    __tablename__ = "tenants"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    first_seen: Mapped[datetime]


class ParkedAuditRow(CommonTables):
    """Who replayed or dropped which parked message, and when; it names no athlete."""

    __tablename__ = "parked_audit"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    id: Mapped[str] = mapped_column(MessageId, primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(128), comment="who ran the command")
    action: Mapped[str] = mapped_column(String(16), comment="replay or drop")
    parked_id: Mapped[str] = mapped_column(String(128))
    key: Mapped[str] = mapped_column(String(255), comment="the routing key without the tenant")
    message_id: Mapped[str | None] = mapped_column(String(128), comment="the sender's ce-id")
    reason: Mapped[str] = mapped_column(String(64), comment="why it was parked")
