"""The load service's tables and queries. Every key and every query carries the tenant.

Order never matters: a session, a mark and a profile each keep the version that wins (revision, then ce-time, then
ce-id), and a removal keeps its own version beside the session's, so that whichever arrives last changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Date, Index, String, delete, null, select, text, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.athletes.store import AthleteRow, AthleteStore, ErasureRow
from shared.bus.routes import Settlement
from shared.contract.sessions import Kind
from shared.contract.words import DayState
from shared.db.common_tables import service_metadata
from shared.db.tables import COLUMN_TYPES, AthleteKey, MessageId
from shared.db.versions import Version, Versioned
from shared.messages.values import DayLoad, MarkedDay, Profile

MAX_ZONES = 50
"""Changes of an athlete's time zone that are kept, the latest; beside them the first zone."""


class Tables(DeclarativeBase):
    metadata = service_metadata()
    type_annotation_map = COLUMN_TYPES


class LoadAthleteRow(AthleteRow, Tables):
    assessed_through: Mapped[date | None] = mapped_column(Date, comment="last local date with an assessment")
    due_at: Mapped[datetime | None] = mapped_column(comment="the local midnight that ends it, in UTC")
    zones: Mapped[list[Any] | None] = mapped_column(comment="ce-time, ce-id and time zone of each put that changed it")
    published_days: Mapped[dict[str, Any]] = mapped_column(
        "told_days", comment="date -> digest of the figures last told"
    )
    published_spikes: Mapped[dict[str, Any]] = mapped_column("told_spikes", comment="spike -> last date it was seen")

    __table_args__ = (Index("ix_athletes_due_at", "tenant", "due_at"),)

    def put(self, profile: Profile, version: Version) -> Version | None:
        """As every service's, and keeps since when which time zone holds, in whatever order that is said."""
        said = [version[0].astimezone(UTC).isoformat(timespec="microseconds"), version[1], profile.timezone]
        zones: list[list[str]] = []
        for entry in sorted([*(self.zones or ()), said]):
            if not zones or zones[-1][2] != entry[2]:
                zones.append(entry)
        zones = zones[:1] + zones[1:][-MAX_ZONES:]
        stands = super().put(profile, version)
        self.remembers_more = stands is not None and zones != self.zones
        self.zones = zones
        return stands

    def zone_at(self, instant: datetime) -> ZoneInfo | None:
        """The athlete's time zone at that time; before the first put, the first; None while nobody has said."""
        begun = instant.astimezone(UTC).isoformat(timespec="microseconds")
        zones = self.zones or ()
        name = next((zone for since, _, zone in reversed(zones) if since <= begun), zones[0][2] if zones else None)
        return None if name is None else ZoneInfo(name)


_REMOVED = text("removed_at IS NOT NULL")


class SessionRow(AthleteKey, Tables):
    """A done session and its removal; it counts while it was recorded later than it was removed."""

    __tablename__ = "sessions"
    session: Mapped[str] = mapped_column(MessageId, primary_key=True)
    revision: Mapped[int | None] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime | None]
    recorded_id: Mapped[str | None] = mapped_column(MessageId)
    removed_at: Mapped[datetime | None]
    removed_id: Mapped[str | None] = mapped_column(MessageId)
    counts: Mapped[bool] = mapped_column(default=False)
    body: Mapped[dict[str, Any] | None] = mapped_column(comment="the session as it was sent")
    start: Mapped[datetime | None]
    day: Mapped[date | None] = mapped_column(Date, comment="the session's own local date")
    duration_min: Mapped[float | None]
    kind: Mapped[str | None] = mapped_column(String(8))
    distance_km: Mapped[float | None]
    load: Mapped[float | None] = mapped_column(comment="AU")
    method: Mapped[str | None] = mapped_column(String(32))
    confirmed: Mapped[bool] = mapped_column(default=False)
    zero_effort: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        Index("ix_sessions_start", "tenant", "athlete", "counts", "start"),
        Index("ix_sessions_removed_at", "tenant", "removed_at", sqlite_where=_REMOVED, postgresql_where=_REMOVED),
    )


class MarkedDayRow(AthleteKey, Versioned, Tables):
    __tablename__ = "marked_days"
    date: Mapped[date] = mapped_column(Date, primary_key=True)
    state: Mapped[str] = mapped_column(String(8))
    version_time: Mapped[datetime] = mapped_column("marked_at")
    version_id: Mapped[str] = mapped_column("marked_id", MessageId)


