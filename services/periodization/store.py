"""The periodization service's tables and queries: who the athlete is, what is wanted, what other services said of each
day, and what was published last. Every table and every query carries the tenant."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import JSON, Date, Integer, String, delete, or_, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from services.periodization.domain import CoachDeload, SeasonChoices
from shared.athletes.store import AthleteRow, ErasureRow
from shared.bus.routes import Settlement
from shared.db.common_tables import service_metadata
from shared.db.tables import COLUMN_TYPES, AthleteKey, MessageId, Tenant
from shared.db.versions import Version, Versioned
from shared.messages.values import Goal, Profile, WeekTemplate

Source = Literal["load", "readiness"]


class Tables(DeclarativeBase):
    metadata = service_metadata()
    type_annotation_map = COLUMN_TYPES


class _Said(Versioned):
    version_time: Mapped[datetime] = mapped_column("said_at")
    version_id: Mapped[str] = mapped_column("message_id", MessageId)


class PeriodizationAthleteRow(AthleteRow, Tables):
    """Only of an athlete who was put."""

    profile_json: Mapped[dict[str, Any] | None] = mapped_column("profile", nullable=False)
    put_at: Mapped[datetime | None] = mapped_column("said_at", nullable=False)
    put_id: Mapped[str | None] = mapped_column("message_id", MessageId, nullable=False)


class ChoiceRow(AthleteKey, _Said, Tables):
    """One field of set-goals, each with its own version: commands about different fields never undo each other."""

    __tablename__ = "season_choices"

    field: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


class SeasonRow(AthleteKey, Tables):
    """``asked_at``: when goals were first set. ``due_at``: when the last plan's local day ends; ``packs``: the packs
    that decided it; ``triggers`` and ``published``: fingerprints of what asked for early deloads then, and of the
    season last published. None: not planned yet."""

    __tablename__ = "seasons"

    asked_at: Mapped[datetime]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    packs: Mapped[str | None] = mapped_column(String(160))
    triggers: Mapped[str | None] = mapped_column(String(64))
    published: Mapped[str | None] = mapped_column("told", String(64))


class CoachDeloadRow(AthleteKey, _Said, Tables):
    __tablename__ = "coach_deloads"

    starts: Mapped[date] = mapped_column(Date, primary_key=True)
    days: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(String(500))


class DayRow(AthleteKey, _Said, Tables):
    """What one service last said of one day; features by their names in the rule vocabulary."""

    __tablename__ = "athlete_days"

    date: Mapped[date] = mapped_column(Date, primary_key=True)
    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    facts: Mapped[dict[str, Any]]


class PublishedWeekRow(AthleteKey, Tables):
    __tablename__ = "told_weeks"

    week_start: Mapped[date] = mapped_column(Date, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))


class PublishedDeloadRow(AthleteKey, Tables):
    __tablename__ = "told_deloads"

    starts: Mapped[date] = mapped_column(Date, primary_key=True)
    days: Mapped[int] = mapped_column(Integer)


class PeriodizationErasureRow(ErasureRow, Tables):
    athlete_digest: Mapped[str] = mapped_column("athlete_hash", String(64), primary_key=True, sort_order=-1)
    message_id: Mapped[str] = mapped_column(MessageId)

    def note(self, version: Version) -> None:
        self.erased_at, self.message_id = version


class ConfirmationRow(Tables):
    """One erase command's confirmations, by its correlation id; ``reply_address`` is set once the command is here."""

    __tablename__ = "erase_confirmations"

    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    athlete_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    correlation_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    services: Mapped[list[Any]]
    applied: Mapped[bool] = mapped_column(default=False, comment="one of them held something")
    reply_address: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))


class TrialRow(Tables):
    """A command about rule packs whose sender waits until other services have said what it changes with them.

    ``wanted``: these services; ``comparisons``: by service what it said; ``answer``: the rest of the reply.
    """

    __tablename__ = "rule_trials"

    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True)
    trial: Mapped[str] = mapped_column(MessageId, primary_key=True)
    asked_at: Mapped[datetime]
    wanted: Mapped[list[Any]]
    answer: Mapped[dict[str, Any]]
    comparisons: Mapped[dict[str, Any]] = mapped_column("heard")
    reply_address: Mapped[dict[str, Any]]


HELD: tuple[type[AthleteKey], ...] = (
    ChoiceRow,
    CoachDeloadRow,
    DayRow,
    SeasonRow,
    PublishedWeekRow,
    PublishedDeloadRow,
    PeriodizationAthleteRow,
)
"""What is held of an athlete."""


