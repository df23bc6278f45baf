"""The scheduling service's tables and queries. Every key and every query carries the tenant.

What people and other services told is kept by natural id, each with the version that wins (later ce-time, then greater
ce-id), so the order in which messages arrive changes nothing. Plans are derived from these and can be made again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Date, Index, String, delete, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from shared.db.common_tables import service_metadata
from shared.db.inserts import insert_into
from shared.db.tables import COLUMN_TYPES, AthleteKey, MessageId, Tenant
from shared.messages.values import PlannedSession, Profile

Version = tuple[datetime, str]
"""ce-time and ce-id."""


class Tables(DeclarativeBase):
    metadata = service_metadata()
    type_annotation_map = COLUMN_TYPES


class AthleteRow(AthleteKey, Tables):
    """An athlete somebody spoke of; ``profile`` is None until ``athlete.put`` arrives."""

    __tablename__ = "athletes"
    profile: Mapped[dict[str, Any] | None]
    put_at: Mapped[datetime | None]
    put_id: Mapped[str | None] = mapped_column(MessageId)
    availability: Mapped[dict[str, Any] | None] = mapped_column(comment="windows and limits")
    available_at: Mapped[datetime | None]
    available_id: Mapped[str | None] = mapped_column(MessageId)
    season_weeks: Mapped[list[Any] | None] = mapped_column(comment="dates of the season's weeks, as last told")
    season_at: Mapped[datetime | None]
    season_id: Mapped[str | None] = mapped_column(MessageId)


class TargetRow(AthleteKey, Tables):
    """A week of the season as the periodization service set it, filled with sessions."""

    __tablename__ = "week_targets"
    week_start: Mapped[date] = mapped_column(Date, primary_key=True)
    phase: Mapped[str | None] = mapped_column(String(16))
    sessions: Mapped[list[Any]]
    told_at: Mapped[datetime]
    told_id: Mapped[str] = mapped_column(MessageId)


class RequestRow(AthleteKey, Tables):
    """The latest plan-week of a week; ``sessions`` null = those of the season's targets."""

    __tablename__ = "week_requests"
    week_start: Mapped[date] = mapped_column(Date, primary_key=True)
    sessions: Mapped[dict[str, Any]] = mapped_column(comment="given: the sessions, or null")
    told_at: Mapped[datetime]
    told_id: Mapped[str] = mapped_column(MessageId)


class MoveRow(AthleteKey, Tables):
    """Where somebody moved a session last. ``overridden``: the hard rules that were broken on purpose, with the
    sessions concerned."""

    __tablename__ = "moves"
    session: Mapped[str] = mapped_column(MessageId, primary_key=True)
    start: Mapped[datetime]
    overridden: Mapped[list[Any]]
    told_at: Mapped[datetime]
    told_id: Mapped[str] = mapped_column(MessageId)


class OverrideRow(AthleteKey, Tables):
    """The audit trail: every hard rule broken on purpose, by whom and why."""

    __tablename__ = "overrides"
    message_id: Mapped[str] = mapped_column(MessageId, primary_key=True)
    session: Mapped[str] = mapped_column(MessageId)
    start: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(500))
    reason: Mapped[str] = mapped_column(String(500))
    violations: Mapped[list[Any]]
    at: Mapped[datetime]


class DoneRow(AthleteKey, Tables):
    """A done session as the load service told it; ``session`` names it, ``planned`` what it was in the plan."""

    __tablename__ = "done_sessions"
    session: Mapped[str] = mapped_column(MessageId, primary_key=True)
    removed: Mapped[bool]
    start: Mapped[datetime]
    planned: Mapped[str | None] = mapped_column(MessageId)
    told: Mapped[dict[str, Any]]
    told_at: Mapped[datetime]
    told_id: Mapped[str] = mapped_column(MessageId)

    __table_args__ = (Index("ix_done_sessions_start", "tenant", "athlete", "start"),)


