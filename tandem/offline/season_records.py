"""An athlete file as the season records that the periodization service's use cases gather from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from services.periodization.domain import CoachDeload, SeasonChoices
from shared.rules.model import Facts

if TYPE_CHECKING:
    from tandem.offline.pipeline import OfflineAthlete


@dataclass(frozen=True, slots=True)
class FileSeason:
    athlete: "OfflineAthlete"

    def choices(self) -> SeasonChoices:
        file = self.athlete.file
        if file.season is None:
            return SeasonChoices(file.goals)
        return SeasonChoices(file.goals, file.season.start, file.season.week_template, file.season.weeks)

    def chosen_on(self, zone: ZoneInfo) -> date | None:
        return None

    def coach_deloads(self) -> Sequence[CoachDeload]:
        return [CoachDeload(one.start, one.days, one.reason) for one in self.athlete.file.deloads]

    def history(self, since: date, until: date) -> Mapping[date, Facts]:
        return {day: facts for day, facts in self.athlete.day_history().items() if since <= day <= until}
