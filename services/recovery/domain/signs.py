"""Signs of overreaching and how long each has lasted. Signs, never a diagnosis (Meeusen 2013, ECSS-ACSM)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from services.recovery.domain.charts import Chart
from services.recovery.domain.measures import Measures
from services.recovery.domain.settings import RecoverySettings
from services.recovery.domain.windows import Floats
from shared.contract.wellness import SIGNS, USUAL_ITEMS, WELLNESS

ROUNDING = 1e-9
WITNESS_OF: Mapping[str, str] = {"hrv": "heart", "resting_hr": "heart", "mood": "fatigue", "stress": "fatigue"}
"""Measures that tell of the same thing as others; every other one is a witness of its own."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign present on a day: its first day, and its number of recorded days from then on, the first included."""

    name: str
    since: date
    days: int

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "since": self.since.isoformat(), "days": self.days}


@dataclass(frozen=True, slots=True)
class SignHistory:
    """Per sign and day index: index of its first day (-1 = absent) and the recorded days since."""

    since: Mapping[str, list[int]]
    days: Mapping[str, list[int]]
    first: date
    of: Measures

    def on(self, index: int) -> tuple[Sign, ...]:
        if index < 0:
            return ()
        return tuple(
            Sign(name, self.of.mornings.day(self.since[name][index]), self.days[name][index])
            for name in SIGNS
            if self.since[name][index] >= 0
        )


def sign_history(of: Measures, settings: RecoverySettings) -> SignHistory:
    """Every sign on every day of the measures."""
    since: dict[str, list[int]] = {}
    days: dict[str, list[int]] = {}
    for name, shown in _shown(of, settings).items():
        since[name], days[name] = _lasting(shown, int(settings.sign_gap_days))
    return SignHistory(since, days, of.mornings.first, of)


def _lasting(shown: Floats, gap_days: int) -> tuple[list[int], list[int]]:
    """A day without a record neither breaks nor lengthens a sign, up to ``gap_days`` of them in a row."""
    first, count, unrecorded = -1, 0, 0
    since: list[int] = []
    days: list[int] = []
    for index, value in enumerate(shown.tolist()):
        if value == 1.0:
            first, count, unrecorded = (index, 1, 0) if first < 0 else (first, count + 1, 0)
        elif value == 0.0:
            first, count, unrecorded = -1, 0, 0
        elif first >= 0:
            unrecorded += 1
            if unrecorded > gap_days:
                first, count, unrecorded = -1, 0, 0
        since.append(first)
        days.append(count)
    return since, days


def _shown(of: Measures, s: RecoverySettings) -> dict[str, Floats]:
    """1 = present, 0 = absent, NaN = not recorded, per sign and day."""
    rows, out = of.mornings, outside(of, s)
    short = _flag(rows["sleep_hours"] < s.sign_sleep_under, ~np.isnan(rows["sleep_hours"]))
    poor = _flag(rows["sleep_quality"] <= s.sleep_poor_quality, ~np.isnan(rows["sleep_quality"]))
    rise, ran = resting_hr_rise(of, s), ~np.isnan(of.effort_drift)
    risen = _flag((rise > s.sign_resting_hr_above + ROUNDING) | (out["resting_hr"] == 1.0), ~np.isnan(rise))
    harder = of.effort_drift >= s.sign_effort_above - ROUNDING
    shown = {
        "resting_hr": risen,
        "hrv": np.where(np.isnan(rows["ln_rmssd"]), np.nan, out["hrv"]),
        "sleep": np.fmax(short, poor),
        "aches": rows["aches"],
        "effort": _flag(harder | (out["effort"] == 1.0), ran),
        "strength": out["strength"],
        "body_mass": _flag(of.body_mass_change <= -s.sign_mass_drop + ROUNDING, ~np.isnan(of.body_mass_change)),
    }
    return shown | {name: _poor(name, rows[name], s) for name in SIGNS if name in USUAL_ITEMS}


def outside(of: Measures, s: RecoverySettings) -> dict[str, Floats]:
    """Per measure and day 1 where its chart has left normal on the bad side, 0 where not, NaN where that is not known.
    Answers are outside as well where their mean says something poor by its words."""

    def left(chart: Chart, better: str, recent: float, least: float, edge_min: float = 0.0) -> Floats:
        known = (chart.recent >= recent) & (chart.normal.count >= least) & ~np.isnan(chart.edge)
        return _flag(chart.worse_by(better) > np.fmax(chart.edge, edge_min) + ROUNDING, known)

    week, least = s.week_valid_days, s.baseline_valid_days
    found = {
        "hrv": left(of.hrv, "higher", week, least),
        "resting_hr": left(of.resting_hr, "lower", week, least, s.resting_hr_edge_min),
        "sleep": left(of.sleep, "higher", week, least),
        "effort": left(of.effort, "lower", 1, s.sign_effort_runs),
        "strength": left(of.strength, "higher", 1, s.sign_effort_runs),
    }
    for name, chart in of.items.items():
        worse = -1.0 if WELLNESS[name].better == "higher" else 1.0
        poor = worse * (chart.value - s.answer_neutral) >= s.answer_poor_from - s.answer_neutral
        own = left(chart, WELLNESS[name].better or "lower", 1, least, s.answer_edge_min)
        found[name] = np.where(of.answered[name], np.fmax(_flag(poor, chart.recent > 0), own), np.nan)
    return found


def witnesses(outside_of: Mapping[str, Floats]) -> Floats:
    """Per day how many independent facts are outside normal; NaN where nothing is known. What the heart tells by its
    rate and by its variability is one fact, and so is what a tired mind answers to several questions."""
    groups: dict[str, list[Floats]] = {}
    for name, flags in outside_of.items():
        groups.setdefault(WITNESS_OF.get(name, name), []).append(flags)
    of_groups = np.array([np.fmax.reduce(flags) for flags in groups.values()])
    known = ~np.isnan(of_groups).all(axis=0)
    return np.where(known, np.nansum(of_groups, axis=0), np.nan)


def _poor(item: str, answers: Floats, s: RecoverySettings) -> Floats:
    poor = answers <= s.sign_mood_to if WELLNESS[item].better == "higher" else answers >= s.sign_item_from
    return _flag(poor, ~np.isnan(answers))


def resting_hr_rise(of: Measures, s: RecoverySettings) -> Floats:
    """This morning's resting heart rate above the mean of the baseline, bpm; NaN when either is not known."""
    normal = of.resting_hr.normal
    return np.where(normal.count >= s.baseline_valid_days, of.mornings["resting_hr"] - normal.mean, np.nan)


def _flag(present: np.ndarray, known: np.ndarray) -> Floats:
    return np.where(known, present.astype(np.float64), np.nan)
