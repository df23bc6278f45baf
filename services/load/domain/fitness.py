"""Fitness, fatigue and form (CTL, ATL, TSB), monotony and strain.

CTL_t = CTL_(t-1) + k (load - CTL_(t-1)), k = 1 - e^(-1/tau), as GoldenCheetah computes it (TrainingPeaks writes k =
1/tau).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.load.domain.settings import ACUTE_DAYS, LoadSettings

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StartingFitness:
    """Fitness and fatigue on the day before the first record, AU per day."""

    ctl: float = 0.0
    atl: float = 0.0


@dataclass(frozen=True, slots=True)
class Fitness:
    """One entry a day, AU per day. ``tsb`` of a day = CTL - ATL of the day before: the form to train with that day."""

    ctl: Floats
    atl: Floats
    tsb: Floats


def fitness(load: Floats, settings: LoadSettings, start: StartingFitness | None = None) -> Fitness:
    """CTL, ATL and TSB of a series. An unknown day changes neither: it is no rest."""
    begin = start or StartingFitness()
    ctl = _decaying_mean(load, settings.fitness_days, begin.ctl)
    atl = _decaying_mean(load, settings.fatigue_days, begin.atl)
    form = np.concatenate([[begin.ctl - begin.atl], (ctl - atl)[:-1]]) if len(load) else ctl
    return Fitness(ctl, atl, form)


def _decaying_mean(load: Floats, tau_days: float, start: float) -> Floats:
    share = -math.expm1(-1 / tau_days)
    out = np.empty(len(load))
    mean = start
    for index, value in enumerate(load.tolist()):
        if not math.isnan(value):
            mean += share * (value - mean)
        out[index] = mean
    return out


SAME = 1e-9
"""A week whose loads differ by less than this share of their mean has no variation beyond rounding."""


@dataclass(frozen=True, slots=True)
class Variation:
    """``monotony`` = mean / sample SD (ddof 1) of 7 daily loads; ``strain`` = their sum x monotony, AU
    (Foster 1998, MSSE 30:1164). Thresholds are individual, so none is given here.

    Where there is no number, ``reason`` says why: ``no-variation``, ``no-load``, ``unknown-day`` or ``under-7-days``.
    """

    monotony: float | None
    strain: float | None
    reason: str | None


def variation(week: NDArray[np.float64]) -> Variation:
    """Of the 7 daily loads that end on the day asked, zeros included."""
    if len(week) < ACUTE_DAYS:
        return Variation(None, None, "under-7-days")
    if bool(np.isnan(week).any()):
        return Variation(None, None, "unknown-day")
    mean = float(week.mean())
    if mean == 0:
        return Variation(None, None, "no-load")
    spread = float(week.std(ddof=1))
    if spread <= SAME * mean:
        return Variation(None, None, "no-variation")
    monotony = mean / spread
    return Variation(monotony, float(week.sum()) * monotony, None)
