"""A week's runs: the long one, the hard ones within what the easy share leaves, and easy ones for the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, Final

from services.periodization.domain.lift_sessions import MARK_MINUTES
from services.periodization.domain.season import SeasonWeek
from shared.contract.sessions import RunType
from shared.contract.words import Level
from shared.messages.values import MAX_SESSION_MINUTES

_ROUNDING: Final = 1e-9
"""(1 − 0.8) · 240 is a hair under 48 in floating point; without this a quality run would lose its last minute."""


@dataclass(frozen=True, slots=True)
class PlannedRun:
    type: RunType
    minutes: int


def planned_runs(
    week: SeasonWeek, level: Level, races: int, other_sessions: int, settings: Mapping[str, Any]
) -> tuple[PlannedRun, ...]:
    """Runs that together last the week's ``run_minutes``, quality runs at most 1 − ``easy_share``. All but one last
    multiples of 5 minutes; that one takes what is left.

    ``races`` stand in for as many quality runs. ``other_sessions`` (lifts, races) count towards the week's most
    sessions, so that the easy minutes are cut into no more runs than a week can hold. A week with less than
    ``run_minutes_least`` has no run.
    """
    shortest = float(settings["run_minutes_least"])
    total = round(week.run_minutes)
    if total < shortest:
        return ()
    long_minutes = min(_marked(week.long_run_minutes), total)
    if long_minutes < float(settings["long_run_minutes_least"]):
        long_minutes = 0
    hard = _quality_runs(week, level, races, total, total - long_minutes, settings)
    easy_minutes = total - long_minutes - sum(run.minutes for run in hard)
    if easy_minutes < shortest and long_minutes > 0:
        long_minutes, easy_minutes = long_minutes + easy_minutes, 0
    long = [PlannedRun("long", long_minutes)] if long_minutes > 0 else []
    return (*long, *hard, *_easy_runs(easy_minutes, level, len(long) + len(hard) + other_sessions, shortest, settings))


def _quality_runs(
    week: SeasonWeek, level: Level, races: int, total: int, left: int, settings: Mapping[str, Any]
) -> list[PlannedRun]:
    budget = min(left, floor((1.0 - week.easy_share) * total + _ROUNDING))
    shortest, longest = float(settings["quality_run_minutes_least"]), float(settings["quality_run_minutes_most"])
    count = min(max(0, week.quality_runs - races), int(budget // shortest))
    if count == 0:
        return []
    types: Sequence[RunType] = settings["quality_run_types"][level][week.phase]
    minutes = floor(min(budget / count, longest))
    # Down to a mark, so that the easy share is kept; a run that would fall below the shortest stays as it is.
    marked = minutes // MARK_MINUTES * MARK_MINUTES
    return [PlannedRun(types[place % len(types)], marked if marked >= shortest else minutes) for place in range(count)]


def _easy_runs(
    minutes: int, level: Level, sessions: int, shortest: float, settings: Mapping[str, Any]
) -> list[PlannedRun]:
    """Runs as even as marks of 5 minutes allow, the longer ones first; the last takes what no mark holds."""
    if minutes <= 0:
        return []
    usual = float(settings["easy_run_minutes"][level])
    most = max(1, int(settings["sessions_most"]) - sessions)
    count = max(1, min(ceil(minutes / usual), most, int(minutes // shortest)))
    count = max(count, ceil(minutes / MAX_SESSION_MINUTES))
    marks, odd = divmod(minutes, MARK_MINUTES)
    each, over = divmod(marks, count)
    lengths = [MARK_MINUTES * (each + (1 if place < over else 0)) for place in range(count)]
    lengths[-1] += odd
    if lengths[-1] < shortest:
        # So few minutes that marks are too coarse for them.
        each, over = divmod(minutes, count)
        lengths = [each + (1 if place < over else 0) for place in range(count)]
    return [PlannedRun("easy", length) for length in lengths]


def _marked(minutes: float) -> int:
    return MARK_MINUTES * round(minutes / MARK_MINUTES)