class PlanRow(AthleteKey, Tables):
    """A week's plan. ``placed``: its sessions; ``earlier``: those of the last plan made before ``made_on``."""

    __tablename__ = "plans"
    week_start: Mapped[date] = mapped_column(Date, primary_key=True)
    document: Mapped[dict[str, Any]]
    placed: Mapped[list[Any]]
    earlier: Mapped[list[Any]]
    made_on: Mapped[date] = mapped_column(Date, comment="the athlete's local date")
    digest: Mapped[str] = mapped_column(String(64), comment="of the last week-planned or week-infeasible")
    pack: Mapped[str | None] = mapped_column(String(64), comment="hash of the sequencing pack it was made by")


class GateRow(AthleteKey, Tables):
    """What a day's readiness makes of its sessions; ``told``: session -> digest of the last session-adjusted."""

    __tablename__ = "gates"
    date: Mapped[date] = mapped_column(Date, primary_key=True)
    gate: Mapped[dict[str, Any]]
    today: Mapped[list[Any]]
    decided_by: Mapped[list[Any]]
    told: Mapped[dict[str, Any]]
    told_at: Mapped[datetime]
    told_id: Mapped[str] = mapped_column(MessageId)


class ErasureRow(Tables):
    """That somebody was erased, without saying who: a message from before must not bring the person back."""

    __tablename__ = "erasures"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    athlete_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    erased_at: Mapped[datetime]


HELD = (TargetRow, RequestRow, MoveRow, OverrideRow, DoneRow, PlanRow, GateRow, AthleteRow)


