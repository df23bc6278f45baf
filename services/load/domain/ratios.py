"""Acute and chronic load and their ratio, three ways, for every day of a series at once.

Coupled: mean of 7 days / mean of 28 (Hulin 2014; Gabbett 2016, BJSM 50:273). Uncoupled: mean of 7 / mean of the 21
before (Windt & Gabbett 2018). EWMA: E_t = lambda d_t + (1 - lambda) E_(t-1), lambda = 2 / (N + 1), E_1 = d_1
(Williams 2017, BJSM 51(3):209). A ratio says how quickly load changed against one's own last four weeks; it
promises nothing about injury.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from services.load.domain.settings import ACUTE_DAYS, CHRONIC_DAYS, LoadSettings

Floats = NDArray[np.float64]
Words = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Ratios:
    """One entry a day; NaN where there is no figure. ``acute`` and ``chronic`` are AU per day."""

    acute: Floats
    chronic: Floats
    coupled: Floats
    uncoupled: Floats
    ewma: Floats
    status: Words
    known_acute: NDArray[np.int64]
    known_chronic: NDArray[np.int64]


def ratios(load: Floats, settings: LoadSettings) -> Ratios:
    """All figures for a series that begins at the athlete's first record; NaN = unknown day.

    The means run over the known days of their window. Ratios are built from sums, not means, so that 21 x 45 + 7 x 65
    is 1.3 and not a hair off.
    """
    days = len(load)
    known = ~np.isnan(load)
    filled = np.where(known, load, 0.0)
    acute_sum, acute_known = _window(filled, known, ACUTE_DAYS)
    chronic_sum, chronic_known = _window(filled, known, CHRONIC_DAYS)
    before_sum, before_known = _before(filled, known)
    age = np.arange(1, days + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        acute = np.where(acute_known > 0, acute_sum / acute_known, np.nan)
        chronic = np.where(chronic_known > 0, chronic_sum / chronic_known, np.nan)
        coupled = (acute_sum * chronic_known) / (chronic_sum * acute_known)
        uncoupled = (acute_sum * before_known) / (before_sum * acute_known)
        ewma = _ewma(load, ACUTE_DAYS) / _ewma(load, CHRONIC_DAYS)

    provisional = age < CHRONIC_DAYS
    ever = np.cumsum(filled) > 0
    broke = ~provisional & (before_known > 0) & (before_sum == 0)
    none = (chronic_known == 0) | (~provisional & ~ever)
    status = np.select(
        [none, provisional, broke, chronic_known < CHRONIC_DAYS],
        ["no-data", "provisional", "return-from-break", "incomplete"],
        "ok",
    )
    enough = (acute_known >= np.ceil(settings.load_acute_known_days * np.minimum(age, ACUTE_DAYS) / ACUTE_DAYS)) & (
        chronic_known >= np.ceil(settings.load_chronic_known_days * np.minimum(age, CHRONIC_DAYS) / CHRONIC_DAYS)
    )
    given = enough & ~none & ~broke
    return Ratios(
        acute,
        chronic,
        _only(coupled, given),
        _only(uncoupled, given & (age > ACUTE_DAYS)),
        _only(ewma, given),
        status,
        acute_known,
        chronic_known,
    )


def _only(figure: Floats, where: NDArray[np.bool_]) -> Floats:
    return np.where(where & np.isfinite(figure), figure, np.nan)


def _window(filled: Floats, known: NDArray[np.bool_], days: int) -> tuple[Floats, NDArray[np.int64]]:
    """Sum and number of known days of the ``days`` days that end on each day; days before the series do not exist."""
    if not len(filled):
        return filled, np.zeros(0, dtype=np.int64)
    sums = sliding_window_view(np.concatenate([np.zeros(days - 1), filled]), days).sum(axis=1)
    counts = sliding_window_view(np.concatenate([np.zeros(days - 1, dtype=np.int64), known.astype(np.int64)]), days)
    return sums, counts.sum(axis=1)


def _before(filled: Floats, known: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.int64]]:
    """The same for the chronic days before the acute ones."""
    sums, counts = _window(filled, known, CHRONIC_DAYS - ACUTE_DAYS)
    lead = min(ACUTE_DAYS, len(filled))
    return (
        np.concatenate([np.zeros(lead), sums[: len(filled) - lead]]),
        np.concatenate([np.zeros(lead, dtype=np.int64), counts[: len(filled) - lead]]),
    )


def _ewma(load: Floats, days: int) -> Floats:
    """Exponentially weighted mean, lambda = 2 / (days + 1), started at the first known day; an unknown day changes
    nothing."""
    weight = 2 / (days + 1)
    out = np.empty(len(load))
    mean = math.nan
    for index, value in enumerate(load.tolist()):
        if not math.isnan(value):
            mean = value if math.isnan(mean) else weight * value + (1 - weight) * mean
        out[index] = mean
    return out
