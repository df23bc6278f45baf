"""Goals as sessions: a race or a strength test is a key session on its own date, at a fixed time."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any, Final

from services.periodization.domain.season import SeasonWeek
from shared.contract.sessions import Region
from shared.contract.words import Level
from shared.messages.values import MAX_SESSION_MINUTES, Goal, PlannedSession, Profile

SECONDS_PER_MINUTE: Final = 60.0
THRESHOLD_PACE_SECONDS: Final = 3600.0
"""Threshold pace is about the pace that can be held for an hour (Daniels' T pace)."""
RIEGEL_EXPONENT: Final = 1.06
"""T2 = T1 (D2/D1)^1.06: Riegel 1981, American Scientist 69(3):285; good from about 3.5 to 230 min."""


def race_minutes(goal: Goal, profile: Profile | None, settings: Mapping[str, Any]) -> float:
    """How long the race will take, whole minutes: the target time, else Riegel's estimate from threshold
    pace or, failing that, from the level's usual 10 km time; without a distance the setting
    ``race_minutes_unknown``."""
    if goal.target_time_s is not None:
        minutes = goal.target_time_s / SECONDS_PER_MINUTE
    elif goal.distance_km is None:
        minutes = float(settings["race_minutes_unknown"])
    else:
        if profile is not None and profile.threshold_pace_s_per_km is not None:
            known_seconds = THRESHOLD_PACE_SECONDS
            known_km = THRESHOLD_PACE_SECONDS / profile.threshold_pace_s_per_km
        else:
            level: Level = "intermediate" if profile is None else profile.level
            known_seconds, known_km = float(settings["ten_km_minutes"][level]) * SECONDS_PER_MINUTE, 10.0
        minutes = known_seconds * (goal.distance_km / known_km) ** RIEGEL_EXPONENT / SECONDS_PER_MINUTE
    return float(round(min(max(minutes, 1.0), float(MAX_SESSION_MINUTES))))


def tested_region(goal: Goal, settings: Mapping[str, Any]) -> Region:
    """The body region a strength test loads, from the words in its lift's name; ``full`` when none is known."""
    name = (goal.lift or goal.name or "").lower().replace("-", " ").replace("_", " ")
    regions: Mapping[str, Region] = settings["test_lift_regions"]
    return next((region for word, region in regions.items() if word.replace("-", " ") in name), "full")


def goal_sessions(
    week: SeasonWeek, goals: tuple[Goal, ...], profile: Profile | None, settings: Mapping[str, Any]
) -> tuple[PlannedSession, ...]:
    """The week's races and strength tests, in order of date and id. Times are the athlete's, UTC without a profile."""
    zone = UTC if profile is None else profile.zone
    found = []
    for goal in sorted(goals, key=lambda goal: (goal.date, goal.kind, goal.id)):
        if not week.start <= goal.date < week.end:
            continue
        clock = time.fromisoformat(settings["goal_start"][goal.kind])
        start = datetime.combine(goal.date, clock, zone)
        name = f"{goal.date.isoformat()}.{goal.kind}.{goal.id}"[:128]
        if goal.kind == "race":
            minutes = race_minutes(goal, profile, settings)
            found.append(PlannedSession(id=name, kind="run", type="race", duration_min=minutes, start=start, key=True))
        else:
            minutes = float(settings["strength_test_minutes"])
            region = tested_region(goal, settings)
            found.append(
                PlannedSession(
                    id=name, kind="lift", region=region, effort="max", duration_min=minutes, start=start, key=True
                )
            )
    return tuple(found)
