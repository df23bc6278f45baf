"""The exponential taper: how much of the normal volume each of its weeks keeps."""

from functools import lru_cache
from math import exp

import numpy as np

from services.periodization.domain.season import WEEK_DAYS

_BISECTIONS = 200


def _mean_kept(time_constant_days: float, days: int) -> float:
    return sum(exp(-day / time_constant_days) for day in range(1, days + 1)) / days


@lru_cache(maxsize=256)
def taper_time_constant(days: int, mean_cut: float) -> float:
    """Time constant in days of V0·e^(−t/τ), t = 1 … ``days``, whose mean is V0 · (1 − ``mean_cut``).

    14 days and a mean cut of 50 % give 9.62 days, 41 % gives 13.05, 60 % gives 6.95: the range in which Bosquet et al.
    2007, MSSE 39(8):1358 found the best tapers. ``mean_cut`` lies strictly between 0 and 1.
    """
    if days < 1 or not 0.0 < mean_cut < 1.0:
        raise ValueError(f"a taper needs at least one day and a mean cut between 0 and 1, not {days} and {mean_cut}")
    low, high = 1e-3, 1e9
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        if _mean_kept(middle, days) < 1.0 - mean_cut:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


@lru_cache(maxsize=256)
def taper_week_shares(days: int, mean_cut: float) -> tuple[float, ...]:
    """Share of the normal weekly minutes that each taper week keeps, first week first.

    Days of the first week that lie before a taper of no whole weeks keep everything.
    """
    time_constant = taper_time_constant(days, mean_cut)
    kept = [exp(-day / time_constant) for day in range(1, days + 1)]
    whole = [1.0] * (-days % WEEK_DAYS) + kept
    return tuple(float(share) for share in np.asarray(whole).reshape(-1, WEEK_DAYS).mean(axis=1))
