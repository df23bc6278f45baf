"""The first tables: state, inbox, outbox, known tenants."""

import sqlalchemy as sa
from alembic import op

from shared.db.migration_steps import DELIVERY_TABLES, create_delivery_tables, drop_tables
from shared.db.tables import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "athletes",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=True),
        sa.Column("put_at", UtcDateTime(), nullable=True),
        sa.Column("put_id", sa.String(length=128), nullable=True),
        sa.Column("availability", sa.JSON(), nullable=True, comment="windows and limits"),
        sa.Column("available_at", UtcDateTime(), nullable=True),
        sa.Column("available_id", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "athlete", name="pk_athletes"),
    )
    op.create_table(
        "done_sessions",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=False),
        sa.Column("session", sa.String(length=128), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("planned", sa.String(length=128), nullable=True),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("told_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete", "session", name="pk_done_sessions"),
    )
    op.create_index("ix_done_sessions_start", "done_sessions", ["tenant", "athlete", "start"], unique=False)
    op.create_table(
        "erasures",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete_digest", sa.String(length=64), nullable=False),
        sa.Column("erased_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete_digest", name="pk_erasures"),
    )
    op.create_table(
        "gates",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("gate", sa.JSON(), nullable=False),
        sa.Column("today", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.JSON(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("told_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete", "date", name="pk_gates"),
    )
    op.create_table(
        "moves",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=False),
        sa.Column("session", sa.String(length=128), nullable=False),
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("overridden", sa.JSON(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("told_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete", "session", name="pk_moves"),
    )
    op.create_table(
        "overrides",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.Column("session", sa.String(length=128), nullable=False),
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=500), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("violations", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete", "message_id", name="pk_overrides"),
    )
    op.create_table(
        "plans",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=False),
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("placed", sa.JSON(), nullable=False),
        sa.Column("earlier", sa.JSON(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False, comment="the athlete's local date"),
        sa.Column(
            "digest", sa.String(length=64), nullable=False, comment="of the last week-planned or week-infeasible"
        ),
        sa.PrimaryKeyConstraint("tenant", "athlete", "week_start", name="pk_plans"),
    )
    op.create_table(
        "week_requests",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=False),
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("sessions", sa.JSON(), nullable=False, comment="given: the sessions, or null"),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("told_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete", "week_start", name="pk_week_requests"),
    )
    op.create_table(
        "week_targets",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=False),
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=True),
        sa.Column("sessions", sa.JSON(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("told_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete", "week_start", name="pk_week_targets"),
    )
    create_delivery_tables()


def downgrade() -> None:
    drop_tables(
        *DELIVERY_TABLES,
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
