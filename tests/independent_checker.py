"""A second opinion on calendars: the contract's sequencing rules in plain Python, from times and tags only.

It shares no code and no rule file with the product on purpose: the numbers stand here a second time, as
the contract states them, so that a calendar which slips past the product's own rules is caught.

``broken(sessions, zone, priority)`` takes dicts as they stand in ``tandem week --json`` (id, kind, tags, duration_min,
start) and returns one line per broken hard rule; an empty list is a legal calendar.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

HEAVY_TO_LONG_RUN_H = 24.0
HEAVY_TO_QUALITY_RUN_H = 8.0
MAX_TO_QUALITY_RUN_H = 48.0
LIFT_TO_RUN_H = 6.0
STACKED_RUN_CAP_MIN = {"strength": 20.0, "hypertrophy": 20.0, "balanced": 30.0, "endurance": 30.0}
LONG_RACE_MIN = 90.0

Session = Mapping[str, Any]


def broken(
    sessions: Sequence[Session],
    zone: str,
    priority: str = "balanced",
    settled: Sequence[Session] = (),
    max_sessions_per_day: int | None = None,
    min_rest_days: int | None = None,
) -> list[str]:
    """Every hard rule that the calendar breaks. ``settled`` sessions count, but not against each other."""
    own = {session["id"] for session in sessions}
    everything = [*sessions, *(session for session in settled if session["id"] not in own)]
    lines = []
    for one, other in combinations(sorted(everything, key=_start), 2):
        if one["id"] in own or other["id"] in own:
            lines += [f"{one['id']} then {other['id']}: {what}" for what in _pair(one, other, zone, priority)]
    if max_sessions_per_day is not None:
        per_day = Counter(_day(session, zone) for session in everything)
        lines += [f"{day}: {count} sessions" for day, count in per_day.items() if count > max_sessions_per_day]
    if min_rest_days is not None:
        for monday, days in _weeks(everything, zone).items():
            if 7 - len(days) < min_rest_days:
                lines.append(f"week of {monday}: {7 - len(days)} rest days")
    return lines


def outside(sessions: Iterable[Session], windows: Sequence[Mapping[str, str]], zone: str) -> list[str]:
    """The sessions that do not lie inside one window (weekly, by wall clock; windows that touch are not joined)."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    found = []
    for session in sessions:
        begin = _start(session).astimezone(ZoneInfo(zone))
        end = _end(session).astimezone(ZoneInfo(zone))
        fits = False
        for window in windows:
            if window["day"] == names[begin.weekday()] and begin.date() == end.date():
                fits = fits or (window["from"] <= begin.strftime("%H:%M") and end.strftime("%H:%M") <= window["to"])
        if not fits:
            found.append(f"{session['id']} at {begin}")
    return found


def _pair(first: Session, then: Session, zone: str, priority: str) -> Iterable[str]:
    gap = (_start(then) - _end(first)).total_seconds() / 3600
    same_day = _day(first, zone) == _day(then, zone)
    if gap < 0:
        yield "overlap"
    for one, other in ((first, then), (then, first)):
        if _heavy_lower(one) and _long_run(other) and gap < HEAVY_TO_LONG_RUN_H:
            yield f"heavy lower lift and long run {gap:.2f} h apart"
        if _heavy_lower(one) and _quality(other) and gap < HEAVY_TO_QUALITY_RUN_H:
            yield f"heavy lower lift and quality run {gap:.2f} h apart"
        if _heavy_lower(one) and one.get("effort") == "max" and _quality(other) and gap < MAX_TO_QUALITY_RUN_H:
            yield f"max lower lift and quality run {gap:.2f} h apart"
    if same_day and _heavy_lower(then) and (_quality(first) or _long_run(first)):
        yield "heavy lower lift after a quality or long run of the same day"
    near = {first["kind"], then["kind"]} == {"lift", "run"} and gap < LIFT_TO_RUN_H
    if near and not _may_stand_close(first, then, priority):
        yield f"lift and run {gap:.2f} h apart"
    run_first = same_day and first["kind"] == "run" and not first.get("key")
    if run_first and _hard_lift(then) and priority in ("strength", "hypertrophy"):
        yield "run before a heavy lift of the same day"


def _may_stand_close(first: Session, then: Session, priority: str) -> bool:
    lift, run = (first, then) if first["kind"] == "lift" else (then, first)
    lift_first = first is lift
    if lift.get("region") == "upper":
        return _quality(run) or (lift_first and _easy(run))  # (a) always fine, (b) a warning only
    return _stackable(lift_first, run, priority)


def _stackable(lift_first: bool, run: Session, priority: str) -> bool:
    return lift_first and _easy(run) and run["duration_min"] <= STACKED_RUN_CAP_MIN[priority]


def _heavy_lower(session: Session) -> bool:
    return (
        session["kind"] == "lift"
        and session.get("region") in ("lower", "full")
        and session.get("effort") in ("heavy", "max")
    )


def _hard_lift(session: Session) -> bool:
    return session["kind"] == "lift" and session.get("effort") in ("heavy", "max")


def _long_run(session: Session) -> bool:
    if session["kind"] != "run":
        return False
    return session.get("type") == "long" or (session.get("type") == "race" and session["duration_min"] >= LONG_RACE_MIN)


def _quality(session: Session) -> bool:
    return session["kind"] == "run" and session.get("type") in ("tempo", "threshold", "intervals", "hills", "race")


def _easy(session: Session) -> bool:
    return session["kind"] == "run" and session.get("type") in ("easy", "recovery")


def _start(session: Session) -> datetime:
    start = session["start"]
    return (start if isinstance(start, datetime) else datetime.fromisoformat(start)).astimezone(UTC)


def _end(session: Session) -> datetime:
    return _start(session) + timedelta(minutes=session["duration_min"])


def _day(session: Session, zone: str) -> date:
    return _start(session).astimezone(ZoneInfo(zone)).date()


def _weeks(sessions: Iterable[Session], zone: str) -> dict[date, set[date]]:
    weeks: dict[date, set[date]] = {}
    for session in sessions:
        day = _day(session, zone)
        weeks.setdefault(day - timedelta(days=day.weekday()), set()).add(day)
    return weeks