class SeasonStore:
    """One athlete's rows inside somebody else's transaction; they are the ``SeasonRecords`` of decisions."""

    def __init__(self, db: Session, tenant: str, athlete: str) -> None:
        self.db = db
        self.key = {"tenant": tenant, "athlete": athlete}

    @property
    def athlete(self) -> str:
        return self.key["athlete"]

    def profile(self) -> Profile | None:
        """The profile; its row stays locked (where the database can), so that two replicas never plan one athlete."""
        row = self.db.scalar(select(PeriodizationAthleteRow).filter_by(**self.key).with_for_update())
        return None if row is None else row.profile

    def note_chosen(self, version: Version) -> None:
        """That goals were set; what counts is when they were first."""
        season = self.season()
        if season is None:
            self.db.add(SeasonRow(**self.key, asked_at=version[0]))
        elif version[0] < season.asked_at:
            season.asked_at = version[0]
        self.db.flush()

    def season(self) -> SeasonRow | None:
        """None until goals are set."""
        return self.db.get(SeasonRow, tuple(self.key.values()))

    def chosen_on(self, zone: ZoneInfo) -> date | None:
        season = self.season()
        return None if season is None else season.asked_at.astimezone(zone).date()

    def choices(self) -> SeasonChoices:
        values = {row.field: row.value for row in self.db.scalars(select(ChoiceRow).filter_by(**self.key))}
        start, template = values.get("season_start"), values.get("week_template")
        return SeasonChoices(
            goals=tuple(Goal.model_validate(goal) for goal in values.get("goals", [])),
            season_start=None if start is None else date.fromisoformat(start),
            week_template=None if template is None else WeekTemplate.model_validate(template),
            weeks=values.get("weeks"),
        )

    def stands(self) -> Settlement:
        """Which commands about the athlete count."""
        queries = (select(row.version_id).filter_by(**self.key) for row in (ChoiceRow, CoachDeloadRow))
        return Settlement(self.athlete, {message for query in queries for message in self.db.scalars(query)})

    def coach_deloads(self) -> tuple[CoachDeload, ...]:
        rows = self.db.scalars(select(CoachDeloadRow).filter_by(**self.key).order_by(CoachDeloadRow.starts))
        return tuple(CoachDeload(row.starts, row.days, row.reason) for row in rows)

    def upsert_days(self, source: Source, days: Mapping[date, Mapping[str, Any]], version: Version) -> bool:
        """Writes what ``source`` says of ``days`` unless it said something later; True when any day's facts changed."""
        query = select(DayRow).filter_by(**self.key, source=source).where(DayRow.date.in_(days))
        known = {row.date: row for row in self.db.scalars(query)}
        changed = False
        for day, facts in days.items():
            row = known.get(day)
            if row is not None and row.version >= version:
                continue
            changed = changed or row is None or row.facts != facts
            if row is None:
                row = DayRow(**self.key, source=source, date=day)
                self.db.add(row)
            row.facts, row.version = dict(facts), version
        self.db.flush()
        return changed

    def history(self, since: date, until: date) -> dict[date, dict[str, Any]]:
        """What all services said of each day from ``since`` to ``until``, both included."""
        query = (
            select(DayRow.date, DayRow.facts)
            .filter_by(**self.key)
            .where(DayRow.date.between(since, until))
            .order_by(DayRow.date, DayRow.source)
        )
        found: dict[date, dict[str, Any]] = {}
        for day, facts in self.db.execute(query):
            found.setdefault(day, {}).update(facts)
        return found

    def published_weeks(self, since: date) -> dict[date, PublishedWeekRow]:
        query = select(PublishedWeekRow).filter_by(**self.key).where(PublishedWeekRow.week_start >= since)
        return {row.week_start: row for row in self.db.scalars(query)}

    def note_published_week(self, row: PublishedWeekRow | None, week_start: date, fingerprint: str) -> None:
        """``row``: of what was published of that week before."""
        if row is None:
            self.db.add(PublishedWeekRow(**self.key, week_start=week_start, fingerprint=fingerprint))
        else:
            row.fingerprint = fingerprint

    def note_published_deload(self, starts: date, days: int) -> bool:
        """True when this deload was not published before, or with another length."""
        row = self.db.get(PublishedDeloadRow, (*self.key.values(), starts))
        if row is None:
            self.db.add(PublishedDeloadRow(**self.key, starts=starts, days=days))
            return True
        of_another_length = row.days != days
        row.days = days
        return of_another_length

    def forget_days(self, source: Source, said_until: datetime) -> None:
        """Drops what ``source`` said before it erased the athlete, should it arrive only now."""
        query = delete(DayRow).filter_by(**self.key, source=source).where(DayRow.version_time <= said_until)
        self.db.execute(query, execution_options={"synchronize_session": "fetch"})


def due_athletes(
    db: Session, tenant: str, now: datetime, packs: str, limit: int, among: Sequence[str] | None = None
) -> Sequence[str]:
    """Athletes for whom a new local day has begun since their season was planned, or that other packs planned; the
    longest waiting first. ``among``: only of these."""
    query = (
        select(SeasonRow.athlete)
        .join(
            PeriodizationAthleteRow,
            (PeriodizationAthleteRow.tenant == SeasonRow.tenant)
            & (PeriodizationAthleteRow.athlete == SeasonRow.athlete),
        )
        .where(SeasonRow.tenant == tenant)
        .where(or_(SeasonRow.due_at.is_(None), SeasonRow.due_at <= now, SeasonRow.packs != packs))
        .order_by(SeasonRow.due_at, SeasonRow.athlete)
        .limit(limit)
    )
    return db.scalars(query if among is None else query.where(SeasonRow.athlete.in_(among))).all()


def planned_athletes(db: Session, tenant: str, limit: int) -> Sequence[str]:
    """Athletes with goals; those whose season was planned most recently first."""
    query = (
        select(SeasonRow.athlete)
        .where(SeasonRow.tenant == tenant)
        .order_by(SeasonRow.due_at.desc(), SeasonRow.athlete)
        .limit(limit)
    )
    return db.scalars(query).all()
