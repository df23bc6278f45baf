"""The recovery service's tables and queries. Every key and every query carries the tenant.

Mornings are its own; sessions, load and plans are what other services told. Each row keeps the version that wins (later
ce-time, then greater ce-id), so the order in which messages arrive changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Date, Index, String, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from shared.db import delivery_tables, rule_tables
from shared.db.tables import AthleteId, MessageId, Tenant, new_base
from shared.messages.values import PlannedSession, Profile

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
    load_told_at: Mapped[datetime | None] = mapped_column(comment="version of the newest load-assessed heard")
    load_told_id: Mapped[str | None] = mapped_column(MessageId)
    untold_from: Mapped[date | None] = mapped_column(Date, comment="days from here on changed and wait to be told")
    told_digest: Mapped[str | None] = mapped_column(String(64), comment="of the last readiness-assessed")
    told_days: Mapped[dict[str, Any]] = mapped_column(comment="date -> digest of the facts last told")
    told_action: Mapped[str | None] = mapped_column(String(16), comment="last action told: watch or pull-back")


class MorningRow(Tables):  # type: ignore[misc]
    """One morning; ``fields`` = measure -> [value, ce-time, ce-id]."""

    __tablename__ = "mornings"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    athlete: Mapped[str] = mapped_column(AthleteId, primary_key=True)
    date: Mapped[date] = mapped_column(Date, primary_key=True)
    fields: Mapped[dict[str, Any]]


class LoadDayRow(Tables):  # type: ignore[misc]
    """A day's load figures as the load service told them."""

    __tablename__ = "load_days"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    athlete: Mapped[str] = mapped_column(AthleteId, primary_key=True)
    date: Mapped[date] = mapped_column(Date, primary_key=True)
    state: Mapped[str | None] = mapped_column(String(8))
    figures: Mapped[dict[str, Any]] = mapped_column(comment="stream -> [coupled ratio, status]")
    told_at: Mapped[datetime]
    told_id: Mapped[str] = mapped_column(MessageId)


class DoneSessionRow(Tables):  # type: ignore[misc]
    """What a done session says about effort and strength."""

    __tablename__ = "done_sessions"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    athlete: Mapped[str] = mapped_column(AthleteId, primary_key=True)
    session: Mapped[str] = mapped_column(MessageId, primary_key=True)
    removed: Mapped[bool]
    date: Mapped[date] = mapped_column(Date)
    kind: Mapped[str] = mapped_column(String(8))
    type: Mapped[str | None] = mapped_column(String(16))
    rpe: Mapped[float | None]
    e1rm: Mapped[list[Any]] = mapped_column(comment="[lift, kg] pairs")
    told_at: Mapped[datetime]
    told_id: Mapped[str] = mapped_column(MessageId)

    __table_args__ = (Index("ix_done_sessions_date", "tenant", "athlete", "date"),)


class PlannedWeekRow(Tables):  # type: ignore[misc]
    """A week's calendar as the scheduling service told it."""

    __tablename__ = "planned_weeks"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    athlete: Mapped[str] = mapped_column(AthleteId, primary_key=True)
    week_start: Mapped[date] = mapped_column(Date, primary_key=True)
    sessions: Mapped[list[Any]]
    told_at: Mapped[datetime]
    told_id: Mapped[str] = mapped_column(MessageId)


class ErasureRow(Tables):  # type: ignore[misc]
    """That somebody was erased, without saying who: a message from before must not bring the person back."""

    __tablename__ = "erasures"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    athlete_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    erased_at: Mapped[datetime]


HELD = (MorningRow, LoadDayRow, DoneSessionRow, PlannedWeekRow, AthleteRow)


@dataclass(frozen=True, slots=True)
class Morning:
    """A stored morning (``services.recovery.domain.inputs.MorningRecord``); it was validated when it came in."""

    date: date
    rmssd_ms: float | None = None
    resting_hr: float | None = None
    sleep_hours: float | None = None
    sleep_quality: float | None = None
    soreness: float | None = None
    fatigue: float | None = None
    mood: float | None = None
    stress: float | None = None
    aches: bool | None = None
    body_mass_kg: float | None = None
    illness: bool | None = None


