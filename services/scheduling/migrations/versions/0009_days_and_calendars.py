"""Done sessions keep their day whatever the athlete's time zone is later; a plan counts the changes of its sessions."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

from shared.messages.times import day_of_session

revision = "0009"
down_revision = "0008"

_ATHLETES = sa.table(
    "athletes", *(sa.column(name, sa.String()) for name in ("tenant", "athlete")), sa.column("profile", sa.JSON())
)
_DONE = sa.table(
    "done_sessions",
    *(sa.column(name, sa.String()) for name in ("tenant", "athlete", "session")),
    sa.column("told", sa.JSON()),
    sa.column("date", sa.Date()),
)


def upgrade() -> None:
    op.add_column("plans", sa.Column("calendar", sa.JSON(), comment="session -> sequence, modified, cancelled"))
    connection = op.get_bind()
    profiles = connection.execute(sa.select(_ATHLETES.c.tenant, _ATHLETES.c.athlete, _ATHLETES.c.profile)).all()
    for tenant, athlete, profile in profiles:
        if profile is not None:
            _keep_days(connection, tenant, athlete, profile["timezone"])


def downgrade() -> None:
    op.drop_column("plans", "calendar")


def _keep_days(connection: sa.Connection, tenant: str, athlete: str, timezone: str) -> None:
    """Those that were told without a day get that of the zone that holds now, by which they counted until now."""
    theirs = (_DONE.c.tenant == tenant, _DONE.c.athlete == athlete, _DONE.c.date.is_(None))
    for session, told in connection.execute(sa.select(_DONE.c.session, _DONE.c.told).where(*theirs)).all():
        if not told or "start" not in told:
            continue
        start = datetime.fromisoformat(told["start"])
        kept: dict[str, Any] = {"date": day_of_session(start, told.get("timezone"), ZoneInfo(timezone))}
        if not start.utcoffset():
            kept["told"] = {"timezone": timezone, **told}
        connection.execute(_DONE.update().where(*theirs, _DONE.c.session == session).values(**kept))
