"""The scheduling service's tables and queries. Every key and every query carries the tenant.

What people and other services said is stored by natural id, each with the version that counts, so the order in which
messages arrive changes nothing. Plans are derived from these and can be made again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, Index, String, func, or_, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from services.scheduling.domain.ics import changed_calendar
from services.scheduling.domain.week_plan import DoneEntry, PlacedSession, StandingMove, placed_from_json
from shared.athletes.store import AthleteRow, AthleteStore, ErasureRow
from shared.contract.words import Intensity, Phase
from shared.db.common_tables import service_metadata
from shared.db.tables import COLUMN_TYPES, AthleteKey, MessageId
from shared.db.versions import Version, Versioned
from shared.messages.values import Limits, PlannedRef, PlannedSession, Profile, Window


class Tables(DeclarativeBase):
    metadata = service_metadata()
    type_annotation_map = COLUMN_TYPES


class SchedulingAthleteRow(AthleteRow, Tables):
    availability: Mapped[dict[str, Any] | None] = mapped_column(comment="windows and limits")
    available_at: Mapped[datetime | None]
    available_id: Mapped[str | None] = mapped_column(MessageId)
    season_weeks: Mapped[list[Any] | None] = mapped_column(comment="dates of the season's weeks, as last told")
    season_at: Mapped[datetime | None]
    season_id: Mapped[str | None] = mapped_column(MessageId)


class TargetRow(AthleteKey, Versioned, Tables):
    """A week of the season as the periodization service set it, filled with sessions."""

    __tablename__ = "week_targets"
    week_start: Mapped[date] = mapped_column(Date, primary_key=True)
    phase: Mapped[Phase | None] = mapped_column(String(16))
    sessions: Mapped[list[Any]]


class RequestRow(AthleteKey, Versioned, Tables):
    """The latest plan-week of a week; ``sessions`` null = those of the season's targets."""

    __tablename__ = "week_requests"
    week_start: Mapped[date] = mapped_column(Date, primary_key=True)
    sessions: Mapped[dict[str, Any]] = mapped_column(comment="given: the sessions, or null")

    def replaces(self, version: Version) -> bool:
        """Whether it names sessions of its own and came after ``version``: it asks for a fresh calendar."""
        return self.sessions["given"] is not None and self.version > version


class MoveRow(AthleteKey, Versioned, Tables):
    """Where somebody moved a session last. ``overridden``: the hard rules that were broken on purpose, with the
    sessions concerned."""

    __tablename__ = "moves"
    week_start: Mapped[date] = mapped_column(Date, primary_key=True)
    session: Mapped[str] = mapped_column(MessageId, primary_key=True)
    start: Mapped[datetime]
    overridden: Mapped[list[Any]]


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


class DoneRow(AthleteKey, Versioned, Tables):
    """A done session as the load service published it; ``session`` names it, ``planned`` what it was in the plan, in
    ``planned_week`` or, where that is null, in the week of its ``day``."""

    __tablename__ = "done_sessions"
    session: Mapped[str] = mapped_column(MessageId, primary_key=True)
    removed: Mapped[bool]
    start: Mapped[datetime]
    day: Mapped[date | None] = mapped_column("date", Date, comment="the athlete's own; null: told without one")
    planned: Mapped[str | None] = mapped_column(MessageId)
    planned_week: Mapped[date | None] = mapped_column(Date)
    content: Mapped[dict[str, Any]] = mapped_column("told")

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
    calendar: Mapped[dict[str, Any] | None] = mapped_column(comment="session -> sequence, modified, cancelled")

    def take(self, placed: Sequence[Any], now: datetime) -> None:
        """The sessions as they stand from now on; what changes for the athlete's own calendar is counted."""
        self.calendar = changed_calendar(self.calendar or {}, self.placed, placed, now)
        self.placed = list(placed)

    def placed_before(self, today: date) -> list[Any]:
        """The sessions as they stood when ``today`` began."""
        return self.earlier if self.made_on == today else self.placed