@dataclass(frozen=True, slots=True)
class SchedulingStore:
    """One tenant's scheduling data inside somebody else's transaction."""

    db: Session
    tenant: str

    def athlete(self, athlete: str) -> AthleteRow | None:
        return self.db.get(AthleteRow, (self.tenant, athlete))

    def locked_athlete(self, athlete: str) -> AthleteRow:
        """The athlete's row, made when missing, and held until the transaction ends: two replicas that both took a
        message about one athlete take turns."""
        self.db.execute(
            insert_into(self.db, AthleteRow)
            .values(tenant=self.tenant, athlete=athlete, profile=None, availability=None)
            .on_conflict_do_nothing()
        )
        return self.db.scalars(select(AthleteRow).where(*self._of(AthleteRow, athlete)).with_for_update()).one()

    def athletes(self) -> Sequence[str]:
        """Athletes of the tenant that can be planned for."""
        return self.db.scalars(
            select(AthleteRow.athlete)
            .where(AthleteRow.tenant == self.tenant, AthleteRow.put_at.is_not(None))
            .order_by(AthleteRow.athlete)
        ).all()

    def profile(self, row: AthleteRow) -> Profile | None:
        return None if row.profile is None else Profile.model_validate(row.profile)

    def keep(self, table: Any, key: Mapping[str, Any], values: Mapping[str, Any], version: Version) -> bool:
        """Writes a row that somebody told, unless a newer telling is held; says whether it was written."""
        row = self.db.get(table, {"tenant": self.tenant, **key})
        if row is None:
            row = table(tenant=self.tenant, **key)
            self.db.add(row)
        elif (row.told_at, row.told_id) >= version:
            return False
        for name, value in values.items():
            setattr(row, name, value)
        row.told_at, row.told_id = version
        self.db.flush()
        return True

    def target(self, athlete: str, week_start: date) -> TargetRow | None:
        return self.db.get(TargetRow, (self.tenant, athlete, week_start))

    def targets_from(self, athlete: str, first: date) -> Sequence[TargetRow]:
        """The season's weeks from ``first`` on, oldest first."""
        return self.db.scalars(
            select(TargetRow)
            .where(*self._of(TargetRow, athlete), TargetRow.week_start >= first)
            .order_by(TargetRow.week_start)
        ).all()

    def request(self, athlete: str, week_start: date) -> RequestRow | None:
        return self.db.get(RequestRow, (self.tenant, athlete, week_start))

    def plan(self, athlete: str, week_start: date) -> PlanRow | None:
        return self.db.get(PlanRow, (self.tenant, athlete, week_start))

    def gate(self, athlete: str, day: date) -> GateRow | None:
        return self.db.get(GateRow, (self.tenant, athlete, day))

    def requests(self, athlete: str) -> Sequence[RequestRow]:
        return self.db.scalars(
            select(RequestRow).where(*self._of(RequestRow, athlete)).order_by(RequestRow.week_start)
        ).all()

    def gates(self, athlete: str, first: date, last: date) -> Sequence[GateRow]:
        return self.db.scalars(
            select(GateRow)
            .where(*self._of(GateRow, athlete), GateRow.date >= first, GateRow.date <= last)
            .order_by(GateRow.date)
        ).all()

    def plans_around(self, athlete: str, week_start: date) -> Sequence[PlanRow]:
        """The plans of the two weeks before and after, oldest first; not that week's own."""
        return self.db.scalars(
            select(PlanRow)
            .where(
                *self._of(PlanRow, athlete),
                PlanRow.week_start >= week_start - timedelta(days=14),
                PlanRow.week_start <= week_start + timedelta(days=14),
                PlanRow.week_start != week_start,
            )
            .order_by(PlanRow.week_start)
        ).all()

    def plans_since(self, athlete: str, week_start: date) -> Sequence[PlanRow]:
        """The plans of that week and those after it, oldest first."""
        query = select(PlanRow).where(*self._of(PlanRow, athlete), PlanRow.week_start >= week_start)
        return self.db.scalars(query.order_by(PlanRow.week_start)).all()

    def planned_athletes(self, week_start: date) -> Sequence[str]:
        """Athletes with a plan of that week or a later one; those planned farthest ahead first."""
        query = (
            select(PlanRow.athlete)
            .where(PlanRow.tenant == self.tenant, PlanRow.week_start >= week_start)
            .group_by(PlanRow.athlete)
            .order_by(func.max(PlanRow.week_start).desc(), PlanRow.athlete)
        )
        return self.db.scalars(query).all()

    def plan_with(self, athlete: str, session: str) -> PlanRow | None:
        """The latest plan that holds a session."""
        rows = self.db.scalars(
            select(PlanRow).where(*self._of(PlanRow, athlete)).order_by(PlanRow.week_start.desc())
        ).all()
        return next((row for row in rows if any(placed["id"] == session for placed in row.placed)), None)

    def moves(self, athlete: str) -> dict[str, MoveRow]:
        return {row.session: row for row in self.db.scalars(select(MoveRow).where(*self._of(MoveRow, athlete)))}

    def done(self, athlete: str, first: datetime, last: datetime) -> Sequence[DoneRow]:
        """Done sessions that began in [first, last), in time order."""
        return self.db.scalars(
            select(DoneRow)
            .where(
                *self._of(DoneRow, athlete),
                DoneRow.removed.is_(False),
                DoneRow.start >= first,
                DoneRow.start < last,
            )
            .order_by(DoneRow.start, DoneRow.session)
        ).all()

    def erased_since(self, athlete: str, at: datetime) -> bool:
        """Whether the athlete was erased at or after ``at``."""
        row = self._erasure(athlete)
        return row is not None and row.erased_at >= at

    def is_erased(self, athlete: str, at: datetime) -> bool:
        """Whether what another service told at ``at`` is not kept: the athlete was erased since, or erased and not put
        again."""
        erasure = self._erasure(athlete)
        if erasure is None:
            return False
        row = self.athlete(athlete)
        return erasure.erased_at >= at or row is None or row.profile is None

    def erase(self, athlete: str, at: datetime) -> None:
        """Deletes all that is held of the athlete; only the fact that somebody was erased stays."""
        for table in HELD:
            self.db.execute(delete(table).where(*self._of(table, athlete)))
        row = self._erasure(athlete)
        if row is None:
            self.db.add(ErasureRow(tenant=self.tenant, athlete_digest=self._digest(athlete), erased_at=at))
        else:
            row.erased_at = max(row.erased_at, at)

    def _erasure(self, athlete: str) -> ErasureRow | None:
        return self.db.get(ErasureRow, (self.tenant, self._digest(athlete)))

    def _of(self, table: Any, athlete: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return table.tenant == self.tenant, table.athlete == athlete

    def _digest(self, athlete: str) -> str:
        return sha256(f"{self.tenant}/{athlete}".encode()).hexdigest()


def done_session(row: DoneRow) -> PlannedSession:
    return PlannedSession.model_validate(row.told)