@dataclass(frozen=True, slots=True)
class RecoveryStore:
    """One tenant's recovery data inside somebody else's transaction."""

    db: Session
    tenant: str

    def athlete(self, athlete: str) -> AthleteRow | None:
        return self.db.get(AthleteRow, (self.tenant, athlete))

    def locked_athlete(self, athlete: str) -> AthleteRow:
        """The athlete's row, made when missing, and held until the transaction ends: two replicas that both took a
        message about one athlete take turns."""
        insert = postgresql.insert if self.db.get_bind().dialect.name == "postgresql" else sqlite.insert
        self.db.execute(
            insert(AthleteRow)
            .values(tenant=self.tenant, athlete=athlete, profile=None, told_days={})
            .on_conflict_do_nothing()
        )
        return self.db.scalars(select(AthleteRow).where(*self._of(AthleteRow, athlete)).with_for_update()).one()

    def profile(self, row: AthleteRow) -> Profile | None:
        return None if row.profile is None else Profile.model_validate(row.profile)

    def keep_morning(self, athlete: str, day: date, fields: Mapping[str, Any], version: Version) -> bool:
        """Keeps each measure whose version is the newest; says whether any was new."""
        stamp = [version[0].astimezone(UTC).isoformat(timespec="microseconds"), version[1]]
        row = self.db.get(MorningRow, (self.tenant, athlete, day))
        held: dict[str, Any] = {} if row is None else row.fields
        newer = {name: [value, *stamp] for name, value in fields.items() if name not in held or held[name][1:] < stamp}
        if row is None:
            self.db.add(MorningRow(tenant=self.tenant, athlete=athlete, date=day, fields=newer))
        elif newer:
            row.fields = {**held, **newer}
        return bool(newer)

    def recorded_athletes(self, limit: int) -> Sequence[str]:
        """Athletes with mornings; those with the newest first."""
        query = (
            select(MorningRow.athlete)
            .where(MorningRow.tenant == self.tenant)
            .group_by(MorningRow.athlete)
            .order_by(func.max(MorningRow.date).desc(), MorningRow.athlete)
        )
        return self.db.scalars(query.limit(limit)).all()

    def mornings(self, athlete: str, since: date) -> list[Morning]:
        rows = self.db.execute(
            select(MorningRow.date, MorningRow.fields)
            .where(*self._of(MorningRow, athlete), MorningRow.date >= since)
            .order_by(MorningRow.date)
        )
        return [Morning(day, **{name: entry[0] for name, entry in fields.items()}) for day, fields in rows]

    def keep_load_days(
        self, athlete: str, days: Mapping[date, tuple[str | None, Mapping[str, Any]]], version: Version
    ) -> None:
        """``days``: date -> (state, stream -> [ratio, status])."""
        known = {
            row.date: row
            for row in self.db.scalars(
                select(LoadDayRow).where(*self._of(LoadDayRow, athlete), LoadDayRow.date.in_(list(days)))
            )
        }
        for day, (state, figures) in days.items():
            row = known.get(day)
            if row is None:
                row = LoadDayRow(tenant=self.tenant, athlete=athlete, date=day)
                self.db.add(row)
            elif (row.told_at, row.told_id) >= version:
                continue
            row.state, row.figures, (row.told_at, row.told_id) = state, dict(figures), version

    def load_days(self, athlete: str, since: date) -> Sequence[Any]:
        """Rows of (date, state, figures), oldest first."""
        return self.db.execute(
            select(LoadDayRow.date, LoadDayRow.state, LoadDayRow.figures)
            .where(*self._of(LoadDayRow, athlete), LoadDayRow.date >= since)
            .order_by(LoadDayRow.date)
        ).all()

    def keep_session(self, athlete: str, session: str, told: Mapping[str, Any], version: Version) -> date | None:
        """Keeps what was told of a session if it is the newest. Returns the earliest date that this touches, or
        None."""
        row = self.db.get(DoneSessionRow, (self.tenant, athlete, session))
        day: date = told["date"]
        if row is None:
            row = DoneSessionRow(tenant=self.tenant, athlete=athlete, session=session)
            self.db.add(row)
        elif (row.told_at, row.told_id) >= version:
            return None
        else:
            day = min(day, row.date)
        for name, value in told.items():
            setattr(row, name, value)
        row.told_at, row.told_id = version
        return day

    def sessions(self, athlete: str, since: date) -> Sequence[Any]:
        """Rows of (date, kind, type, rpe, e1rm) of the sessions that count, oldest first."""
        return self.db.execute(
            select(
                DoneSessionRow.date, DoneSessionRow.kind, DoneSessionRow.type, DoneSessionRow.rpe, DoneSessionRow.e1rm
            )
            .where(*self._of(DoneSessionRow, athlete), DoneSessionRow.date >= since, DoneSessionRow.removed.is_(False))
            .order_by(DoneSessionRow.date, DoneSessionRow.session)
        ).all()

    def keep_week(
        self, athlete: str, week_start: date, sessions: Iterable[Mapping[str, Any]], version: Version
    ) -> bool:
        row = self.db.get(PlannedWeekRow, (self.tenant, athlete, week_start))
        if row is None:
            row = PlannedWeekRow(tenant=self.tenant, athlete=athlete, week_start=week_start)
            self.db.add(row)
        elif (row.told_at, row.told_id) >= version:
            return False
        row.sessions, (row.told_at, row.told_id) = list(sessions), version
        return True

    def planned(self, athlete: str, around: date) -> list[PlannedSession]:
        """Sessions of the weeks that may hold ``around``, in the order of their starts."""
        rows = self.db.scalars(
            select(PlannedWeekRow.sessions).where(
                *self._of(PlannedWeekRow, athlete),
                PlannedWeekRow.week_start > around - timedelta(days=8),
                PlannedWeekRow.week_start <= around + timedelta(days=1),
            )
        )
        found = [PlannedSession.model_validate(session) for sessions in rows for session in sessions]
        return sorted(found, key=lambda session: (session.start or datetime.max.replace(tzinfo=UTC), session.id))

    def erased_since(self, athlete: str, at: datetime) -> bool:
        """Whether the athlete was erased at or after ``at``."""
        row = self._erasure(athlete)
        return row is not None and row.erased_at >= at

    def is_erased(self, athlete: str) -> bool:
        """Whether the athlete was erased and not put again since: what another service still tells is not kept."""
        if self._erasure(athlete) is None:
            return False
        row = self.athlete(athlete)
        return row is None or row.profile is None

    def _erasure(self, athlete: str) -> ErasureRow | None:
        return self.db.get(ErasureRow, (self.tenant, self._digest(athlete)))

    def erase(self, athlete: str, at: datetime) -> None:
        """Deletes all that is held of the athlete; only the fact that somebody was erased stays."""
        for table in HELD:
            self.db.execute(delete(table).where(*self._of(table, athlete)))
        row = self._erasure(athlete)
        if row is None:
            self.db.add(ErasureRow(tenant=self.tenant, athlete_digest=self._digest(athlete), erased_at=at))
        else:
            row.erased_at = max(row.erased_at, at)

    def _of(self, table: Any, athlete: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return table.tenant == self.tenant, table.athlete == athlete

    def _digest(self, athlete: str) -> str:
        return sha256(f"{self.tenant}/{athlete}".encode()).hexdigest()
