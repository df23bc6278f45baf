"""The rule tables as they were first made, for each service's migration. Later changes belong into later migrations."""

import sqlalchemy as sa
from alembic import op


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
    for table in ("rule_kept_texts", "rule_kept_files", "rule_revisions", "rule_activations", "rule_packs"):
        op.drop_table(table)
