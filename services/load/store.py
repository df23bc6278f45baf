"""The load service's tables and queries. Every key and every query carries the tenant.

Order never matters: a session, a mark and a profile each keep the version that wins (revision, then ce-time, then
ce-id), and a removal keeps its own version beside the session's, so that whichever arrives last changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import ColumnElement, Date, Index, String, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from shared.db import delivery_tables, rule_tables
from shared.db.tables import AthleteId, MessageId, Tenant, new_base
from shared.messages.values import MarkedDay, Profile
from shared.messages.words import DayState, Kind

Tables: Any = new_base()
DELIVERY = delivery_tables.add_to(Tables)
RULES = rule_tables.add_to(Tables)

Version = tuple[datetime, str]
"""ce-time and ce-id."""


class AthleteRow(Tables):  # type: ignore[misc]
    """An athlete somebody spoke of; ``profile`` is None until ``athlete.put`` arrives."""

    __tablename__ = "athletes"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    athlete: Mapped[str] = mapped_column(AthleteId, primary_key=True)
    profile: Mapped[dict[str, Any] | None]
    put_at: Mapped[datetime | None]
    put_id: Mapped[str | None] = mapped_column(MessageId)
    assessed_through: Mapped[date | None] = mapped_column(Date, comment="last local date with an assessment")
    due_at: Mapped[datetime | None] = mapped_column(comment="the local midnight that ends it, in UTC")
    told_days: Mapped[dict[str, Any]] = mapped_column(comment="date -> digest of the figures last told")
    told_spikes: Mapped[dict[str, Any]] = mapped_column(comment="spike -> last date it was seen")

    __table_args__ = (Index("ix_athletes_due_at", "tenant", "due_at"),)


class SessionRow(Tables):  # type: ignore[misc]
    """A done session and its removal; it counts while it was recorded later than it was removed."""

    __tablename__ = "sessions"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    athlete: Mapped[str] = mapped_column(AthleteId, primary_key=True)
    session: Mapped[str] = mapped_column(MessageId, primary_key=True)
    revision: Mapped[int | None]
    recorded_at: Mapped[datetime | None]
    recorded_id: Mapped[str | None] = mapped_column(MessageId)
    removed_at: Mapped[datetime | None]
    removed_id: Mapped[str | None] = mapped_column(MessageId)
    counts: Mapped[bool] = mapped_column(default=False)
    body: Mapped[dict[str, Any] | None] = mapped_column(comment="the session as it was sent")
    start: Mapped[datetime | None]
    duration_min: Mapped[float | None]
    kind: Mapped[str | None] = mapped_column(String(8))
    distance_km: Mapped[float | None]
    load: Mapped[float | None] = mapped_column(comment="AU")
    method: Mapped[str | None] = mapped_column(String(32))

    __table_args__ = (Index("ix_sessions_start", "tenant", "athlete", "counts", "start"),)


class MarkedDayRow(Tables):  # type: ignore[misc]
    __tablename__ = "marked_days"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    athlete: Mapped[str] = mapped_column(AthleteId, primary_key=True)
    date: Mapped[date] = mapped_column(Date, primary_key=True)
    state: Mapped[str] = mapped_column(String(8))
    marked_at: Mapped[datetime]
    marked_id: Mapped[str] = mapped_column(MessageId)


class ErasureRow(Tables):  # type: ignore[misc]
    """That somebody was erased, without saying who: a message from before must not bring the person back."""

    __tablename__ = "erasures"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    athlete_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    erased_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as daily sums need it (``services.load.domain.daily.CountedSession``)."""

    id: str
    kind: Kind
    start: datetime
    duration_min: float
    distance_km: float | None
    load: float

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.duration_min)


