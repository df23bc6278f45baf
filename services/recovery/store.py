"""The recovery service's tables and queries. Every key and every query carries the tenant.

Mornings are its own; sessions, load and plans are what other services published. Each row keeps the version that wins
(later ce-time, then greater ce-id), so the order in which messages arrive changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Date, Index, String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.recovery.domain import StreamRatio
from services.recovery.domain.recorded import DoneTraining, LoadDay
from shared.athletes.store import AthleteRow, AthleteStore, ErasureRow
from shared.bus.routes import Settlement
from shared.contract.words import STREAMS
from shared.db.common_tables import service_metadata
from shared.db.tables import COLUMN_TYPES, AthleteKey, MessageId
from shared.db.versions import Versioned
from shared.messages.values import PlannedSession


class Tables(DeclarativeBase):
    metadata = service_metadata()
    type_annotation_map = COLUMN_TYPES


class RecoveryAthleteRow(AthleteRow, Tables):
    load_version_time: Mapped[datetime | None] = mapped_column(
        "load_told_at", comment="version of the newest load-assessed heard"
    )
    load_version_id: Mapped[str | None] = mapped_column("load_told_id", MessageId)
    unpublished_from: Mapped[date | None] = mapped_column(
        "untold_from", Date, comment="days from here on changed and wait to be told"
    )
    published_digest: Mapped[str | None] = mapped_column(
        "told_digest", String(64), comment="of the last readiness-assessed"
    )
    published_days: Mapped[dict[str, Any]] = mapped_column("told_days", comment="date -> digest of the facts last told")
    published_action: Mapped[str | None] = mapped_column(
        "told_action", String(16), comment="last action told: watch or pull-back"
    )


class MorningRow(AthleteKey, Tables):
    """One morning; ``fields`` = measure -> [value, ce-time, ce-id]."""

    __tablename__ = "mornings"
    date: Mapped[date] = mapped_column(Date, primary_key=True)
    fields: Mapped[dict[str, Any]]


class LoadDayRow(AthleteKey, Versioned, Tables):
    """A day's load figures as the load service published them."""

    __tablename__ = "load_days"
    date: Mapped[date] = mapped_column(Date, primary_key=True)
    state: Mapped[str | None] = mapped_column(String(8))
    figures: Mapped[dict[str, Any]] = mapped_column(comment="stream -> [coupled ratio, status]")


class DoneSessionRow(AthleteKey, Versioned, Tables):
    """What a done session says about effort and strength."""

    __tablename__ = "done_sessions"
    session: Mapped[str] = mapped_column(MessageId, primary_key=True)
    removed: Mapped[bool]
    date: Mapped[date] = mapped_column(Date)
    kind: Mapped[str] = mapped_column(String(8))
    type: Mapped[str | None] = mapped_column(String(16))
    rpe: Mapped[float | None]
    e1rm: Mapped[list[Any]] = mapped_column(comment="[lift, kg] pairs")

    __table_args__ = (Index("ix_done_sessions_date", "tenant", "athlete", "date"),)


class PlannedWeekRow(AthleteKey, Versioned, Tables):
    """A week's calendar as the scheduling service published it."""

    __tablename__ = "planned_weeks"
    week_start: Mapped[date] = mapped_column(Date, primary_key=True)
    sessions: Mapped[list[Any]]


class RecoveryErasureRow(ErasureRow, Tables):
    pass


@dataclass(frozen=True, slots=True)
class Morning:
    """A stored morning (``services.recovery.domain.inputs.MorningRecord``); it was validated when it came in."""

    date: date
    given: Mapping[str, Any]


class RecoveryStore(AthleteStore[RecoveryAthleteRow]):
    """One tenant's recovery data inside somebody else's transaction."""

    athlete_row = RecoveryAthleteRow
    erasure_row = RecoveryErasureRow
    held = (MorningRow, LoadDayRow, DoneSessionRow, PlannedWeekRow, RecoveryAthleteRow)
    blank: Mapping[str, Any] = {"profile": None, "told_days": {}}

    def stands(self, athlete: str) -> Settlement:
        """Which commands about the athlete count."""
        mornings = self.db.scalars(select(MorningRow.fields).where(*self._of(MorningRow, athlete)))
        return Settlement(athlete, {message for fields in mornings for _, _, message in fields.values()})

    def recorded_athletes(self) -> Sequence[str]:
        """Athletes with mornings; those with the newest first."""
        return self.newest_first(MorningRow, MorningRow.date)

    def mornings(self, athletes: Sequence[str], since: date) -> dict[str, list[Morning]]:
        """By athlete, oldest first."""
        return self.by_athlete(
            athletes,
            _morning,
            select(MorningRow.athlete, MorningRow.date, MorningRow.fields)
            .where(MorningRow.tenant == self.tenant, MorningRow.athlete.in_(athletes), MorningRow.date >= since)
            .order_by(MorningRow.date),
        )

    def load_days(self, athletes: Sequence[str], since: date) -> dict[str, list[LoadDay]]:
        """By athlete, oldest first."""
        return self.by_athlete(
            athletes,
            _load_day,
            select(LoadDayRow.athlete, LoadDayRow.date, LoadDayRow.state, LoadDayRow.figures)
            .where(LoadDayRow.tenant == self.tenant, LoadDayRow.athlete.in_(athletes), LoadDayRow.date >= since)
            .order_by(LoadDayRow.date),
        )

    def sessions(self, athletes: Sequence[str], since: date) -> dict[str, list[DoneTraining]]:
        """By athlete the sessions that count, oldest first."""
        table = DoneSessionRow
        return self.by_athlete(
            athletes,
            DoneTraining,
            select(table.athlete, table.date, table.kind, table.type, table.rpe, table.e1rm)
            .where(table.tenant == self.tenant, table.athlete.in_(athletes))
            .where(table.date >= since, table.removed.is_(False))
            .order_by(table.date, table.session),
        )

    def planned(self, athletes: Sequence[str], first: date, last: date) -> dict[str, list[PlannedSession]]:
        """By athlete the sessions of the weeks that may hold days from ``first`` to ``last``, in the order of their
        starts."""
        rows = self.by_athlete(
            athletes,
            list[Any],
            select(PlannedWeekRow.athlete, PlannedWeekRow.sessions).where(
                PlannedWeekRow.tenant == self.tenant,
                PlannedWeekRow.athlete.in_(athletes),
                PlannedWeekRow.week_start > first - timedelta(days=8),
                PlannedWeekRow.week_start <= last + timedelta(days=1),
            ),
        )
        planned = {}
        for athlete, weeks in rows.items():
            sessions = [PlannedSession.model_validate(session) for week in weeks for session in week]
            planned[athlete] = sorted(sessions, key=lambda one: (one.start or datetime.max.replace(tzinfo=UTC), one.id))
        return planned


def _morning(day: date, fields: Mapping[str, Any]) -> Morning:
    return Morning(day, {name: entry[0] for name, entry in fields.items()})


def _load_day(day: date, state: str | None, figures: Mapping[str, Any]) -> LoadDay:
    return LoadDay(day, state, {name: StreamRatio(*figures[name]) for name in STREAMS if name in figures})
