"""The first tables: what is kept of athletes, what was told, what is left of the erased, and the delivery tables."""

import sqlalchemy as sa
from alembic import op

from shared.db import migration_steps as steps

revision = "0001"
down_revision = None


def upgrade() -> None:
    steps.create_athlete_table(
        "athlete_days",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        key=["date", "source"],
    )
    steps.create_athlete_table(
        "athletes",
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
    )
    steps.create_athlete_table(
        "coach_deloads",
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        key=["starts"],
    )
    op.create_table(
        "erase_confirmations",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete_hash", sa.String(length=64), nullable=False),
        sa.Column("correlation_id", sa.String(length=255), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("reply_address", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "athlete_hash", "correlation_id", name=op.f("pk_erase_confirmations")),
    )
    op.create_table(
        "erasures",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete_hash", sa.String(length=64), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete_hash", name=op.f("pk_erasures")),
    )
    steps.create_athlete_table(
        "season_choices",
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        key=["field"],
    )
    steps.create_athlete_table(
        "seasons",
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("packs", sa.String(length=160), nullable=True),
        sa.Column("triggers", sa.String(length=64), nullable=True),
        sa.Column("told", sa.String(length=64), nullable=True),
    )
    op.create_index("ix_seasons_due_at", "seasons", ["due_at"])

    steps.create_athlete_table(
        "told_deloads",
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        key=["starts"],
    )
    steps.create_athlete_table(
        "told_weeks",
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        key=["week_start"],
    )
    steps.create_delivery_tables()


def downgrade() -> None:
    steps.drop_tables(
        *steps.DELIVERY_TABLES,
        "told_weeks",
        "told_deloads",
        "seasons",
        "season_choices",
        "erasures",
        "erase_confirmations",
        "coach_deloads",
        "athletes",
        "athlete_days",
    )
