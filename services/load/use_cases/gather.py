"""What load is assessed from, gathered in one place for the service and for the offline command."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Protocol

from services.load.domain import DailyLoads, LoadSeries, daily_loads
from services.load.domain.daily import CountedSession
from services.load.domain.quality import screened
from services.load.domain.settings import LoadSettings
from shared.messages.values import DayLoad, MarkedDay, Profile
from shared.rules.decisions import Rules

DAYS_ASKED_AT_ONCE = 366


class TrainingRecords(Protocol):
    """What is recorded of several athletes' training: in the service's tables or in an athlete file."""

    def counted(self, athletes: Sequence[str], since: date) -> Mapping[str, Sequence[CountedSession]]:
        """Every session that counts, of the days from ``since`` on, with what it cost."""

    def day_loads(self, athletes: Sequence[str], since: date) -> Mapping[str, Sequence[DayLoad]]:
        """Loads of whole days that another system has summed."""

    def marks(self, athletes: Sequence[str], since: date) -> Mapping[str, Sequence[MarkedDay]]: ...


def gather_days(
    records: TrainingRecords,
    wanted: Mapping[str, tuple[Profile, date]],
    *settings: LoadSettings,
    first: date | None = None,
) -> dict[str, list[DailyLoads]]:
    """The daily loads of several athletes, each in the profile's days through a date, by each of the ``settings``; read
    at once. ``first``: the earliest day that will be asked about, by default the last; what no figure of it can show is
    not read."""
    names = list(wanted)
    look_back = timedelta(days=DAYS_ASKED_AT_ONCE + max(numbers.days_looked_back for numbers in settings))
    begins = {name: min(first or through, through) - look_back for name, (_, through) in wanted.items()}
    since = min(begins.values(), default=date.max)
    counted, day_loads = records.counted(names, since), records.day_loads(names, since)
    marks = records.marks(names, since)
    gathered = {}
    for name, (profile, through) in wanted.items():
        days = {one.id: one.day_in(profile.zone) for one in counted[name]}
        sessions = [one for one in counted[name] if days[one.id] >= begins[name]]
        loads = [one for one in day_loads[name] if one.date >= begins[name]]
        marked = [one for one in marks[name] if one.date >= begins[name]]
        screens = [screened(sessions, days, loads, numbers) for numbers in settings]
        gathered[name] = [daily_loads(sessions, loads, marked, profile.zone, through, quality) for quality in screens]
    return gathered


def gather_series(
    records: TrainingRecords, athlete: str, profile: Profile, through: date, *rules: Rules, first: date | None = None
) -> list[LoadSeries]:
    """One athlete's figures of every day from ``DAYS_ASKED_AT_ONCE`` before ``first`` through a date, by each of the
    ``rules``."""
    settings = [one.settings("recovery") for one in rules]
    daily = gather_days(records, {athlete: (profile, through)}, *map(LoadSettings.of, settings), first=first)[athlete]
    return [LoadSeries(days, one, through) for days, one in zip(daily, settings, strict=True)]
