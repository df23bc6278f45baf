"""Steps that each service's migrations take alike, as first taken; later changes belong into later migrations."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

_INSTANT = sa.DateTime(timezone=True)
_INBOX_INDEX = "ix_inbox_athlete"


def create_delivery_tables() -> None:
    op.create_table(
        "inbox",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.Column("handler", sa.String(length=160), nullable=False, comment="the route's key"),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False, comment="accepted, rejected or later"),
        sa.Column(
            "reply", sa.LargeBinary(), nullable=True, comment="the outcome's data as JSON, sent again for a duplicate"
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "message_id", "handler", name="pk_inbox"),
    )
    op.create_index("ix_inbox_athlete", "inbox", ["tenant", "athlete"], unique=False)
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column(
            "id", sa.String(length=128), nullable=False, comment="the message's ce-id; ids sort in the order of making"
        ),
        sa.Column("exchange", sa.String(length=64), nullable=False, comment="empty for a reply"),
        sa.Column("routing_key", sa.String(length=255), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.Column("content_type", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("correlation_id", sa.String(length=255), nullable=True),
        sa.Column("athlete", sa.String(length=128), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_created_at_ms", "outbox", ["created_at_ms"], unique=False)
    op.create_table(
        "tenants",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_tenants"),
    )


def create_athlete_table(name: str, *columns: sa.Column[Any], key: Sequence[str] = (), versioned: bool = False) -> None:
    """``columns`` follow tenant and athlete, which the primary key begins with. ``versioned``: and the version of the
    message that counts follows them."""
    version = (sa.Column("told_at", _INSTANT, nullable=False), sa.Column("told_id", sa.String(128), nullable=False))
    op.create_table(
        name,
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=False),
        *columns,
        *(version if versioned else ()),
        sa.PrimaryKeyConstraint("tenant", "athlete", *key, name=f"pk_{name}"),
    )


def create_erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete_digest", sa.String(length=64), nullable=False),
        sa.Column("erased_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete_digest", name="pk_erasures"),
    )


def drop_tables(*names: str) -> None:
    """With their indexes."""
    for name in names:
        op.drop_table(name)


DELIVERY_TABLES = ("inbox", "outbox", "tenants")


def create_rule_tables() -> None:
    op.create_table(
        "rule_packs",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("pack", sa.String(length=100), nullable=False, comment="the pack's id"),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False, comment="of the resolved pack when it was put"),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "pack", "version", name="pk_rule_packs"),
    )
    op.create_table(
        "rule_activations",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column(
            "number", sa.Integer(), autoincrement=False, nullable=False, comment="1, 2, 3 … in the order of deciding"
        ),
        sa.Column("action", sa.String(length=16), nullable=False, comment="activate or roll-back"),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("pack", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=True, comment="null: no stored pack of this kind any more"),
        sa.Column("starts", sa.Date(), nullable=False, comment="the first day on which it counts"),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number", name="pk_rule_activations"),
    )
    op.create_table(
        "rule_revisions",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_rule_revisions"),
    )
    op.create_table(
        "rule_kept_files",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("layer", sa.String(length=8), nullable=False, comment="base or own"),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "layer", "place", name="pk_rule_kept_files"),
    )
    op.create_table(
        "rule_kept_texts",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "text_hash", name="pk_rule_kept_texts"),
    )


def drop_rule_tables() -> None:
    drop_tables("rule_kept_texts", "rule_kept_files", "rule_revisions", "rule_activations", "rule_packs")


def create_parked_audit() -> None:
    op.create_table(
        "parked_audit",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False, comment="who ran the command"),
        sa.Column("action", sa.String(length=16), nullable=False, comment="replay or drop"),
        sa.Column("parked_id", sa.String(length=128), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False, comment="the routing key without the tenant"),
        sa.Column("message_id", sa.String(length=128), nullable=True, comment="the sender's ce-id"),
        sa.Column("reason", sa.String(length=64), nullable=False, comment="why it was parked"),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_parked_audit"),
    )


def drop_parked_audit() -> None:
    op.drop_table("parked_audit")


def add_when_erase_was_taken() -> None:
    column = sa.Column("taken_at", _INSTANT, comment="by this service's clock, when the last was taken")
    op.add_column("erasures", column)


def drop_when_erase_was_taken() -> None:
    op.drop_column("erasures", "taken_at")


def inbox_index_by_athlete() -> None:
    """It began with the tenant. Without statistics PostgreSQL then took it for looking up message ids, and read all of
    a tenant's rows."""
    _make_inbox_index(["athlete", "tenant"])


def inbox_index_by_tenant() -> None:
    _make_inbox_index(["tenant", "athlete"])


def _make_inbox_index(columns: list[str]) -> None:
    op.drop_index(_INBOX_INDEX, "inbox")
    op.create_index(_INBOX_INDEX, "inbox", columns)


def inbox_by_source() -> None:
    """A message is known by its source and its id. What was taken before has an empty source and answers to any."""
    with op.batch_alter_table("inbox") as inbox:
        inbox.add_column(
            sa.Column(
                "source",
                sa.String(length=255),
                nullable=False,
                server_default="",
                comment="its ce-source; empty where it was taken before 0.2",
            )
        )
        inbox.drop_constraint("pk_inbox", type_="primary")
        inbox.create_primary_key("pk_inbox", ["tenant", "message_id", "source", "handler"])


def inbox_by_id() -> None:
    """Of one id under several sources one row is left."""
    op.execute(
        "DELETE FROM inbox WHERE EXISTS (SELECT 1 FROM inbox AS other WHERE other.tenant = inbox.tenant AND "
        "other.message_id = inbox.message_id AND other.handler = inbox.handler AND other.source < inbox.source)"
    )
    with op.batch_alter_table("inbox") as inbox:
        inbox.drop_constraint("pk_inbox", type_="primary")
        inbox.create_primary_key("pk_inbox", ["tenant", "message_id", "handler"])
        inbox.drop_column("source")
