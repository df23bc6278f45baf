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
        sa.Column("load_told_at", UtcDateTime(), nullable=True, comment="version of the newest load-assessed heard"),
        sa.Column("load_told_id", sa.String(length=128), nullable=True),
        sa.Column("untold_from", sa.Date(), nullable=True, comment="days from here on changed and wait to be told"),
        sa.Column("told_digest", sa.String(length=64), nullable=True, comment="of the last readiness-assessed"),
        sa.Column("told_days", sa.JSON(), nullable=False, comment="date -> digest of the facts last told"),
        sa.Column("told_action", sa.String(length=16), nullable=True, comment="last action told: watch or pull-back"),
        sa.PrimaryKeyConstraint("tenant", "athlete", name="pk_athletes"),
    )
    op.create_table(
        "done_sessions",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=False),
        sa.Column("session", sa.String(length=128), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=True),
        sa.Column("rpe", sa.Double(), nullable=True),
        sa.Column("e1rm", sa.JSON(), nullable=False, comment="[lift, kg] pairs"),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("told_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete", "session", name="pk_done_sessions"),
    )
    op.create_index("ix_done_sessions_date", "done_sessions", ["tenant", "athlete", "date"], unique=False)

    op.create_table(
        "erasures",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete_digest", sa.String(length=64), nullable=False),
        sa.Column("erased_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete_digest", name="pk_erasures"),
    )
    op.create_table(
        "load_days",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=False, comment="stream -> [coupled ratio, status]"),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("told_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete", "date", name="pk_load_days"),
    )
    op.create_table(
        "mornings",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete", "date", name="pk_mornings"),
    )
    op.create_table(
        "planned_weeks",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("athlete", sa.String(length=128), nullable=False),
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("sessions", sa.JSON(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("told_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "athlete", "week_start", name="pk_planned_weeks"),
    )
    create_delivery_tables()


def downgrade() -> None:
    drop_tables(*DELIVERY_TABLES, "planned_weeks", "mornings", "load_days", "erasures", "done_sessions", "athletes")
