"""Means and spreads over calendar-day windows, for every day of a series at once. Missing days are left out, never
filled."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WindowStatistics:
    """One entry a day: mean and sample SD (ddof 1) of the valid days in the window, and how many there were."""

    mean: Floats
    sd: Floats
    count: NDArray[np.int64]


def window(values: Floats, days: int, ending_days_ago: int = 0) -> WindowStatistics:
    """The ``days`` calendar days that end ``ending_days_ago`` days before each day; NaN = not recorded."""
    length = len(values)
    reach = days + ending_days_ago
    padded = np.concatenate([np.full(reach - 1, np.nan), values])
    views = sliding_window_view(padded, reach)[:length, :days]
    valid = ~np.isnan(views)
    count = valid.sum(axis=1)
    filled = np.where(valid, views, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = filled.sum(axis=1) / count
        spread = np.where(valid, views - mean[:, None], 0.0)
        sd = np.sqrt((spread**2).sum(axis=1) / (count - 1))
    return WindowStatistics(np.where(count > 0, mean, np.nan), np.where(count > 1, sd, np.nan), count)


def latest(values: Floats, within_days: int) -> tuple[Floats, NDArray[np.int64]]:
    """For each day the newest recorded value not older than ``within_days``, and its index (-1 = none)."""
    days = np.arange(len(values))
    newest = np.maximum.accumulate(np.where(np.isnan(values), -1, days)) if len(values) else days
    index = np.where(days - newest <= within_days, newest, -1)
    return np.where(index >= 0, values[index], np.nan), index
