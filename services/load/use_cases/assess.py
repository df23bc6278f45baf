"""From what is stored to the day's assessment."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.load.domain import DailyLoads, LoadSeries
from services.load.domain.settings import LoadSettings
from services.load.store import LoadAthleteRow, LoadStore
from services.load.use_cases.gather import gather_days
from services.load.use_cases.publish import publish_load
from services.load.use_cases.record import TrainingBatch
from services.load.use_cases.score import MEASURED
from shared.athletes.batches import AthleteBatch, assess_each
from shared.messages.values import Profile


def midnight_after(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which the local ``day`` is over, in UTC; right across daylight-saving changes."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def assess_recorded(store: LoadStore, batches: Sequence[TrainingBatch]) -> None:
    """Scores what changed, then assesses each athlete's today once. Written in bulk: athlete by athlete would cost a
    statement each."""
    store.db.flush()
    bases = {batch.athlete: batch.bases for batch in batches if batch.changed and batch.profile is not None}
    since = min((basis.start for of_athlete in bases.values() for basis in of_athlete), default=None)
    estimated = set() if since is None else store.with_estimates(list(bases), since, MEASURED)
    for batch in batches:
        batch.score_and_publish(batch.athlete in estimated)
    store.db.flush()
    assess_today(store, batches)


def assess_today(store: LoadStore, batches: Iterable[AthleteBatch[LoadAthleteRow]]) -> None:
    """Assesses each athlete's today where that is due, and publishes it."""

    def gather(wanted: Mapping[str, tuple[Profile, date]]) -> Mapping[str, list[DailyLoads]]:
        return gather_days(store, wanted, LoadSettings.of(of_tenant.rules.settings("recovery")))

    due = list(batches)
    if due:
        of_tenant = due[0].context
        assess_each(store, due, gather, _assess)


def _assess(batch: AthleteBatch[LoadAthleteRow], profile: Profile, today: date, gathered: Sequence[DailyLoads]) -> None:
    (daily,) = gathered
    series = LoadSeries(daily, batch.context.rules.settings("recovery"), today)
    publish_load(batch, series, daily, today)
    batch.row.assessed_through = today
    batch.row.due_at = midnight_after(today, profile.zone)
