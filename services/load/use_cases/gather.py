"""What load is assessed from, gathered in one place for the service and for the offline command."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from services.load.domain import DailyLoads, LoadSeries, daily_loads
from services.load.domain.daily import CountedSession
from services.load.domain.quality import screened
from services.load.domain.settings import LoadSettings
from shared.messages.values import DayLoad, MarkedDay, Profile
from shared.rules.decisions import Rules


class TrainingRecords(Protocol):
    """What is recorded of several athletes' training: in the service's tables or in an athlete file."""

    def counted(self, athletes: Sequence[str]) -> Mapping[str, Sequence[CountedSession]]:
        """Every session that counts, with what it cost."""

    def day_loads(self, athletes: Sequence[str]) -> Mapping[str, Sequence[DayLoad]]:
        """Loads of whole days that another system has summed."""

    def marks(self, athletes: Sequence[str]) -> Mapping[str, Sequence[MarkedDay]]: ...


def gather_days(
    records: TrainingRecords, wanted: Mapping[str, tuple[Profile, date]], *settings: LoadSettings
) -> dict[str, list[DailyLoads]]:
    """The daily loads of several athletes, each in the profile's days through a date, by each of the ``settings``; read
    at once."""
    names = list(wanted)
    counted, day_loads, marks = records.counted(names), records.day_loads(names), records.marks(names)
    gathered = {}
    for name, (profile, through) in wanted.items():
        days = {one.id: one.day_in(profile.zone) for one in counted[name]}
        screens = [screened(counted[name], days, day_loads[name], numbers) for numbers in settings]
        gathered[name] = [
            daily_loads(counted[name], day_loads[name], marks[name], profile.zone, through, quality)
            for quality in screens
        ]
    return gathered


def gather_series(
    records: TrainingRecords, athlete: str, profile: Profile, through: date, *rules: Rules
) -> list[LoadSeries]:
    """One athlete's figures of every day through a date, by each of the ``rules``."""
    settings = [one.settings("recovery") for one in rules]
    daily = gather_days(records, {athlete: (profile, through)}, *map(LoadSettings.of, settings))[athlete]
    return [LoadSeries(days, one, through) for days, one in zip(daily, settings, strict=True)]
