"""Finds removed sessions, whose content and at last whose mark is forgotten."""

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"

_INDEX = "ix_sessions_removed_at"


def upgrade() -> None:
    removed = text("removed_at IS NOT NULL")
    op.create_index(_INDEX, "sessions", ["tenant", "removed_at"], sqlite_where=removed, postgresql_where=removed)


def downgrade() -> None:
    op.drop_index(_INDEX, "sessions")
