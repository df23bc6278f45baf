"""What is recorded and cannot be so, or stands there twice: shown, and set aside from every sum until it is confirmed.

Nothing is changed or thrown away: a session whose distance is set aside still costs what its minutes cost, one whose
minutes are set aside costs something unknown, and a copy counts once.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from services.load.domain.settings import LoadSettings
from shared.contract.sessions import LOAD_PARTS, SESSION_KINDS, Kind
from shared.contract.words import LoadQuality
from shared.messages.values import DayLoad

MAX_TOLD: Final = 20
_MINUTE: Final = timedelta(minutes=1)
_METRES_IN_A_KILOMETRE: Final = 1000
_OTHERS_THAT_SHOW_THE_YEAR: Final = 3
_MAX_NEAR: Final = 50
"""Sessions that one is compared with: nobody does more in a day, and a flood of them must not cost its square."""


class DoubtableSession(Protocol):
    """What is looked at: ``ScoredSession``, or a stored row of the same figures."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def start(self) -> datetime: ...
    def day_in(self, zone: ZoneInfo) -> date:
        """Its day; ``zone``: the athlete's, for a session whose record names no clock."""

    @property
    def duration_min(self) -> float: ...
    @property
    def distance_km(self) -> float | None: ...
    @property
    def load(self) -> float: ...
    @property
    def confirmed(self) -> bool: ...
    @property
    def zero_effort(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that looks wrong. ``set_aside``: what is not counted, by its names in the contract; ``session``: None
    where a whole day is meant."""

    code: LoadQuality
    day: date
    session: str | None
    text: str
    set_aside: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        where = {"date": self.day.isoformat()} | ({} if self.session is None else {"session": self.session})
        return {"code": self.code, "where": where, "text": self.text, "set_aside": list(self.set_aside)}


@dataclass(frozen=True, slots=True)
class Screened:
    """``aside``: by session what of it is not counted; ``session`` stands for all of it. ``day_loads``: those of
    ready-made loads that count."""

    doubts: tuple[Doubt, ...] = ()
    aside: Mapping[str, frozenset[str]] = field(default_factory=dict)
    day_loads: Sequence[DayLoad] = ()


def screened(
    sessions: Sequence[DoubtableSession],
    days: Mapping[str, date],
    day_loads: Sequence[DayLoad],
    settings: LoadSettings,
) -> Screened:
    """``days``: each session's local date. The order in which records are given changes nothing."""
    ordered = sorted(sessions, key=lambda one: (one.start, one.id))
    doubts = [
        *_implausible(ordered, days, settings),
        *_copies(ordered, days, settings),
        *_of_another_year(ordered, days, settings),
    ]
    aside: dict[str, frozenset[str]] = defaultdict(frozenset)
    for doubt in doubts:
        if doubt.session is not None:
            aside[doubt.session] |= frozenset(doubt.set_aside)
    counted, twice = _counted_once(ordered, days, aside, day_loads, settings)
    return Screened(tuple(sorted([*doubts, *twice], key=lambda one: (one.day, one.session or ""))), aside, counted)


def _implausible(
    sessions: Sequence[DoubtableSession], days: Mapping[str, date], settings: LoadSettings
) -> Iterator[Doubt]:
    """Each session by itself."""
    for one in sessions:
        if one.zero_effort:
            text = "An effort of 0 means that none was given: a session is never without effort. Its cost is estimated."
            yield Doubt("zero-means-unknown", days[one.id], one.id, text, ("rpe",))
        if one.confirmed:
            continue
        if one.kind == "run" and one.distance_km is not None:
            yield from _wrong_speed(one, days[one.id], settings)
        elif one.kind == "lift" and one.duration_min > settings.lift_longest_min:
            text = (
                f"{one.duration_min:g} min is longer than a lift lasts: perhaps a watch was left running. "
                "What it cost is unknown."
            )
            yield Doubt("watch-left-running", days[one.id], one.id, text, ("duration_min",))


def _wrong_speed(one: DoubtableSession, day: date, settings: LoadSettings) -> Iterator[Doubt]:
    distance = one.distance_km or 0.0
    if distance == 0:
        text = "A distance of 0 means that it was not measured."
        yield Doubt("zero-means-unknown", day, one.id, text, ("distance_km",))
        return
    hours = one.duration_min / 60
    speed = distance / hours
    if speed > settings.run_fastest_km_h:
        metres = distance / _METRES_IN_A_KILOMETRE
        fits = settings.run_slowest_km_h <= metres / hours <= settings.run_fastest_km_h
        reading = f"; read as metres it is {metres:.4g} km" if fits else ""
        text = f"{distance:g} km in {one.duration_min:g} min is faster than anybody runs{reading}."
        yield Doubt("unit-mixed-up" if fits else "implausible-distance", day, one.id, text, ("distance_km",))
    elif speed < settings.run_slowest_km_h:
        long = one.duration_min > settings.watch_left_running_min
        because = "perhaps a watch was left running. What it cost is unknown" if long else "its distance is set aside"
        text = f"{distance:g} km in {one.duration_min:g} min is slower than walking: {because}."
        aside = ("duration_min", "distance_km") if long else ("distance_km",)
        yield Doubt("watch-left-running" if long else "implausible-distance", day, one.id, text, aside)


def _copies(sessions: Sequence[DoubtableSession], days: Mapping[str, date], settings: LoadSettings) -> Iterator[Doubt]:
    """Of two records of one session the one with a distance, else the earlier one, counts."""
    reach = timedelta(hours=settings.copy_shifted_hours) + 10 * _MINUTE
    gone: set[str] = set()
    recent: list[DoubtableSession] = []
    for one in sessions:
        recent = [other for other in recent[-_MAX_NEAR:] if one.start - other.start <= reach]
        for other in recent:
            if one.kind != other.kind or other.id in gone or one.confirmed or other.confirmed:
                continue
            shift = _copy_shifted_by(other, one)
            if shift is None:
                continue
            copy, kept = (other, one) if one.distance_km and not other.distance_km else (one, other)
            gone.add(copy.id)
            how = f"shifted by {shift} h" if shift else "at the same time"
            text = (
                f"{copy.id} looks like {kept.id} recorded twice ({how}): it is not counted until it is sent with "
                "'confirmed: true'."
            )
            yield Doubt("probable-copy", days[copy.id], copy.id, text, ("session",))
            if copy is one:
                break
        recent.append(one)


def _copy_shifted_by(first: DoubtableSession, second: DoubtableSession) -> int | None:
    """Whole hours between two records of the same shape; None where they are two sessions."""
    apart = second.start - first.start
    hours = round(apart / timedelta(hours=1))
    if abs(apart - timedelta(hours=hours)) > (5 if hours == 0 else 1) * _MINUTE:
        return None
    both = first.distance_km is not None and second.distance_km is not None
    if hours and not both:
        return None  # two sessions of an hour each, morning and evening, are no copy
    lengths = _alike(first.duration_min, second.duration_min, 0.1 if hours == 0 else 0.01)
    distances = not both or _alike(first.distance_km or 0, second.distance_km or 0, 0.05 if hours == 0 else 0.005)
    return hours if lengths and distances else None


def _alike(one: float, other: float, share: float) -> bool:
    return abs(one - other) <= share * max(one, other)


def _of_another_year(
    sessions: Sequence[DoubtableSession], days: Mapping[str, date], settings: LoadSettings
) -> Iterator[Doubt]:
    """A session far from every other that stands among them with one year more or less."""
    dated = sorted(days[one.id] for one in sessions)
    alone, near = timedelta(days=settings.year_typed_wrong_days), timedelta(days=31)

    def others(around: date, within: timedelta) -> int:
        return bisect_right(dated, around + within) - bisect_left(dated, around - within)

    for one in sessions:
        day = days[one.id]
        if one.confirmed or others(day, alone) > 1:
            continue
        for years in (1, -1):
            meant = day + timedelta(days=365 * years)
            if others(meant, near) >= _OTHERS_THAT_SHOW_THE_YEAR:
                text = (
                    f"{day} is far from every other session and {meant.year} is not: perhaps the year was mistyped. "
                    "It is not counted until it is sent with 'confirmed: true'."
                )
                yield Doubt("year-mistyped", day, one.id, text, ("session",))
                break


def _counted_once(
    sessions: Sequence[DoubtableSession],
    days: Mapping[str, date],
    aside: Mapping[str, frozenset[str]],
    day_loads: Sequence[DayLoad],
    settings: LoadSettings,
) -> tuple[list[DayLoad], list[Doubt]]:
    """Ready-made loads without what a day's sessions say already."""
    if not day_loads:
        return [], []
    sums: dict[date, dict[str, float]] = defaultdict(lambda: dict.fromkeys(LOAD_PARTS, 0.0))
    for one in sessions:
        if not aside.get(one.id, frozenset()) & {"session", "duration_min"}:
            sums[days[one.id]][SESSION_KINDS[one.kind].part] += one.load
    counted, doubts = [], []
    for load in day_loads:
        recorded = sums.get(load.date)
        twice = [
            part
            for part in LOAD_PARTS
            if recorded and recorded[part] and _alike(recorded[part], getattr(load, part), settings.load_twice_share)
        ]
        if twice:
            text = f"The day's load ({', '.join(twice)}) is that of its sessions again: it counts once."
            doubts.append(Doubt("load-twice", load.date, None, text, tuple(twice)))
        counted.append(load.model_copy(update=dict.fromkeys(twice, 0.0)) if twice else load)
    return counted, doubts
