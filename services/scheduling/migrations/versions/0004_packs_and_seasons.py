"""Which pack a plan was made by, and which weeks the season holds."""

import sqlalchemy as sa
from alembic import op

from shared.db.tables import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("plans", sa.Column("pack", sa.String(64), comment="hash of the sequencing pack it was made by"))
    op.add_column("athletes", sa.Column("season_weeks", sa.JSON(), comment="dates of the season's weeks, as last told"))
    op.add_column("athletes", sa.Column("season_at", UtcDateTime()))
    op.add_column("athletes", sa.Column("season_id", sa.String(128)))


def downgrade() -> None:
    for column in ("season_id", "season_at", "season_weeks"):
        op.drop_column("athletes", column)
    op.drop_column("plans", "pack")
