"""The first tables: state, inbox, outbox, known tenants."""

import sqlalchemy as sa
from alembic import op

from shared.db import migration_steps as steps
from shared.db.tables import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    steps.create_athlete_table(
        "athletes",
        sa.Column("profile", sa.JSON(), nullable=True),
        sa.Column("put_at", UtcDateTime(), nullable=True),
        sa.Column("put_id", sa.String(length=128), nullable=True),
        sa.Column("availability", sa.JSON(), nullable=True, comment="windows and limits"),
        sa.Column("available_at", UtcDateTime(), nullable=True),
        sa.Column("available_id", sa.String(length=128), nullable=True),
    )
    steps.create_athlete_table(
        "done_sessions",
        sa.Column("session", sa.String(length=128), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("planned", sa.String(length=128), nullable=True),
        sa.Column("told", sa.JSON(), nullable=False),
        key=["session"],
        versioned=True,
    )
    op.create_index("ix_done_sessions_start", "done_sessions", ["tenant", "athlete", "start"], unique=False)
    steps.create_erasures()
    steps.create_athlete_table(
        "gates",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("gate", sa.JSON(), nullable=False),
        sa.Column("today", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.JSON(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        key=["date"],
        versioned=True,
    )
    steps.create_athlete_table(
        "moves",
        sa.Column("session", sa.String(length=128), nullable=False),
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("overridden", sa.JSON(), nullable=False),
        key=["session"],
        versioned=True,
    )
    steps.create_athlete_table(
        "overrides",
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.Column("session", sa.String(length=128), nullable=False),
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=500), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("violations", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        key=["message_id"],
    )
    steps.create_athlete_table(
        "plans",
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("placed", sa.JSON(), nullable=False),
        sa.Column("earlier", sa.JSON(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False, comment="the athlete's local date"),
        sa.Column(
            "digest", sa.String(length=64), nullable=False, comment="of the last week-planned or week-infeasible"
        ),
        key=["week_start"],
    )
    steps.create_athlete_table(
        "week_requests",
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("sessions", sa.JSON(), nullable=False, comment="given: the sessions, or null"),
        key=["week_start"],
        versioned=True,
    )
    steps.create_athlete_table(
        "week_targets",
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=True),
        sa.Column("sessions", sa.JSON(), nullable=False),
        key=["week_start"],
        versioned=True,
    )
    steps.create_delivery_tables()


def downgrade() -> None:
    steps.drop_tables(
        *steps.DELIVERY_TABLES,
        "week_targets",
        "week_requests",
        "plans",
        "overrides",
        "moves",
        "gates",
        "erasures",
        "done_sessions",
        "athletes",
    )
