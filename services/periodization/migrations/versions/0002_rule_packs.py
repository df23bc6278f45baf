"""Rule packs that came over the bus, the last good rule files, and trials that other services still have to answer."""

import sqlalchemy as sa
from alembic import op

from shared.db.migration_steps import create_rule_tables, drop_rule_tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create_rule_tables()
    op.create_table(
        "rule_trials",
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("trial", sa.String(length=128), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("heard", sa.JSON(), nullable=False),
        sa.Column("reply_address", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "trial", name="pk_rule_trials"),
    )


def downgrade() -> None:
    op.drop_table("rule_trials")
    drop_rule_tables()
