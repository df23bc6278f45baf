"""What is said of an athlete, stored unless a newer version is (each function says what came of it), and the athlete
as one call of a handler sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from services.scheduling.messages import (
    PlanWeek,
    ReadinessAssessed,
    SeasonPlanned,
    SessionScored,
    SetAvailability,
    WeekTargetsSet,
)
from services.scheduling.store import DoneRow, GateRow, RequestRow, SchedulingAthleteRow, SchedulingStore, TargetRow
from services.scheduling.use_cases.gather import CheckInputs, gather_plan
from shared.bus.routes import APPLIED, Context, Effect, effect_of
from shared.db.versions import Version, is_newer, stands, upsert_newer
from shared.messages.values import PlannedRef, PlannedSession, Profile


@dataclass(frozen=True, slots=True)
class AthleteContext:
    """An athlete whose profile is known, within one call of a handler."""

    context: Context
    store: SchedulingStore
    profile: Profile

    @property
    def athlete(self) -> str:
        return self.store.athlete

    @property
    def today(self) -> date:
        return self.profile.day_of(self.context.now())

    def gather_plan(self, week_start: date, sessions: Sequence[PlannedSession]) -> CheckInputs:
        return gather_plan(self.store, self.profile, week_start, sessions)


def athlete_context(context: Context, athlete: str) -> AthleteContext | None:
    """None while nobody has put the athlete."""
    store = SchedulingStore(context.db, context.tenant, athlete)
    profile = store.profile()
    return None if profile is None else AthleteContext(context, store, profile)


def record_availability(store: SchedulingStore, body: SetAvailability, version: Version) -> Effect:
    row = store.locked_row()
    stored = stands(version, row.available_at, row.available_id)
    if stored is not None:
        return effect_of(version, stored)
    row.availability = {
        "windows": [window.model_dump(mode="json", by_alias=True, exclude_none=True) for window in body.windows],
        "limits": None if body.limits is None else body.limits.model_dump(),
    }
    row.available_at, row.available_id = version
    return APPLIED


def record_request(store: SchedulingStore, body: PlanWeek, version: Version) -> Effect:
    store.locked_row()
    given = (
        None
        if body.sessions is None
        else [session.model_dump(mode="json", exclude_none=True) for session in body.sessions]
    )
    row = RequestRow(**store.key, week_start=body.week_start, sessions={"given": given}, version=version)
    return effect_of(version, upsert_newer(store.db, row))


def record_targets(store: SchedulingStore, body: WeekTargetsSet, version: Version) -> bool:
    """Not those of a week that the season no longer held when it was planned later."""
    if _withdrawn(store.locked_row(), body.week_start, version):
        return False
    sessions = [session.model_dump(mode="json", exclude_none=True) for session in body.sessions]
    row = TargetRow(**store.key, week_start=body.week_start, phase=body.phase, sessions=sessions, version=version)
    return upsert_newer(store.db, row) is None


def record_season(store: SchedulingStore, body: SeasonPlanned, version: Version, now: datetime) -> Sequence[date]:
    """The weeks, not over yet, that lose their sessions because the season no longer holds them."""
    row = store.locked_row()
    if not is_newer(version, row.season_at, row.season_id):
        return ()
    row.season_weeks = sorted({week.start.isoformat() for week in body.weeks})
    row.season_at, row.season_id = version
    profile = store.profile()
    today = now.astimezone(UTC).date() if profile is None else profile.day_of(now)
    gone = [
        target
        for target in store.targets_from(today - timedelta(days=6))
        if target.sessions and _withdrawn(row, target.week_start, target.version)
    ]
    for target in gone:
        target.sessions, target.version = [], version
    return [target.week_start for target in gone]


def record_done(store: SchedulingStore, body: SessionScored, version: Version) -> bool:
    store.locked_row()
    content = {} if body.removed else body.done.model_dump(mode="json", exclude_none=True)
    row = DoneRow(
        **store.key,
        session=body.session,
        removed=body.removed,
        start=body.start,
        day=body.date,
        planned=body.planned.id if isinstance(body.planned, PlannedRef) else body.planned,
        planned_week=body.planned.week if isinstance(body.planned, PlannedRef) else None,
        content=content,
        version=version,
    )
    return upsert_newer(store.db, row) is None


def record_gate(store: SchedulingStore, body: ReadinessAssessed, version: Version) -> bool:
    store.locked_row()
    row = GateRow(
        **store.key,
        date=body.date,
        gate=body.gate.model_dump(mode="json"),
        today=[session.model_dump(mode="json", exclude_none=True) for session in body.today],
        decided_by=body.decided_by,
        version=version,
    )
    return upsert_newer(store.db, row) is None


def _withdrawn(row: SchedulingAthleteRow, week_start: date, version: Version) -> bool:
    """Whether the season, planned later than ``version``, does not hold the week."""
    if row.season_at is None or row.season_weeks is None:
        return False
    return week_start.isoformat() not in row.season_weeks and version < (row.season_at, row.season_id or "")
