"""Ids come back every week: a move and what a done session was planned as are known by the week too; a done session
keeps the day that was the athlete's when it was told."""

import json
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.db.tables import UtcDateTime

revision = "0007"
down_revision = "0006"

_KEY = ("tenant", "athlete", "week_start", "session")
_MOVES = sa.table(
    "moves",
    *(sa.column(name, sa.String()) for name in ("tenant", "athlete", "session")),
    sa.column("week_start", sa.Date()),
    sa.column("start", UtcDateTime()),
)
_PLANS = sa.table(
    "plans",
    *(sa.column(name, sa.String()) for name in ("tenant", "athlete")),
    sa.column("week_start", sa.Date()),
    sa.column("placed", sa.JSON()),
)


def upgrade() -> None:
    op.add_column("done_sessions", sa.Column("date", sa.Date(), comment="the athlete's own; null: told without one"))
    op.add_column("done_sessions", sa.Column("planned_week", sa.Date()))
    op.add_column("moves", sa.Column("week_start", sa.Date()))
    _fill_weeks(op.get_bind())
    _rekey(_KEY)


def downgrade() -> None:
    """Of the moves of an id the latest week's stays."""
    older = sa.text(
        "DELETE FROM moves WHERE EXISTS (SELECT 1 FROM moves later WHERE later.tenant = moves.tenant"
        " AND later.athlete = moves.athlete AND later.session = moves.session AND later.week_start > moves.week_start)"
    )
    op.execute(older)
    _rekey(("tenant", "athlete", "session"))
    op.drop_column("moves", "week_start")
    op.drop_column("done_sessions", "planned_week")
    op.drop_column("done_sessions", "date")


def _fill_weeks(connection: sa.Connection) -> None:
    """A move was of the latest planned week that holds the session; where none does any more, of that of its start."""
    for tenant, athlete, session, start in connection.execute(
        sa.select(_MOVES.c.tenant, _MOVES.c.athlete, _MOVES.c.session, _MOVES.c.start)
    ).all():
        week = _week_of(connection, tenant, athlete, session)
        monday = start.date() - timedelta(days=start.weekday())
        connection.execute(
            _MOVES.update()
            .where(_MOVES.c.tenant == tenant, _MOVES.c.athlete == athlete, _MOVES.c.session == session)
            .values(week_start=week or monday)
        )


def _week_of(connection: sa.Connection, tenant: str, athlete: str, session: str) -> date | None:
    plans = connection.execute(
        sa.select(_PLANS.c.week_start, _PLANS.c.placed)
        .where(_PLANS.c.tenant == tenant, _PLANS.c.athlete == athlete)
        .order_by(_PLANS.c.week_start.desc())
    )
    held: Any
    for week_start, held in plans:
        placed = json.loads(held) if isinstance(held, str) else held
        if any(one["id"] == session for one in placed):
            found: date = week_start
            return found
    return None


def _rekey(key: tuple[str, ...]) -> None:
    with op.batch_alter_table("moves") as moves:
        moves.alter_column("week_start", existing_type=sa.Date(), nullable="week_start" not in key)
        moves.drop_constraint("pk_moves", type_="primary")
        moves.create_primary_key("pk_moves", list(key))
