"""Control charts: has the mean of the last days left one's own normal by more than chance explains?

A mean of the last days (of seven, or weighted exponentially: Roberts 1959) is compared with the mean of the baseline in
standard errors that know how much one day resembles the next (lag-1 autocorrelation, as in an AR(1) series) and how few
days the baseline has. Single wild days are set aside from the baseline by median and MAD (Hampel 1974); two of them
side by side are no slip but news, and stay.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from services.recovery.domain.settings import WEEK_DAYS, RecoverySettings
from services.recovery.domain.windows import Floats, WindowStatistics, window

Weights = NDArray[np.float64]
MAD_TO_SD = 1.4826
"""What makes of a median absolute deviation the standard deviation of a normal distribution."""
MEMORY_DAYS = 21
"""How far back an exponential weight is followed."""
FEWEST = 4.0
"""Independent looks at normal below which its spread cannot be told: Student's t has no variance then."""
WEEK: Weights = np.ones(WEEK_DAYS)


@dataclass(frozen=True, slots=True)
class Chart:
    """One entry a day. ``value``: mean of the last days, of ``recent`` of them; ``normal``: the baseline without what
    was set aside, its ``sd`` no less than the item's least; ``edge``: as far from normal as chance still goes."""

    value: Floats
    recent: NDArray[np.int64]
    normal: WindowStatistics
    edge: Floats

    def worse_by(self, better: str) -> Floats:
        """How far the mean lies on the bad side of normal; NaN = not known."""
        return self.normal.mean - self.value if better == "higher" else self.value - self.normal.mean


def exponential(weight: float) -> Weights:
    """Weights of the days by their age, today's first."""
    return np.asarray((1 - weight) ** np.arange(MEMORY_DAYS), dtype=np.float64)


def chart(
    values: Floats, in_baseline: Floats, least_sd: float, s: RecoverySettings, weights: Weights, lag: int = WEEK_DAYS
) -> Chart:
    """``values``: one a day, NaN = not recorded; ``in_baseline``: the same less the days that are out of normal;
    ``weights``: of the last days, today's first; the baseline ends ``lag`` days before today."""
    baseline_days = int(s.baseline_days)
    kept = np.where(_singles(in_baseline, baseline_days, least_sd, s), np.nan, in_baseline)
    normal = window(kept, baseline_days, lag)
    sd = np.fmax(normal.sd, least_sd)
    alike = _autocorrelation(kept, baseline_days, lag, normal, s)

    known = np.where(np.isnan(normal.mean), 0.0, s.set_aside_beyond * sd)
    low = np.where(np.isnan(normal.mean), -np.inf, normal.mean - known)[:, None]
    high = np.where(np.isnan(normal.mean), np.inf, normal.mean + known)[:, None]
    views = np.clip(_views(values, len(weights)), low, high)
    present = ~np.isnan(views)
    weighed = np.where(present, weights[::-1], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = weighed.sum(axis=1)
        value = np.where(present, views * weights[::-1], 0.0).sum(axis=1) / total
        shares = weighed / total[:, None]
        spread = _spread_of_mean(shares, alike)
        resembling = (1 - alike) / (1 + alike)
        independent = np.fmax(normal.count * resembling, FEWEST)
        spread = (spread + 1 / (normal.count * resembling)) * (independent - 1) / (independent - FEWEST + 1)
    usual = WindowStatistics(normal.mean, sd, normal.count)
    return Chart(value, present.sum(axis=1), usual, s.chart_limit * sd * np.sqrt(spread))


def _views(values: Floats, days: int) -> Floats:
    return sliding_window_view(np.concatenate([np.full(days - 1, np.nan), values]), days)


def _spread_of_mean(shares: Floats, alike: Floats) -> Floats:
    """Variance of a weighted mean of days in daily variances, where days ``k`` apart correlate by ``alike ** k``."""
    spread: Floats = (shares**2).sum(axis=1)
    power = np.ones(len(alike))
    for apart in range(1, shares.shape[1]):
        power = power * alike
        spread = spread + 2 * power * (shares[:, apart:] * shares[:, :-apart]).sum(axis=1)
    return spread


def _autocorrelation(kept: Floats, days: int, lag: int, normal: WindowStatistics, s: RecoverySettings) -> Floats:
    """The athlete's own, drawn towards the usual one as if that had been seen in so many pairs of days."""
    views = _views(np.concatenate([np.full(lag, np.nan), kept])[: len(kept)], days)
    off = views - normal.mean[:, None]
    products = off[:, 1:] * off[:, :-1]
    pairs = (~np.isnan(products)).sum(axis=1)
    usual, weight = s.chart_autocorrelation, s.chart_autocorrelation_days
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(normal.sd > 0, np.nansum(products, axis=1) / normal.sd**2, 0.0)
    found: Floats = (own + weight * usual) / (pairs + weight)
    return np.clip(np.where(np.isnan(found), usual, found), 0.0, s.chart_autocorrelation_most)


def _singles(values: Floats, days: int, least_sd: float, s: RecoverySettings) -> NDArray[np.bool_]:
    """Days far from the median of those before them whose neighbours are not half as far on the same side."""
    before = np.sort(_views(np.concatenate([[np.nan], values])[: len(values)], days), axis=1)
    count = (~np.isnan(before)).sum(axis=1)
    middle = _median(before, count)
    spread = MAD_TO_SD * _median(np.sort(np.abs(before - middle[:, None]), axis=1), count)
    off = (values - middle) / np.fmax(spread, least_sd)
    far = np.where((count >= s.baseline_valid_days) & (np.abs(off) > s.set_aside_beyond), off, 0.0)
    alone: NDArray[np.bool_] = far != 0
    for apart in range(1, int(s.sign_gap_days) + 2):
        later, earlier = far[apart:], far[:-apart]
        alike = later * earlier > 0
        alone[apart:] &= ~(alike & (2 * np.abs(earlier) >= np.abs(later)))
        alone[:-apart] &= ~(alike & (2 * np.abs(later) >= np.abs(earlier)))
    return alone


def _median(ordered: Floats, count: NDArray[np.int64]) -> Floats:
    """Of each row, whose values stand first and NaN last."""
    rows, last = np.arange(len(ordered)), np.maximum(count, 1) - 1
    found: Floats = (ordered[rows, last // 2] + ordered[rows, (last + 1) // 2]) / 2
    return found