@dataclass(frozen=True, slots=True)
class LoadStore:
    """One tenant's load data inside somebody else's transaction."""

    db: Session
    tenant: str

    def athlete(self, athlete: str) -> AthleteRow | None:
        return self.db.get(AthleteRow, (self.tenant, athlete))

    def locked_athlete(self, athlete: str) -> AthleteRow:
        """The athlete's row, made when missing, and held until the transaction ends: two replicas that both took a
        message about one athlete take turns, so neither assesses without the other's session."""
        insert = postgresql.insert if self.db.get_bind().dialect.name == "postgresql" else sqlite.insert
        self.db.execute(
            insert(AthleteRow)
            .values(tenant=self.tenant, athlete=athlete, profile=None, told_days={}, told_spikes={})
            .on_conflict_do_nothing()
        )
        found = self.db.scalars(
            select(AthleteRow).where(AthleteRow.tenant == self.tenant, AthleteRow.athlete == athlete).with_for_update()
        )
        return found.one()

    def profile(self, row: AthleteRow) -> Profile | None:
        return None if row.profile is None else Profile.model_validate(row.profile)

    def due(self, now: datetime, limit: int) -> Sequence[AthleteRow]:
        """Athletes whose local midnight has passed since their last assessment, the longest waiting first."""
        return self.db.scalars(
            select(AthleteRow)
            .where(AthleteRow.tenant == self.tenant, AthleteRow.due_at <= now)
            .order_by(AthleteRow.due_at, AthleteRow.athlete)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()

    def recorded_athletes(self, limit: int) -> Sequence[str]:
        """Athletes with sessions; those with the newest first."""
        query = (
            select(SessionRow.athlete)
            .where(SessionRow.tenant == self.tenant, SessionRow.counts)
            .group_by(SessionRow.athlete)
            .order_by(func.max(SessionRow.start).desc(), SessionRow.athlete)
        )
        return self.db.scalars(query.limit(limit)).all()

    def session(self, athlete: str, session: str) -> SessionRow | None:
        return self.db.get(SessionRow, (self.tenant, athlete, session))

    def sessions(self, athlete: str, ids: Iterable[str]) -> dict[str, SessionRow]:
        rows = self.db.scalars(
            select(SessionRow).where(*self._of(SessionRow, athlete), SessionRow.session.in_(list(ids)))
        )
        return {row.session: row for row in rows}

    def counted(self, athlete: str) -> list[StoredSession]:
        """Every session that counts, oldest first."""
        rows = self.db.execute(
            select(
                SessionRow.session,
                SessionRow.kind,
                SessionRow.start,
                SessionRow.duration_min,
                SessionRow.distance_km,
                SessionRow.load,
            )
            .where(*self._of(SessionRow, athlete), SessionRow.counts)
            .order_by(SessionRow.start, SessionRow.session)
        )
        return [StoredSession(*cast(Any, row)) for row in rows]

    def counting_rows(self, athlete: str, *also: ColumnElement[bool]) -> Sequence[SessionRow]:
        """Whole rows of counting sessions, oldest first."""
        return self.db.scalars(
            select(SessionRow)
            .where(*self._of(SessionRow, athlete), SessionRow.counts, *also)
            .order_by(SessionRow.start, SessionRow.session)
        ).all()

    def mark(self, athlete: str, day: date, state: str, version: Version) -> bool:
        """Keeps the mark if it is the newest for its day; says whether it was kept."""
        row = self.db.get(MarkedDayRow, (self.tenant, athlete, day))
        if row is None:
            row = MarkedDayRow(tenant=self.tenant, athlete=athlete, date=day)
            self.db.add(row)
        elif (row.marked_at, row.marked_id) > version:
            return False
        row.state, (row.marked_at, row.marked_id) = state, version
        return True

    def marks(self, athlete: str) -> list[MarkedDay]:
        rows = self.db.execute(
            select(MarkedDayRow.date, MarkedDayRow.state)
            .where(*self._of(MarkedDayRow, athlete))
            .order_by(MarkedDayRow.date)
        )
        return [MarkedDay.model_construct(date=day, state=cast(DayState, state)) for day, state in rows]

    def erased_since(self, athlete: str, at: datetime) -> bool:
        """Whether the athlete was erased at or after ``at``."""
        row = self.db.get(ErasureRow, (self.tenant, self._digest(athlete)))
        return row is not None and row.erased_at >= at

    def erase(self, athlete: str, at: datetime) -> None:
        """Deletes all that is held of the athlete; only the fact that somebody was erased stays."""
        for table in (SessionRow, MarkedDayRow, AthleteRow):
            self.db.execute(delete(table).where(*self._of(table, athlete)))
        row = self.db.get(ErasureRow, (self.tenant, self._digest(athlete)))
        if row is None:
            self.db.add(ErasureRow(tenant=self.tenant, athlete_digest=self._digest(athlete), erased_at=at))
        else:
            row.erased_at = max(row.erased_at, at)

    def _of(self, table: Any, athlete: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return table.tenant == self.tenant, table.athlete == athlete

    def _digest(self, athlete: str) -> str:
        return sha256(f"{self.tenant}/{athlete}".encode()).hexdigest()