class LoadErasureRow(ErasureRow, Tables):
    pass


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as daily sums need it (``services.load.domain.daily.CountedSession``)."""

    id: str
    kind: Kind
    start: datetime
    duration_min: float
    distance_km: float | None
    load: float
    day: date
    type: str | None
    confirmed: bool = False
    zero_effort: bool = False

    def day_in(self, zone: ZoneInfo) -> date:
        return self.day

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.duration_min)


class LoadStore(AthleteStore[LoadAthleteRow]):
    """One tenant's load data inside somebody else's transaction."""

    athlete_row = LoadAthleteRow
    erasure_row = LoadErasureRow
    held = (SessionRow, MarkedDayRow, LoadAthleteRow)
    blank: Mapping[str, Any] = {"profile": None, "told_days": {}, "told_spikes": {}}

    def stands(self, athlete: str) -> Settlement:
        """Which commands about the athlete count."""
        of = self._of(SessionRow, athlete)
        ids = {*self.db.scalars(select(SessionRow.recorded_id).where(*of, SessionRow.counts.is_(True)))}
        ids |= {*self.db.scalars(select(SessionRow.removed_id).where(*of, SessionRow.counts.is_(False)))}
        ids |= {*self.db.scalars(select(MarkedDayRow.version_id).where(*self._of(MarkedDayRow, athlete)))}
        return Settlement(athlete, {one for one in ids if one is not None})

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        """Athletes whose local midnight has passed since their last assessment, the longest waiting first."""
        query = select(LoadAthleteRow.athlete).where(LoadAthleteRow.tenant == self.tenant, LoadAthleteRow.due_at <= now)
        return self.db.scalars(query.order_by(LoadAthleteRow.due_at, LoadAthleteRow.athlete).limit(limit)).all()

    def still_due(self, now: datetime, athletes: Sequence[str]) -> Sequence[LoadAthleteRow]:
        """Those of the athletes whom nobody has assessed since midnight, held until the transaction ends."""
        query = select(LoadAthleteRow).where(
            LoadAthleteRow.tenant == self.tenant, LoadAthleteRow.athlete.in_(athletes), LoadAthleteRow.due_at <= now
        )
        return self.db.scalars(query.order_by(LoadAthleteRow.athlete).with_for_update()).all()

    def recorded_athletes(self) -> Sequence[str]:
        """Athletes with sessions; those with the newest first."""
        return self.newest_first(SessionRow, SessionRow.start, SessionRow.counts.is_(True))

    def counted(self, athletes: Sequence[str], since: date) -> dict[str, list[StoredSession]]:
        """Every session of these athletes that counts, of the days from ``since`` on, oldest first."""
        begun = datetime.combine(since, time(), UTC) - timedelta(days=1)
        return self.by_athlete(
            athletes,
            StoredSession,
            select(
                SessionRow.athlete,
                SessionRow.session,
                SessionRow.kind,
                SessionRow.start,
                SessionRow.duration_min,
                SessionRow.distance_km,
                SessionRow.load,
                SessionRow.day,
                SessionRow.body["type"].as_string(),
                SessionRow.confirmed,
                SessionRow.zero_effort,
            )
            .where(SessionRow.tenant == self.tenant, SessionRow.athlete.in_(athletes), SessionRow.counts)
            .where(SessionRow.start >= begun, SessionRow.day >= since)
            .order_by(SessionRow.start, SessionRow.session),
        )

    def day_loads(self, athletes: Sequence[str], since: date) -> dict[str, list[DayLoad]]:
        """None: no message brings loads of whole days."""
        return {name: [] for name in athletes}

    def with_estimates(self, athletes: Sequence[str], since: datetime, measured: str) -> set[str]:
        """Those of the athletes with a counting session after ``since`` that was scored otherwise than ``measured``."""
        query = select(SessionRow.athlete).where(
            SessionRow.tenant == self.tenant,
            SessionRow.athlete.in_(athletes),
            SessionRow.counts,
            SessionRow.start > since,
            SessionRow.method != measured,
        )
        return set(self.db.scalars(query.distinct()))

    def counting_rows(self, athlete: str, *also: ColumnElement[bool]) -> Sequence[SessionRow]:
        """Whole rows of counting sessions, oldest first."""
        return self.db.scalars(
            select(SessionRow)
            .where(*self._of(SessionRow, athlete), SessionRow.counts, *also)
            .order_by(SessionRow.start, SessionRow.session)
        ).all()

    def mark(self, athlete: str, day: date, state: str, version: Version) -> Version | None:
        """Stores the mark if it is the newest for its day; else the version that stands."""
        row = self.db.get(MarkedDayRow, (self.tenant, athlete, day))
        if row is None:
            row = MarkedDayRow(tenant=self.tenant, athlete=athlete, date=day)
            self.db.add(row)
        elif row.version >= version:
            return row.version
        row.state, row.version = state, version
        return None

    def marks(self, athletes: Sequence[str], since: date) -> dict[str, list[MarkedDay]]:
        """The marked days of these athletes from ``since`` on, oldest first."""
        return self.by_athlete(
            athletes,
            _marked_day,
            select(MarkedDayRow.athlete, MarkedDayRow.date, MarkedDayRow.state)
            .where(MarkedDayRow.tenant == self.tenant, MarkedDayRow.athlete.in_(athletes), MarkedDayRow.date >= since)
            .order_by(MarkedDayRow.date),
        )

    def forget_removed(self, content_until: datetime, mark_until: datetime) -> None:
        """Of sessions removed up to ``content_until`` only the mark stays, and up to ``mark_until`` not even that."""
        removed = (SessionRow.tenant == self.tenant, SessionRow.counts.is_(False))
        self.db.execute(
            update(SessionRow)
            .where(*removed, SessionRow.removed_at <= content_until, SessionRow.duration_min.is_not(None))
            .values(
                body=null(),
                start=None,
                day=None,
                duration_min=None,
                kind=None,
                distance_km=None,
                load=None,
                method=None,
            )
        )
        self.db.execute(delete(SessionRow).where(*removed, SessionRow.removed_at <= mark_until))


def _marked_day(day: date, state: DayState) -> MarkedDay:
    """Validated when it came in."""
    return MarkedDay.model_construct(date=day, state=state)
