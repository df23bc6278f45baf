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
        sa.Column("assessed_through", sa.Date(), nullable=True, comment="last local date with an assessment"),
        sa.Column("due_at", UtcDateTime(), nullable=True, comment="the local midnight that ends it, in UTC"),
        sa.Column("told_days", sa.JSON(), nullable=False, comment="date -> digest of the figures last told"),
        sa.Column("told_spikes", sa.JSON(), nullable=False, comment="spike -> last date it was seen"),
    )
    op.create_index("ix_athletes_due_at", "athletes", ["tenant", "due_at"], unique=False)

    steps.create_erasures()
    steps.create_athlete_table(
        "marked_days",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("marked_at", UtcDateTime(), nullable=False),
        sa.Column("marked_id", sa.String(length=128), nullable=False),
        key=["date"],
    )
    steps.create_athlete_table(
        "sessions",
        sa.Column("session", sa.String(length=128), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=True),
        sa.Column("recorded_id", sa.String(length=128), nullable=True),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.Column("removed_id", sa.String(length=128), nullable=True),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=True, comment="the session as it was sent"),
        sa.Column("start", UtcDateTime(), nullable=True),
        sa.Column("duration_min", sa.Double(), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=True),
        sa.Column("distance_km", sa.Double(), nullable=True),
        sa.Column("load", sa.Double(), nullable=True, comment="AU"),
        sa.Column("method", sa.String(length=32), nullable=True),
        key=["session"],
    )
    op.create_index("ix_sessions_start", "sessions", ["tenant", "athlete", "counts", "start"], unique=False)
    steps.create_delivery_tables()


def downgrade() -> None:
    steps.drop_tables(*steps.DELIVERY_TABLES, "sessions", "marked_days", "erasures", "athletes")
