"""Monotony and strain (Foster 1998, MSSE 30:1164). Thresholds are individual, so none is given here."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.load.domain.settings import ACUTE_DAYS

SAME = 1e-9
"""A week whose loads differ by less than this share of their mean has no variation beyond rounding."""


@dataclass(frozen=True, slots=True)
class Variation:
    """``monotony`` = mean / sample SD (ddof 1) of 7 daily loads; ``strain`` = their sum x monotony, AU.

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
