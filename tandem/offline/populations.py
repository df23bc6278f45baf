"""Athletes made up by the thousand, of whom is known what is true: well, tired, ill, away, badly recorded.

Every one is drawn from a seed of its own, so that the same number is the same athlete wherever and however many are
played. Spreads from day to day: RMSSD 12 %, resting heart rate 2 bpm, sleep 0.7 h, an answer 0.6 points, effort 0.5 of
CR-10, an estimated maximum 1.5 %; what lasts from one day to the next is an autocorrelation of ``rho`` in every item.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from shared.contract.wellness import WELLNESS
from shared.messages.values import DoneSession, Goal, MarkedDay, Wellness
from tandem.athlete_file.model import Athlete, AthleteFile, SeasonPlan

Floats = NDArray[np.float64]
FIRST: Final = date(2025, 11, 10)
BEFORE: Final = 56
"""Days of history before the judged ones: a baseline has to exist."""
DAYS: Final = BEFORE + 16 * 7
RAMP: Final = 10
"""Days in which a dose grows to its full size."""
_MORNING: Final[Mapping[str, tuple[float, float, float]]] = {
    "ln_rmssd": (4.1, 0.3, 0.12),
    "resting_hr": (52, 5, 2.0),
    "sleep_hours": (7.5, 0.3, 0.7),
    "sleep_quality": (3.6, 0.2, 0.6),
    "soreness": (2.1, 0.3, 0.6),
    "fatigue": (2.3, 0.3, 0.6),
    "mood": (3.8, 0.2, 0.6),
    "stress": (2.3, 0.3, 0.6),
}
"""Per item the mean of all athletes, its spread between them, and the spread from day to day of one."""
_ANSWERS: Final = tuple(name for name, item in WELLNESS.items() if item.unit == "points")
_WEEK: Final[tuple[tuple[str, str, float, float], ...]] = (
    ("run", "easy", 45, 3.0), ("lift", "heavy", 60, 7.0), ("run", "intervals", 50, 7.0), ("run", "easy", 40, 3.0),
    ("lift", "heavy", 60, 7.0), ("", "", 0, 0), ("run", "long", 90, 4.5),
)  # fmt: skip
"""Monday to Sunday: kind, type or effort, minutes, CR-10."""
_LIFTS: Final = {1: (("squat", 120.0), ("bench press", 85.0)), 4: (("deadlift", 150.0), ("overhead press", 55.0))}


@dataclass
class Course:
    """One athlete's days before they become records. ``shift``: added to an item, in its own unit; ``level``: share of
    the usual minutes; ``recorded``: whether a morning was."""

    rng: np.random.Generator
    dirt_rng: np.random.Generator
    rho: float
    means: dict[str, float]
    shift: dict[str, Floats]
    level: Floats = field(default_factory=lambda: np.ones(DAYS))
    recorded: NDArray[np.bool_] = field(default_factory=lambda: np.ones(DAYS, dtype=np.bool_))
    items: tuple[str, ...] = tuple(_MORNING)
    kinds: tuple[str, ...] = ("run", "lift")
    marks: list[MarkedDay] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    races: dict[int, float] = field(default_factory=dict)
    fixed: dict[str, dict[int, float]] = field(default_factory=dict)
    dirt: bool = False
    onset: int | None = None
    spans: list[tuple[int, int]] = field(default_factory=list)

    def noise(self, spread: float) -> Floats:
        """An autocorrelated series of one value a day."""
        steps = self.rng.standard_normal(DAYS)
        out = np.empty(DAYS)
        out[0] = steps[0]
        innovation = (1 - self.rho**2) ** 0.5
        for day in range(1, DAYS):
            out[day] = self.rho * out[day - 1] + innovation * steps[day]
        return spread * out


@dataclass(frozen=True, slots=True)
class MadeUpAthlete:
    """``onset``: index of the day on which what is to be found begins. ``spans``: days, first and last, that the
    population is about (luteal phases; from a break to the end of the return)."""

    file: AthleteFile
    onset: int | None
    spans: tuple[tuple[int, int], ...]


Change = Callable[[Course], None]


def _overreached(dose: float) -> Change:
    def change(course: Course) -> None:
        course.onset = BEFORE + int(course.rng.integers(14, 56))
        share = dose * np.clip((np.arange(DAYS) - course.onset + 1) / RAMP, 0, 1)
        for name, by in (("ln_rmssd", -1.2 * 0.12), ("resting_hr", 5.0), ("fatigue", 1.5), ("soreness", 1.5)):
            course.shift[name] = share * by
        course.shift["easy_rpe"], course.shift["e1rm"] = share * 1.5, share * -0.04

    return change


def _cycle(recorded: bool) -> Change:
    def change(course: Course) -> None:
        phase = (np.arange(DAYS) + int(course.rng.integers(0, 28))) % 28
        luteal = (phase >= 14).astype(np.float64)
        course.shift["ln_rmssd"], course.shift["resting_hr"] = luteal * np.log(0.87), luteal * 3.0
        starts = [day for day in range(DAYS) if luteal[day] and (day == 0 or not luteal[day - 1])]
        course.spans = [(day, min(day + 13, DAYS - 1)) for day in starts if day >= BEFORE]
        if recorded:
            course.fixed["cycle_day"] = {day: float(phase[day] + 1) for day in range(DAYS)}

    return change


def _growing(course: Course) -> None:
    weeks = np.arange(DAYS) // 7
    course.level = np.where(weeks % 4 == 3, 0.6, 1.08 ** (weeks % 4)) * 1.05 ** (weeks // 4)


def _away(course: Course) -> None:
    """Three weeks off, half of them with no record of anything, then three weeks of return."""
    begin = BEFORE + 7 * int(course.rng.integers(3, 6))
    course.level[begin : begin + 21] = 0
    for week, share in enumerate((0.5, 0.75)):
        course.level[begin + 21 + 7 * week : begin + 28 + 7 * week] = share
    if course.rng.random() < 0.5:
        course.recorded[begin : begin + 21] = False
    course.spans = [(begin, begin + 21 + 35)]


def _taper_race(course: Course) -> None:
    race = BEFORE + 7 * int(course.rng.integers(5, 9)) + 6
    course.level[race - 13 : race] = np.exp(-np.arange(1, 14) / 9.62)
    course.level[race : race + 8] = 0
    course.races[race] = 200.0
    for week, share in enumerate((0.5, 0.75)):
        course.level[race + 8 + 7 * week : race + 15 + 7 * week] = share
    fields = {"id": "race", "kind": "race", "date": FIRST + timedelta(days=race), "class": "A", "distance_km": 42.2}
    course.goals.append(Goal.model_validate(fields))
    course.spans = [(race - 13, race + 43)]


def _ill(course: Course) -> None:
    begin = course.onset = BEFORE + int(course.rng.integers(14, 90))
    course.shift["resting_hr"][begin : begin + 5] = 12.0
    course.fixed["fatigue"] = dict.fromkeys(range(begin, begin + 5), 5.0)
    course.level[begin : begin + 5] = 0


def _chronic(course: Course) -> None:
    course.onset = BEFORE
    for name in ("fatigue", "soreness", "stress", "mood"):
        worst = course.rng.integers(1, 3, DAYS) if name == "mood" else course.rng.integers(4, 6, DAYS)
        course.fixed[name] = {day: float(worst[day]) for day in range(BEFORE, DAYS)}


def _gaps(course: Course) -> None:
    course.recorded = course.rng.random(DAYS) >= 0.3


def _only(*kinds: str) -> Change:
    def change(course: Course) -> None:
        course.kinds = kinds

    return change


def _subjective_only(course: Course) -> None:
    course.items = _ANSWERS


def _dirty(course: Course) -> None:
    course.dirt = True


POPULATIONS: Final[Mapping[str, tuple[float | None, tuple[Change, ...]]]] = {
    "healthy": (0.0, ()),
    "healthy_rho": (0.4, ()),
    "mixed": (None, ()),
    "cycle": (None, (_cycle(False),)),
    "cycle_recorded": (None, (_cycle(True),)),
    "growing": (None, (_growing,)),
    "break": (None, (_away,)),
    "taper_race": (None, (_taper_race,)),
    "overreached": (None, (_overreached(1.0),)),
    "overreached_75": (None, (_overreached(0.75),)),
    "ill": (None, (_ill,)),
    "chronic": (None, (_chronic,)),
    "gaps": (None, (_gaps,)),
    "gaps_overreached": (None, (_gaps, _overreached(1.0))),
    "runner": (None, (_only("run"),)),
    "runner_overreached": (None, (_only("run"), _overreached(1.0))),
    "lifter": (None, (_only("lift"),)),
    "lifter_overreached": (None, (_only("lift"), _overreached(1.0))),
    "subjective": (None, (_subjective_only,)),
    "subjective_overreached": (None, (_subjective_only, _overreached(1.0))),
    "dirty": (None, (_dirty,)),
    "dirty_overreached": (None, (_dirty, _overreached(1.0))),
}
"""Per population the autocorrelation (None: of every other athlete 0 and 0.4) and what is done to a healthy course."""


def made_up_athlete(population: str, number: int, seed: int = 1) -> MadeUpAthlete:
    """Athlete ``number`` of a population. The dirty ones are those of the same number elsewhere, badly recorded."""
    rho, changes = POPULATIONS[population]
    family = crc32({"dirty": "mixed"}.get(population, population.removeprefix("dirty_")).encode())
    rng, dirt = (np.random.default_rng([seed, family, number, part]) for part in (0, 1))
    course = Course(
        rng,
        dirt,
        (0.0, 0.4)[number % 2] if rho is None else rho,
        {name: mean + between * rng.standard_normal() for name, (mean, between, _) in _MORNING.items()},
        {name: np.zeros(DAYS) for name in (*_MORNING, "easy_rpe", "e1rm")},
    )
    for change in changes:
        change(course)
    file = AthleteFile.model_construct(
        athlete=Athlete(id=f"{population}-{number}", timezone="UTC", hr_max=190, hr_rest=45),
        sessions=_sessions(course),
        wellness=_mornings(course),
        days=course.marks,
        goals=course.goals,
        season=SeasonPlan(start=FIRST + timedelta(days=BEFORE), weeks=(DAYS - BEFORE) // 7),
    )
    return MadeUpAthlete(file, course.onset, tuple(course.spans))


def _mornings(course: Course) -> list[Wellness]:
    values: dict[str, Floats] = {}
    for name, (_, _, spread) in _MORNING.items():
        series = course.means[name] + course.noise(spread) + course.shift[name]
        values[name] = np.clip(np.rint(series), 1, 5) if name in _ANSWERS else series
    for name, days in course.fixed.items():
        values.setdefault(name, np.full(DAYS, np.nan))[list(days)] = list(days.values())
    rows = []
    dirt = course.dirt_rng.random((DAYS, 3)) < 0.01 if course.dirt else np.zeros((DAYS, 3), dtype=np.bool_)
    known = {"ln_rmssd", *WELLNESS} & {*course.items, *course.fixed}
    for day in np.flatnonzero(course.recorded).tolist():
        given: dict[str, Any] = {"date": FIRST + timedelta(days=day)}
        for name in sorted(known):
            value = float(values[name][day])
            if name == "ln_rmssd":
                factor = 0.001 if dirt[day, 0] else 3.0 if dirt[day, 1] else 1.0
                given["rmssd_ms"] = round(float(np.exp(value)) * factor, 4)
            elif name in _ANSWERS:
                given[name] = int(value)
            else:
                given[name] = 0.0 if name == "sleep_hours" and dirt[day, 2] else round(value, 1)
        rows.append(Wellness.model_construct(**given))
    return rows


def _sessions(course: Course) -> list[DoneSession]:
    effort, length, strength = course.noise(0.5), course.noise(0.12), course.noise(0.015)
    done = []
    for day in range(DAYS):
        kind, word, minutes, rpe = _WEEK[day % 7]
        share = float(course.level[day])
        if day in course.races:
            kind, word, minutes, rpe, share = "run", "race", course.races[day], 9.0, 1.0
        if kind not in course.kinds or share < 0.05:
            continue
        easy = kind == "run" and word == "easy"
        felt = rpe + effort[day] + (course.shift["easy_rpe"][day] if easy else 0.0)
        start = datetime.combine(FIRST + timedelta(days=day), time(17), UTC)
        given: dict[str, Any] = {
            "id": f"s{day}",
            "kind": kind,
            "start": start,
            "duration_min": round(minutes * share * float(np.exp(length[day])), 1),
            "rpe": round(float(np.clip(felt, 1, 10)) * 2) / 2,
        }
        if kind == "run":
            given["type"] = word
        else:
            ability = (1 + strength[day] + course.shift["e1rm"][day]) / (1 + 7 / 30)
            given |= {"region": "full", "effort": word, "exercises": [
                {"name": lift, "sets": [{"reps": 5, "load_kg": round(of * ability * 2) / 2, "rir": 2}]}
                for lift, of in _LIFTS[day % 7]
            ]}  # fmt: skip
        done.append(DoneSession.model_validate(given))
        if course.dirt and course.dirt_rng.random() < 0.01:
            done.append(DoneSession.model_validate({**given, "id": f"s{day}-copy"}))
    return done
