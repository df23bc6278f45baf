"""Lapses: days after a break, a taper or a race, on which the ratio compares with a month that was no usual one.

Whoever comes back from three weeks off has a high ratio by doing half of what was usual. In a lapse the week is
compared instead with the load that the athlete was used to before, less what the days off have cost.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from services.load.domain.ratios import Ratios
from services.load.domain.settings import ACUTE_DAYS, CHRONIC_DAYS, LoadSettings
from shared.contract.words import Lapse

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LapseState:
    """``since``: its first day; ``until``: the last day on which the ratios still compare with it, if it is over."""

    name: Lapse
    since: date
    until: date | None = None

    def as_json(self) -> dict[str, str]:
        days = {"since": self.since, "until": self.until}
        return {"name": self.name, **{key: day.isoformat() for key, day in days.items() if day is not None}}


@dataclass(frozen=True, slots=True)
class Lapses:
    """One entry a day. ``low``: the last week was far below what was usual; ``within``: such a day weighs on the
    ratio; ``ratio``: the last week against the load that the athlete was used to; NaN without one; ``raced``: the last
    week holds a race that weighs on it."""

    low: NDArray[np.bool_]
    within: NDArray[np.bool_]
    ratio: Floats
    raced: NDArray[np.bool_]


def lapses(figures: Ratios, races: Floats, settings: LoadSettings) -> Lapses:
    """Of one stream, from its acute and chronic loads and the load of each day's races. A race that weighs as much as a
    low week is no step of training: the week is compared without it."""
    usual = _back(figures.chronic, settings.lapse_remembered_days).max(axis=1, initial=0.0)
    acute = np.nan_to_num(figures.acute)
    raced = _back(races, ACUTE_DAYS).sum(axis=1) / np.maximum(figures.known_acute, 1)
    raced = np.where(raced >= settings.lapse_below * usual, raced, 0.0)
    acute = acute - raced
    low = (usual > 0) & (acute < settings.lapse_below * usual)
    # A low day weighs on the four weeks' mean for as long as it is among its days, and a week longer on that week's.
    within = (_back(low.astype(np.float64), CHRONIC_DAYS + ACUTE_DAYS).max(axis=1, initial=0.0) > 0) | (raced > 0)
    days_low = _back(low.astype(np.float64), settings.lapse_remembered_days).sum(axis=1)
    kept = np.maximum(0.0, 1 - settings.lapse_loss_a_week * days_low / ACUTE_DAYS)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(usual * kept > 0, acute / (usual * kept), np.nan)
    return Lapses(low, within, ratio, raced > 0)


def _back(values: Floats, days: int) -> Floats:
    """Per day the values of the ``days`` days that end on it; what is unknown or before the first is 0."""
    filled = np.concatenate([np.zeros(days - 1), np.nan_to_num(values)])
    return sliding_window_view(filled, days) if len(values) else np.zeros((0, days))
