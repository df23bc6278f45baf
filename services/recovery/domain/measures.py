"""What the mornings and sessions measure, day by day, against one's own normal. Computed once for a whole history."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from services.recovery.domain.charts import WEEK, Chart, Weights, chart, exponential
from services.recovery.domain.inputs import EasyRun, Mornings, ReadinessInputs, StrengthMark, mornings
from services.recovery.domain.quality import DoubtedItem, doubted_items
from services.recovery.domain.settings import RecoverySettings
from services.recovery.domain.windows import Floats, latest
from shared.contract.wellness import USUAL_ITEMS


@dataclass(frozen=True, slots=True)
class Measures:
    """Everything a factor or a sign looks at; arrays have one entry per day of ``mornings``, NaN = not known.

    ``items``: an answer's chart by its name, and whether it was given lately enough to say something about today."""

    mornings: Mornings
    doubts: tuple[DoubtedItem, ...]
    hrv: Chart
    resting_hr: Chart
    sleep: Chart
    items: dict[str, Chart]
    answered: dict[str, NDArray[np.bool_]]
    effort: Chart
    strength: Chart
    effort_drift: Floats
    strength_change: Floats
    body_mass_change: Floats


def measures(inputs: ReadinessInputs, settings: RecoverySettings) -> Measures:
    """All measures from the first record to ``inputs.on``.

    HRV (ln RMSSD), resting heart rate and sleep: the mean of the last 7 calendar days against the baseline before
    those 7; answers and the effort of easy runs: their exponentially weighted mean against the same; strength: the mean
    of a trend's days against the baseline before them.
    """
    doubts = doubted_items(inputs.wellness, settings)
    rows, least = mornings(inputs, {(one.day, one.item) for one in doubts}), settings.least_sd
    recent = exponential(settings.chart_weight)

    def of_morning(name: str, least_of: str, weights: Weights = WEEK) -> Chart:
        return chart(rows[name], rows.normal(name), least[least_of], settings, weights)

    efforts, marks = _efforts(inputs.easy_runs, rows), _strength_index(inputs.strength, rows, settings)
    trend = int(settings.sign_trend_days)
    return Measures(
        mornings=rows,
        doubts=doubts,
        hrv=of_morning("ln_rmssd", "hrv"),
        resting_hr=of_morning("resting_hr", "resting_hr"),
        sleep=of_morning("sleep_hours", "sleep"),
        items={name: of_morning(name, "answers", recent) for name in USUAL_ITEMS},
        answered={name: latest(rows[name], int(settings.subjective_latest_days))[1] >= 0 for name in USUAL_ITEMS},
        effort=chart(efforts, efforts, least["effort"], settings, recent),
        strength=chart(marks, marks, least["strength"], settings, np.ones(trend), trend),
        effort_drift=_effort_drift(inputs.easy_runs, rows, settings),
        strength_change=_strength_change(inputs.strength, rows, settings),
        body_mass_change=_mass_change(rows, settings),
    )


def hrv_band(of: Measures, index: int, settings: RecoverySettings) -> tuple[float, float, float] | None:
    """Mean, low and high of the ln RMSSD band of a day, or None with too few mornings for a baseline."""
    if index < 0 or of.hrv.normal.count[index] < settings.baseline_valid_days:
        return None
    mean, half = float(of.hrv.normal.mean[index]), float(of.hrv.edge[index])
    return None if math.isnan(half) else (mean, mean - half, mean + half)


def hrv_week(of: Measures, index: int, settings: RecoverySettings) -> float | None:
    """The 7-day mean of ln RMSSD, or None with too few valid mornings."""
    if index < 0 or of.hrv.recent[index] < settings.week_valid_days:
        return None
    return float(of.hrv.value[index])


def _efforts(easy_runs: Sequence[EasyRun], rows: Mornings) -> Floats:
    """The hardest easy run of each day."""
    efforts = np.full(len(rows), np.nan)
    for run in easy_runs:
        index = rows.index(run.date)
        if 0 <= index < len(rows):
            efforts[index] = np.fmax(efforts[index], run.rpe)
    return efforts


def _strength_index(marks: Sequence[StrengthMark], rows: Mornings, settings: RecoverySettings) -> Floats:
    """Per day with lifts the mean over them of ln e1RM against the median of that lift in the baseline's days before:
    one figure for all lifts, so that one of many does not decide."""
    by_lift: dict[str, dict[int, float]] = defaultdict(dict)
    for mark in marks:
        index = rows.index(mark.date)
        if 0 <= index < len(rows):
            by_lift[mark.lift][index] = max(mark.e1rm_kg, by_lift[mark.lift].get(index, 0.0))
    by_day: dict[int, list[float]] = defaultdict(list)
    for of_lift in by_lift.values():
        days = sorted(of_lift)
        for at, day in enumerate(days):
            before = [of_lift[one] for one in days[:at] if day - one <= settings.baseline_days]
            if before:
                by_day[day].append(math.log(of_lift[day] / median(before)))
    index_of_day = np.full(len(rows), np.nan)
    for day, ratios in by_day.items():
        index_of_day[day] = math.fsum(ratios) / len(ratios)
    return index_of_day


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
