"""What is said of an athlete's days is stored, unless a newer version is. No message order changes the outcome."""

from collections.abc import MutableMapping
from datetime import UTC, date, datetime
from typing import Any

from services.recovery.messages import LoadAssessed, RecordWellness, SessionScored, WeekPlanned
from services.recovery.store import (
    DoneSessionRow,
    LoadDayRow,
    MorningRow,
    PlannedWeekRow,
    RecoveryAthleteRow,
    RecoveryStore,
)
from shared.bus.routes import Effect, effect_of
from shared.contract.words import STREAMS
from shared.db.versions import Version, is_newer, upsert_newer

Mornings = MutableMapping[tuple[str, date], MorningRow]
LoadDays = MutableMapping[tuple[str, date], LoadDayRow]
DoneSessions = MutableMapping[tuple[str, str], DoneSessionRow]
"""The rows that messages name, by athlete and day or session; what is new is added."""


def record_morning(store: RecoveryStore, stored: Mornings, body: RecordWellness, version: Version) -> dict[str, Effect]:
    """Each measure whose version is the newest; what came of each."""
    stamp = [version[0].astimezone(UTC).isoformat(timespec="microseconds"), version[1]]
    row = stored.get((body.athlete, body.date))
    before: dict[str, Any] = {} if row is None else row.fields
    newer = {
        name: [value, *stamp] for name, value in body.given.items() if name not in before or before[name][1:] < stamp
    }
    if row is None:
        row = MorningRow(tenant=store.tenant, athlete=body.athlete, date=body.date, fields=newer)
        stored[body.athlete, body.date] = row
        store.db.add(row)
    elif newer:
        row.fields = {**before, **newer}
    return {name: effect_of(version, None if name in newer else _version(before[name])) for name in body.given}


def _version(entry: list[Any]) -> Version:
    _, at, message = entry
    return datetime.fromisoformat(at), message


def record_load(
    store: RecoveryStore, stored: LoadDays, athlete: RecoveryAthleteRow, body: LoadAssessed, version: Version
) -> date | None:
    """The days' ratios and states; the earliest of the days."""
    for day in body.days:
        row = stored.get((body.athlete, day.date))
        if row is None:
            row = stored[body.athlete, day.date] = LoadDayRow(tenant=store.tenant, athlete=body.athlete, date=day.date)
            store.db.add(row)
        elif row.version >= version:
            continue
        row.state, row.version = day.state, version
        row.figures = {name: [getattr(day, f"acwr_{name}"), getattr(day, f"status_{name}")] for name in STREAMS}
    if is_newer(version, athlete.load_version_time, athlete.load_version_id):
        athlete.load_version_time, athlete.load_version_id = version
    return min((day.date for day in body.days), default=None)


def record_done(
    store: RecoveryStore, stored: DoneSessions, athlete: RecoveryAthleteRow, body: SessionScored, version: Version
) -> bool:
    """What a session says about effort and strength; the days from its day on wait to be published."""
    row = stored.get((body.athlete, body.session))
    changed_from = body.date
    if row is None:
        row = DoneSessionRow(tenant=store.tenant, athlete=body.athlete, session=body.session)
        stored[body.athlete, body.session] = row
        store.db.add(row)
    elif row.version >= version:
        return False
    else:
        changed_from = min(changed_from, row.date)
    row.removed, row.date, row.kind, row.type, row.version = body.removed, body.date, body.kind, body.type, version
    row.rpe = None if body.removed else body.rpe
    row.e1rm = [] if body.removed else [[one.lift, one.e1rm_kg] for one in body.e1rm]
    waiting = athlete.unpublished_from
    athlete.unpublished_from = changed_from if waiting is None else min(waiting, changed_from)
    return True


def record_week(store: RecoveryStore, body: WeekPlanned, version: Version) -> bool:
    sessions = [session.planned.model_dump(mode="json") for session in body.sessions]
    row = PlannedWeekRow(tenant=store.tenant, athlete=body.athlete, week_start=body.week_start, sessions=sessions)
    row.version = version
    return upsert_newer(store.db, row) is None
