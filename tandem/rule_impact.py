"""What an athlete's answers become under other rules: the decisions that change, in a coach's words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tandem.offline import OfflineAthlete, open_offline_athlete

SEASON_FIELDS = ("phase", "deload", "run_minutes", "lift_sessions", "lower_sets", "upper_sets", "long_run_minutes")
_SMALLEST_CHANGE = 0.05


@dataclass(frozen=True, slots=True)
class Change:
    """One decision that differs. ``about``: the calendar, the day or the season's week."""

    file: str
    about: str
    sentence: str

    def as_json(self) -> dict[str, str]:
        return {"file": self.file, "about": self.about, "sentence": self.sentence}


def impact(
    file: Path, old: Path, new: Path, tenant: str | None, on: date | None, clock: Callable[[], date]
) -> tuple[Change, ...]:
    """The decisions on one athlete file that differ between rule folders ``old`` and ``new``.

    Compared are the proposed calendar's verdict, the day's readiness and gate, and the season's weeks, as far as the
    file gives them. Raises ``BadFile`` and ``RuleFileErrors``.
    """
    answers = []
    for folder in (old, new):
        with open_offline_athlete(file, rules_dir=folder, tenant=tenant, on=on, clock=clock) as athlete:
            answers.append(_answers(athlete))
    before, after = answers
    changes: list[tuple[str, str]] = []
    for name, compare in _COMPARED.items():
        if name in before and name in after:
            changes += compare(before[name], after[name])
    return tuple(Change(str(file), about, sentence) for about, sentence in changes)


def _answers(athlete: OfflineAthlete) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    week = athlete.file.week
    if week is not None and week.sessions and all(session.start is not None for session in week.sessions):
        found["check"] = athlete.check().as_json()
    if athlete.file.wellness:
        found["readiness"] = athlete.readiness().as_json()
    if athlete.file.season is not None or athlete.file.goals:
        found["season"] = athlete.season().as_json()
    return found


def _verdicts(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if old["verdict"] != new["verdict"]:
        yield "calendar", f"{old['verdict']} becomes {new['verdict']}"
    for kind, verb in (("violations", "refuses"), ("warnings", "warns about")):
        was, now = _by_rule(old[kind]), _by_rule(new[kind])
        for key in [key for key in now if key not in was]:
            yield "calendar", f"{key[0]} now {verb} {' and '.join(key[1])}: {now[key]['message']}"
        for key in [key for key in was if key not in now]:
            yield "calendar", f"{key[0]} no longer {verb} {' and '.join(key[1])}"


def _by_rule(findings: Sequence[Mapping[str, Any]]) -> dict[tuple[str, tuple[str, ...]], Mapping[str, Any]]:
    return {(finding["rule"], tuple(finding["sessions"])): finding for finding in findings}


def _readiness(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, told in (("colour", "colour"), ("limiting_factor", "limiting factor"), ("action", "action")):
        if old[name] != new[name]:
            yield old["date"], f"{told}: {_told(old[name])} becomes {_told(new[name])}"
    if old["score"] is not None and new["score"] is not None and abs(old["score"] - new["score"]) >= _SMALLEST_CHANGE:
        yield old["date"], f"score: {old['score']:.1f} becomes {new['score']:.1f}"
    for name in ("intensity", "volume_factor"):
        if old["gate"][name] != new["gate"][name]:
            yield (
                old["date"],
                f"gate {name.replace('_', ' ')}: {_told(old['gate'][name])} becomes {_told(new['gate'][name])}",
            )


def _season(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
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
                    f"{name.replace('_', ' ')}: {_told(week[name])} becomes {_told(now[name])}",
                )


def _alike(old: Any, new: Any) -> bool:
    if isinstance(old, int | float) and isinstance(new, int | float) and not isinstance(old, bool):
        return abs(old - new) < _SMALLEST_CHANGE
    return bool(old == new)


def _told(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


_COMPARED: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[tuple[str, str]]]] = {
    "check": _verdicts,
    "readiness": _readiness,
    "season": _season,
}
