"""Decisions compared as JSON, before and after a change of rules: what differs, in a coach's words."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

SEASON_FIELDS = ("phase", "deload", "run_minutes", "lift_sessions", "lower_sets", "upper_sets", "long_run_minutes")
_SMALLEST_CHANGE = 0.05

Differing = tuple[str, str]
"""What it is about (the calendar, a day, a week of the season) and a sentence."""


def changed_verdicts(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Differing]:
    if old["verdict"] != new["verdict"]:
        yield "calendar", f"{old['verdict']} becomes {new['verdict']}"
    for kind, verb in (("violations", "refuses"), ("warnings", "warns about")):
        was, now = _by_rule(old[kind]), _by_rule(new[kind])
        for key in [key for key in now if key not in was]:
            yield "calendar", f"{key[0]} now {verb} {_sessions(key[1])}: {now[key]['message']}"
        for key in [key for key in was if key not in now]:
            yield "calendar", f"{key[0]} no longer {verb} {_sessions(key[1])}: {was[key]['message']}"


def _sessions(ids: Sequence[str]) -> str:
    """A pair is named; a week's finding has all its sessions, which would tell nobody anything."""
    return " and ".join(ids) if len(ids) <= 2 else "the week"


def changed_plans(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Differing]:
    if old["status"] != new["status"]:
        yield "calendar", f"{old['status']} becomes {new['status']}"
        for member in new["conflict"]:
            yield "calendar", f"cannot hold together: {member['message']}"
    was = {session["id"]: session["start"] for session in old["sessions"]}
    now = {session["id"]: session["start"] for session in new["sessions"]}
    for session, start in was.items():
        if session in now and now[session] != start:
            yield "calendar", f"{session} moves from {_clock(start)} to {_clock(now[session])}"
    before, after = _by_rule(old["penalties"]), _by_rule(new["penalties"])
    for key in [key for key in after if key not in before]:
        yield "calendar", f"{key[0]} is now strained: {after[key]['message']}"
    for key in [key for key in before if key not in after]:
        yield "calendar", f"{key[0]} is no longer strained: {before[key]['message']}"


def _clock(start: str) -> str:
    return f"{datetime.fromisoformat(start):%a %H:%M}"


def _by_rule(findings: Sequence[Mapping[str, Any]]) -> dict[tuple[str, tuple[str, ...]], Mapping[str, Any]]:
    return {(finding["rule"], tuple(finding["sessions"])): finding for finding in findings}


def changed_readiness(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Differing]:
    for name, told in (("colour", "colour"), ("limiting_factor", "limiting factor"), ("action", "action")):
        if old[name] != new[name]:
            yield old["date"], f"{told}: {_shown(old[name])} becomes {_shown(new[name])}"
    if old["score"] is not None and new["score"] is not None and abs(old["score"] - new["score"]) >= _SMALLEST_CHANGE:
        yield old["date"], f"score: {old['score']:.1f} becomes {new['score']:.1f}"
    for name in ("intensity", "volume_factor"):
        if old["gate"][name] != new["gate"][name]:
            yield (
                old["date"],
                f"gate {name.replace('_', ' ')}: {_shown(old['gate'][name])} becomes {_shown(new['gate'][name])}",
            )


def changed_season(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Differing]:
    after = {week["start"]: week for week in new["weeks"]}
    for week in old["weeks"]:
        now = after.get(week["start"])
        if now is None:
            yield f"week of {week['start']}", "is no longer in the season"
            continue
        for name in SEASON_FIELDS:
            if not _alike(week[name], now[name]):
                yield (
                    f"week of {week['start']}",
                    f"{name.replace('_', ' ')}: {_shown(week[name])} becomes {_shown(now[name])}",
                )


def _alike(old: Any, new: Any) -> bool:
    if isinstance(old, int | float) and isinstance(new, int | float) and not isinstance(old, bool):
        return abs(old - new) < _SMALLEST_CHANGE
    return bool(old == new)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
