"""A session keeps its day whatever the athlete's time zone is later; an athlete since when which zone holds."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

from shared.db.tables import UtcDateTime
from shared.messages.times import day_of_session

revision = "0009"
down_revision = "0008"

_ATHLETES = sa.table(
    "athletes",
    *(sa.column(name, sa.String()) for name in ("tenant", "athlete", "put_id")),
    *(sa.column(name, sa.JSON()) for name in ("profile", "zones")),
    sa.column("put_at", UtcDateTime()),
)
_SESSIONS = sa.table(
    "sessions",
    *(sa.column(name, sa.String()) for name in ("tenant", "athlete", "session")),
    sa.column("body", sa.JSON()),
    sa.column("day", sa.Date()),
)
_THIS_ATHLETE = sa.and_(_ATHLETES.c.tenant == sa.bindparam("of"), _ATHLETES.c.athlete == sa.bindparam("who"))
_THIS_SESSION = sa.and_(
    _SESSIONS.c.tenant == sa.bindparam("of"),
    _SESSIONS.c.athlete == sa.bindparam("who"),
    _SESSIONS.c.session == sa.bindparam("what"),
)


def upgrade() -> None:
    op.add_column(
        "athletes", sa.Column("zones", sa.JSON(), comment="ce-time, ce-id and time zone of each put that changed it")
    )
    op.add_column("sessions", sa.Column("day", sa.Date(), comment="the session's own local date"))
    connection = op.get_bind()
    zones: dict[tuple[str, str], ZoneInfo] = {}
    for tenant, athlete, put_id, profile, put_at in connection.execute(
        sa.select(*(_ATHLETES.c[name] for name in ("tenant", "athlete", "put_id", "profile", "put_at")))
    ).all():
        if profile is None or put_at is None:
            continue
        zones[tenant, athlete] = ZoneInfo(profile["timezone"])
        since = put_at.astimezone(UTC).isoformat(timespec="microseconds")
        values = {"of": tenant, "who": athlete, "zones": [[since, put_id or "", profile["timezone"]]]}
        connection.execute(_ATHLETES.update().where(_THIS_ATHLETE), values)
    everybody = sa.select(_SESSIONS.c.tenant, _SESSIONS.c.athlete).distinct()
    for tenant, athlete in connection.execute(everybody).all():
        zone, days = zones.get((tenant, athlete), ZoneInfo("UTC")), []
        theirs = (_SESSIONS.c.tenant == tenant, _SESSIONS.c.athlete == athlete)
        for session, body in connection.execute(sa.select(_SESSIONS.c.session, _SESSIONS.c.body).where(*theirs)).all():
            if body is not None:
                day = day_of_session(datetime.fromisoformat(body["start"]), None, zone)
                days.append({"of": tenant, "who": athlete, "what": session, "day": day})
        if days:
            connection.execute(_SESSIONS.update().where(_THIS_SESSION), days)


def downgrade() -> None:
    op.drop_column("sessions", "day")
    op.drop_column("athletes", "zones")
