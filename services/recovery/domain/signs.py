"""Signs of overreaching and how long each has lasted. Signs, never a diagnosis (Meeusen 2013, ECSS-ACSM)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from services.recovery.domain.measures import Measures
from services.recovery.domain.settings import RecoverySettings
from services.recovery.domain.windows import Floats
from shared.contract.wellness import SIGNS, USUAL_ITEMS, WELLNESS

ROUNDING = 1e-9


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
    rows = of.mornings
    week_and_normal = (of.hrv.count >= s.week_valid_days) & (of.hrv_normal.count >= s.baseline_valid_days)
    hrv_low = of.hrv.mean < of.hrv_normal.mean - s.hrv_edge_sd * of.hrv_normal.sd - ROUNDING
    short = _flag(rows["sleep_hours"] < s.sign_sleep_under, ~np.isnan(rows["sleep_hours"]))
    poor = _flag(rows["sleep_quality"] <= s.sleep_poor_quality, ~np.isnan(rows["sleep_quality"]))
    rise = resting_hr_rise(of, s)
    shown = {
        "resting_hr": _flag(rise > s.sign_resting_hr_above + ROUNDING, ~np.isnan(rise)),
        "hrv": _flag(hrv_low, week_and_normal & ~np.isnan(rows["ln_rmssd"])),
        "sleep": np.fmax(short, poor),
        "aches": rows["aches"],
        "effort": _flag(of.effort_drift >= s.sign_effort_above - ROUNDING, ~np.isnan(of.effort_drift)),
        "strength": _flag(of.strength_change <= -s.sign_strength_drop + ROUNDING, ~np.isnan(of.strength_change)),
        "body_mass": _flag(of.body_mass_change <= -s.sign_mass_drop + ROUNDING, ~np.isnan(of.body_mass_change)),
    }
    return shown | {name: _poor(name, rows[name], s) for name in SIGNS if name in USUAL_ITEMS}


def _poor(item: str, answers: Floats, s: RecoverySettings) -> Floats:
    poor = answers <= s.sign_mood_to if WELLNESS[item].better == "higher" else answers >= s.sign_item_from
    return _flag(poor, ~np.isnan(answers))


def resting_hr_rise(of: Measures, s: RecoverySettings) -> Floats:
    """This morning's resting heart rate above the mean of the baseline, bpm; NaN when either is not known."""
    enough = of.resting_hr_normal.count >= s.baseline_valid_days
    return np.where(enough, of.mornings["resting_hr"] - of.resting_hr_normal.mean, np.nan)


def _flag(present: np.ndarray, known: np.ndarray) -> Floats:
    return np.where(known, present.astype(np.float64), np.nan)
