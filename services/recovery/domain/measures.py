"""What the mornings and sessions measure, day by day, against one's own normal. Computed once for a whole history."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from services.recovery.domain.inputs import EasyRun, Mornings, ReadinessInputs, StrengthMark, mornings
from services.recovery.domain.settings import WEEK_DAYS, RecoverySettings
from services.recovery.domain.windows import Floats, WindowStatistics, latest, window
from shared.contract.wellness import USUAL_ITEMS


@dataclass(frozen=True, slots=True)
class Measures:
    """Everything a factor or a sign looks at; arrays have one entry per day of ``mornings``, NaN = not known."""

    mornings: Mornings
    hrv: WindowStatistics
    hrv_normal: WindowStatistics
    resting_hr: WindowStatistics
    resting_hr_normal: WindowStatistics
    sleep: WindowStatistics
    items: dict[str, Floats]
    item_days: dict[str, Floats]
    item_normal: dict[str, WindowStatistics]
    effort_drift: Floats
    strength_change: Floats
    body_mass_change: Floats


def measures(inputs: ReadinessInputs, settings: RecoverySettings) -> Measures:
    """All measures from the first record to ``inputs.on``.

    HRV and resting heart rate: the last 7 calendar days against the 60 before those 7; the band over ln RMSSD with the
    sample SD (ddof 1).
    """
    rows = mornings(inputs)
    baseline_days = int(settings.baseline_days)
    items: dict[str, Floats] = {}
    item_days: dict[str, Floats] = {}
    item_normal: dict[str, WindowStatistics] = {}
    for name in USUAL_ITEMS:
        value, at = latest(rows[name], int(settings.subjective_latest_days))
        items[name], item_days[name] = value, at.astype(np.float64)
        item_normal[name] = window(rows.normal(name), int(settings.subjective_baseline_days), 1)
    return Measures(
        mornings=rows,
        hrv=window(rows["ln_rmssd"], WEEK_DAYS),
        hrv_normal=window(rows.normal("ln_rmssd"), baseline_days, WEEK_DAYS),
        resting_hr=window(rows["resting_hr"], WEEK_DAYS),
        resting_hr_normal=window(rows.normal("resting_hr"), baseline_days, WEEK_DAYS),
        sleep=window(rows["sleep_hours"], WEEK_DAYS),
        items=items,
        item_days=item_days,
        item_normal=item_normal,
        effort_drift=_effort_drift(inputs.easy_runs, rows, settings),
        strength_change=_strength_change(inputs.strength, rows, settings),
        body_mass_change=_mass_change(rows, settings),
    )


def hrv_band(of: Measures, index: int, settings: RecoverySettings) -> tuple[float, float, float] | None:
    """Mean, low and high of the ln RMSSD band of a day, or None with too few mornings for a baseline."""
    if index < 0 or of.hrv_normal.count[index] < settings.baseline_valid_days:
        return None
    mean = float(of.hrv_normal.mean[index])
    half = settings.hrv_edge_sd * float(of.hrv_normal.sd[index])
    return mean, mean - half, mean + half


def hrv_week(of: Measures, index: int, settings: RecoverySettings) -> float | None:
    """The 7-day mean of ln RMSSD, or None with too few valid mornings."""
    if index < 0 or of.hrv.count[index] < settings.week_valid_days:
        return None
    return float(of.hrv.mean[index])


def _effort_drift(easy_runs: Sequence[EasyRun], rows: Mornings, s: RecoverySettings) -> Floats:
    drift = np.full(len(rows), np.nan)
    by_day: dict[date, list[float]] = defaultdict(list)
    for run in easy_runs:
        by_day[run.date].append(run.rpe)
    for day, efforts in by_day.items():
        index = rows.index(day)
        if not 0 <= index < len(rows):
            continue
        before = [e for other, es in by_day.items() if 0 < (day - other).days <= s.sign_effort_days for e in es]
        if len(before) >= s.sign_effort_runs:
            drift[index] = max(efforts) - sum(before) / len(before)
    return drift


def _strength_change(marks: Sequence[StrengthMark], rows: Mornings, settings: RecoverySettings) -> Floats:
    """Per day the lift that fell most: best of the last days against the best of as many that ended a trend before."""
    days, width = int(settings.sign_trend_days), int(settings.sign_strength_best_days)
    lifts = {lift: number for number, lift in enumerate(sorted({mark.lift for mark in marks}))}
    best = np.full((len(lifts), len(rows) + width - 1), -np.inf)
    for mark in marks:
        index = rows.index(mark.date)
        if 0 <= index < len(rows):
            at = lifts[mark.lift], index + width - 1
            best[at] = max(best[at], mark.e1rm_kg)
    if not lifts:
        return np.full(len(rows), np.nan)
    now = sliding_window_view(best, width, axis=1).max(axis=2)
    then = np.concatenate([np.full((len(lifts), days), -np.inf), now], axis=1)[:, : len(rows)]
    known = np.isfinite(now) & np.isfinite(then)
    change = np.where(known, np.where(known, now, 1.0) / np.where(known, then, 1.0) - 1, np.inf).min(axis=0)
    return np.where(np.isfinite(change), change, np.nan)


def _mass_change(rows: Mornings, settings: RecoverySettings) -> Floats:
    days = int(settings.sign_trend_days)
    mass = rows["body_mass_kg"]
    earlier, _ = latest(mass, int(settings.sign_mass_older_days))
    then = np.concatenate([np.full(min(days, len(mass)), np.nan), earlier[: max(0, len(mass) - days)]])
    change: Floats = mass / then - 1
    return change
