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
        sa.Column("load_told_at", UtcDateTime(), nullable=True, comment="version of the newest load-assessed heard"),
        sa.Column("load_told_id", sa.String(length=128), nullable=True),
        sa.Column("untold_from", sa.Date(), nullable=True, comment="days from here on changed and wait to be told"),
        sa.Column("told_digest", sa.String(length=64), nullable=True, comment="of the last readiness-assessed"),
        sa.Column("told_days", sa.JSON(), nullable=False, comment="date -> digest of the facts last told"),
        sa.Column("told_action", sa.String(length=16), nullable=True, comment="last action told: watch or pull-back"),
    )
    steps.create_athlete_table(
        "done_sessions",
        sa.Column("session", sa.String(length=128), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=True),
        sa.Column("rpe", sa.Double(), nullable=True),
        sa.Column("e1rm", sa.JSON(), nullable=False, comment="[lift, kg] pairs"),
        key=["session"],
        versioned=True,
    )
    op.create_index("ix_done_sessions_date", "done_sessions", ["tenant", "athlete", "date"], unique=False)

    steps.create_erasures()
    steps.create_athlete_table(
        "load_days",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=False, comment="stream -> [coupled ratio, status]"),
        key=["date"],
        versioned=True,
    )
    steps.create_athlete_table(
        "mornings",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        key=["date"],
    )
    steps.create_athlete_table(
        "planned_weeks",
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("sessions", sa.JSON(), nullable=False),
        key=["week_start"],
        versioned=True,
    )
    steps.create_delivery_tables()


def downgrade() -> None:
    steps.drop_tables(
        *steps.DELIVERY_TABLES, "planned_weeks", "mornings", "load_days", "erasures", "done_sessions", "athletes"
    )
