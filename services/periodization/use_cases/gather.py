"""What a season is planned from, gathered in one place for the service and the offline commands."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from services.periodization.domain import (
    MAX_WEEKS_RUNNING,
    CoachDeload,
    SeasonChoices,
    SeasonInputs,
    default_season_weeks,
    default_week_template,
)
from shared.messages.values import Profile
from shared.rules.decisions import Rules
from shared.rules.model import Facts

HISTORY_BEFORE_SEASON: Final = timedelta(days=35)
"""How far before the season's start days are looked at: its first week may follow a trigger that lasted for weeks."""


class SeasonRecords(Protocol):
    """What is recorded of one athlete: in the service's tables or in an athlete file."""

    def choices(self) -> SeasonChoices: ...

    def chosen_on(self, zone: ZoneInfo) -> date | None:
        """The local day on which goals were first set; None when nobody noted it."""

    def coach_deloads(self) -> Sequence[CoachDeload]: ...

    def history(self, since: date, until: date) -> Mapping[date, Facts]:
        """What load and recovery say of each day, both days included; days nobody spoke of are left out."""


def gather_season(
    records: SeasonRecords,
    profile: Profile,
    today: date,
    rules: Rules,
    first: date | None = None,
    weeks: int | None = None,
) -> SeasonInputs:
    """``weeks``: so many at the least, from the week of day ``first`` (the season's first) on."""
    choices = records.choices()
    start = choices.season_start or profile.week_of(records.chosen_on(profile.zone) or today)
    length = choices.weeks or default_season_weeks(start, choices.goals, today, rules)
    if weeks is not None:
        reach = ((first or start) - start).days // 7 + weeks
        length = max(length, min(reach, MAX_WEEKS_RUNNING))
    return SeasonInputs(
        start=start,
        weeks=length,
        template=choices.week_template or default_week_template(profile, rules),
        goals=choices.goals,
        profile=profile,
        history=records.history(start - HISTORY_BEFORE_SEASON, today),
        coach_deloads=records.coach_deloads(),
        on=today,
    )