class GateRow(AthleteKey, Versioned, Tables):
    """What a day's readiness makes of its sessions; ``published``: session -> digest of the last session-adjusted."""

    __tablename__ = "gates"
    date: Mapped[date] = mapped_column(Date, primary_key=True)
    gate: Mapped[dict[str, Any]]
    today: Mapped[list[Any]]
    decided_by: Mapped[list[Any]]
    published: Mapped[dict[str, Any]] = mapped_column("told", default=dict)


class SchedulingErasureRow(ErasureRow, Tables):
    pass


class SchedulingAthletes(AthleteStore[SchedulingAthleteRow]):
    athlete_row = SchedulingAthleteRow
    erasure_row = SchedulingErasureRow
    held = (TargetRow, RequestRow, MoveRow, OverrideRow, DoneRow, PlanRow, GateRow, SchedulingAthleteRow)


@dataclass(frozen=True, slots=True)
class SchedulingStore:
    """One athlete's rows inside somebody else's transaction; they are the ``CalendarRecords`` of decisions."""

    db: Session
    tenant: str
    athlete: str

    @property
    def key(self) -> dict[str, str]:
        return {"tenant": self.tenant, "athlete": self.athlete}

    @property
    def athletes(self) -> SchedulingAthletes:
        return SchedulingAthletes(self.db, self.tenant)

    def row(self) -> SchedulingAthleteRow | None:
        return self.athletes.athlete(self.athlete)

    def locked_row(self) -> SchedulingAthleteRow:
        return self.athletes.locked_athlete(self.athlete)

    def profile(self) -> Profile | None:
        return self.athletes.profile_of(self.athlete)

    def windows(self) -> list[Window] | None:
        availability = self._availability()
        return None if availability is None else [Window.model_validate(one) for one in availability["windows"]]

    def limits(self) -> Limits | None:
        availability = self._availability()
        given = None if availability is None else availability["limits"]
        return None if given is None else Limits.model_validate(given)

    def phase_on(self, day: date) -> Phase | None:
        begun = (TargetRow.week_start <= day, TargetRow.week_start > day - timedelta(days=7))
        query = select(TargetRow.phase).where(*self._of(TargetRow), *begun)
        phase: Phase | None = self.db.scalar(query.order_by(TargetRow.week_start.desc()).limit(1))
        return phase

    def wanted(self, week_start: date) -> list[PlannedSession] | None:
        request = self.request(week_start)
        given = None if request is None else request.sessions["given"]
        if given is None:
            target = self.target(week_start)
            given = None if target is None else target.sessions
        return None if given is None else [PlannedSession.model_validate(session) for session in given]

    def done(self, first: datetime, until: datetime) -> list[DoneEntry]:
        profile = self.profile()

        def entry(row: DoneRow) -> DoneEntry:
            planned: str | PlannedRef | None = row.planned
            if row.planned is not None and row.planned_week is not None:
                planned = PlannedRef(week=row.planned_week, id=row.planned)
            day = row.day or row.start.astimezone(UTC if profile is None else profile.zone).date()
            return DoneEntry(PlannedSession.model_validate(row.content), row.start, day, planned)

        begun = (DoneRow.removed.is_(False), DoneRow.start >= first, DoneRow.start < until)
        query = select(DoneRow).where(*self._of(DoneRow), *begun).order_by(DoneRow.start, DoneRow.session)
        return [entry(row) for row in self.db.scalars(query)]

    def planned_beside(self, week_start: date, weeks: int) -> dict[date, list[PlacedSession]]:
        """Not those that share days with the week: they were made while the athlete's weeks began on another day."""
        week = timedelta(weeks=1)
        near = or_(
            PlanRow.week_start.between(week_start - weeks * week, week_start - week),
            PlanRow.week_start.between(week_start + week, week_start + weeks * week),
        )
        plans = self.db.scalars(select(PlanRow).where(*self._of(PlanRow), near).order_by(PlanRow.week_start))
        return {plan.week_start: [placed_from_json(one) for one in plan.placed] for plan in plans}

    def placed_before(self, week_start: date, today: date) -> list[PlacedSession]:
        plan = self.plan(week_start)
        return [] if plan is None else [placed_from_json(one) for one in plan.placed_before(today)]

    def moves(self, week_start: date) -> dict[str, StandingMove]:
        request = self.request(week_start)
        return {
            row.session: StandingMove(row.start, row.overridden)
            for row in self.db.scalars(select(MoveRow).where(*self._of(MoveRow), MoveRow.week_start == week_start))
            if request is None or not request.replaces(row.version)
        }

    def gate(self, day: date) -> Intensity | None:
        row = self.gate_row(day)
        return None if row is None else row.gate["intensity"]

    def gate_row(self, day: date) -> GateRow | None:
        return self.db.get(GateRow, (self.tenant, self.athlete, day))

    def gates(self, first: date, last: date) -> Sequence[GateRow]:
        query = select(GateRow).where(*self._of(GateRow), GateRow.date.between(first, last))
        return self.db.scalars(query.order_by(GateRow.date)).all()

    def target(self, week_start: date) -> TargetRow | None:
        return self.db.get(TargetRow, (self.tenant, self.athlete, week_start))

    def targets_from(self, first: date) -> Sequence[TargetRow]:
        """The season's weeks from ``first`` on, oldest first."""
        query = select(TargetRow).where(*self._of(TargetRow), TargetRow.week_start >= first)
        return self.db.scalars(query.order_by(TargetRow.week_start)).all()

    def targets_between(self, first: date, last: date) -> Sequence[TargetRow]:
        """The season's weeks that begin from ``first`` to ``last``."""
        return self.db.scalars(
            select(TargetRow).where(*self._of(TargetRow), TargetRow.week_start.between(first, last))
        ).all()

    def request(self, week_start: date) -> RequestRow | None:
        return self.db.get(RequestRow, (self.tenant, self.athlete, week_start))

    def requests(self, since: date | None = None, asked_since: datetime | None = None) -> Sequence[RequestRow]:
        """Of weeks that begin on ``since`` or later, or that were asked for since then; by default all."""
        query = select(RequestRow).where(*self._of(RequestRow))
        if since is not None:
            query = query.where(or_(RequestRow.week_start >= since, RequestRow.version_time >= asked_since))
        return self.db.scalars(query.order_by(RequestRow.week_start)).all()

    def plan(self, week_start: date) -> PlanRow | None:
        return self.db.get(PlanRow, (self.tenant, self.athlete, week_start))

    def plans_since(self, week_start: date) -> Sequence[PlanRow]:
        """The plans of that week and those after it, oldest first."""
        query = select(PlanRow).where(*self._of(PlanRow), PlanRow.week_start >= week_start)
        return self.db.scalars(query.order_by(PlanRow.week_start)).all()

    def plan_on(self, day: date) -> PlanRow | None:
        """The plan of the week that holds a day; of two that overlap the later week's."""
        begun = (PlanRow.week_start <= day, PlanRow.week_start > day - timedelta(weeks=1))
        query = select(PlanRow).where(*self._of(PlanRow), *begun).order_by(PlanRow.week_start.desc())
        return self.db.scalar(query.limit(1))

    def plans_with(self, session: str, since: date) -> list[PlanRow]:
        """Of the plans of weeks that begin on ``since`` or later those that hold a session."""
        return [row for row in self.plans_since(since) if any(placed["id"] == session for placed in row.placed)]

    def erased_since(self, at: datetime) -> bool:
        return self.athletes.erased_since(self.athlete, at)

    def is_erased(self, at: datetime) -> bool:
        return self.athletes.is_erased(self.athlete, at)

    def _availability(self) -> dict[str, Any] | None:
        row = self.row()
        return None if row is None else row.availability

    def _of(self, table: type[AthleteKey]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return table.tenant == self.tenant, table.athlete == self.athlete


def planned_athletes(db: Session, tenant: str, week_start: date) -> Sequence[str]:
    """Athletes with a plan of that week or a later one; those planned farthest ahead first."""
    query = (
        select(PlanRow.athlete)
        .where(PlanRow.tenant == tenant, PlanRow.week_start >= week_start)
        .group_by(PlanRow.athlete)
        .order_by(func.max(PlanRow.week_start).desc(), PlanRow.athlete)
    )
    return db.scalars(query).all()
