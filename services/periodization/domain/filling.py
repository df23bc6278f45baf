"""A week's targets as sessions to place: the templates of a level and priority, scaled to what the week aims for."""

from collections.abc import Sequence

from services.periodization.domain.goal_sessions import goal_sessions
from services.periodization.domain.lift_sessions import planned_lifts
from services.periodization.domain.run_sessions import planned_runs
from services.periodization.domain.season import SeasonWeek
from shared.contract.words import Level
from shared.messages.values import Goal, PlannedSession, Profile
from shared.rules.decisions import Rules


def fill_week(
    week: SeasonWeek, profile: Profile | None, goals: Sequence[Goal], rules: Rules
) -> tuple[PlannedSession, ...]:
    """Sessions that together make the week's targets; races and strength tests carry their start, the rest is to place.

    Ids are the week's date and the session's name, such as ``2026-03-09.long-run``, so the same targets give the same
    ids and a changed week replaces its sessions in place.
    """
    settings = rules.settings("periodization")
    level: Level = "intermediate" if profile is None else profile.level
    fixed = goal_sessions(week, tuple(goals), profile, settings)
    tested = [session.region for session in fixed if session.region is not None]
    races = sum(session.kind == "run" for session in fixed)
    lifts = planned_lifts(week, level, tested, settings)
    runs = planned_runs(week, level, races, len(lifts) + len(fixed), settings)
    names = _Names(week.start.isoformat())
    sessions = [
        PlannedSession(
            id=names.next(f"{lift.region}-lift"),
            kind="lift",
            region=lift.region,
            effort=lift.effort,
            duration_min=lift.minutes,
        )
        for lift in lifts
    ]
    for run in runs:
        role = run.type if run.type in ("long", "easy") else "quality"
        sessions.append(
            PlannedSession(id=names.next(f"{role}-run"), kind="run", type=run.type, duration_min=float(run.minutes))
        )
    return (*sessions, *fixed)


class _Names:
    """Ids within one week: the first of a name is plain, later ones are numbered from 2."""

    def __init__(self, week: str) -> None:
        self._week = week
        self._given: dict[str, int] = {}

    def next(self, name: str) -> str:
        number = self._given.get(name, 0) + 1
        self._given[name] = number
        return f"{self._week}.{name}" if number == 1 else f"{self._week}.{name}-{number}"
