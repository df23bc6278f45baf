"""A week's runs: the long one, the hard ones within what the easy share leaves, and easy ones for the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from services.periodization.domain.season import SeasonWeek
from shared.messages.values import MAX_SESSION_MINUTES
from shared.messages.words import Level, RunType


@dataclass(frozen=True, slots=True)
class PlannedRun:
    type: RunType
    minutes: float


def planned_runs(
    week: SeasonWeek, level: Level, races: int, other_sessions: int, settings: Mapping[str, Any]
) -> tuple[PlannedRun, ...]:
    """Runs that together last the week's ``run_minutes``, quality runs at most 1 − ``easy_share`` of them.

    ``races`` stand in for as many quality runs. ``other_sessions`` (lifts, races) count towards the week's most
    sessions, so that the easy minutes are cut into no more runs than a week can hold. A week with less than
    ``run_minutes_least`` has no run.
    """
    shortest = float(settings["run_minutes_least"])
    total = week.run_minutes
    if total < shortest:
        return ()
    long_minutes = week.long_run_minutes if week.long_run_minutes >= float(settings["long_run_minutes_least"]) else 0.0
    hard = _quality_runs(week, level, races, total - long_minutes, settings)
    easy_minutes = max(0.0, total - long_minutes - sum(run.minutes for run in hard))
    runs: list[PlannedRun] = [PlannedRun("long", long_minutes)] if long_minutes > 0.0 else []
    runs += hard
    if 0.0 < easy_minutes < shortest and runs:
        runs[0] = PlannedRun(runs[0].type, runs[0].minutes + easy_minutes) if long_minutes else runs[0]
        if not long_minutes:
            hard_total = sum(run.minutes for run in hard)
            return (PlannedRun("easy", easy_minutes + hard_total),)
        easy_minutes = 0.0
    runs += _easy_runs(easy_minutes, level, len(runs) + other_sessions, shortest, settings)
    return tuple(runs)


def _quality_runs(
    week: SeasonWeek, level: Level, races: int, left: float, settings: Mapping[str, Any]
) -> list[PlannedRun]:
    budget = min(left, (1.0 - week.easy_share) * week.run_minutes)
    shortest, longest = float(settings["quality_run_minutes_least"]), float(settings["quality_run_minutes_most"])
    count = min(max(0, week.quality_runs - races), int((budget + 1e-9) // shortest))
    if count == 0:
        return []
    types: Sequence[RunType] = settings["quality_run_types"][level].get(week.phase) or ["tempo"]
    minutes = min(budget / count, longest)
    return [PlannedRun(types[place % len(types)], minutes) for place in range(count)]


def _easy_runs(
    minutes: float, level: Level, sessions: int, shortest: float, settings: Mapping[str, Any]
) -> list[PlannedRun]:
    if minutes <= 0.0:
        return []
    usual = float(settings["easy_run_minutes"][level])
    most = max(1, int(settings["sessions_most"]) - sessions)
    count = max(1, min(ceil(minutes / usual), most, int(minutes // shortest) or 1))
    count = max(count, ceil(minutes / MAX_SESSION_MINUTES))
    return [PlannedRun("easy", minutes / count) for _ in range(count)]
