"""The numbers of the recovery pack that load assessment reads, typed."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from shared.contract.words import PackKind
from shared.rules.decisions import TypedSettings

ACUTE_DAYS = 7
CHRONIC_DAYS = 28
"""The bands of 0.8, 1.3 and 1.5 belong to means over 7 and 28 days (Gabbett 2016, BJSM 50:273): other windows would
need other bands, so the windows are no setting."""

DAYS_SEEN_AT_LEAST = 2 * 366
"""A mistyped year shows by the records of the year beside it."""


@dataclass(frozen=True, slots=True)
class LoadSettings(TypedSettings):
    """Settings of the recovery pack, by their names there."""

    pack: ClassVar[PackKind] = "recovery"

    load_band_optimal_from: float
    load_band_optimal_to: float
    load_band_danger_above: float
    load_acute_known_days: int
    load_chronic_known_days: int
    lapse_below: float
    lapse_remembered_days: int
    lapse_loss_a_week: float
    fitness_known_days: int
    unrecorded_days: int
    fitness_days: float
    fatigue_days: float
    long_run_spike_above: float
    long_run_spike_days: int
    run_slowest_km_h: float
    run_fastest_km_h: float
    watch_left_running_min: float
    lift_longest_min: float
    copy_shifted_hours: int
    year_typed_wrong_days: int
    load_twice_share: float
    own_effort_days: int
    own_effort_sessions: int
    heart_rate_scale_sessions: int
    default_effort: Mapping[str, Mapping[str, float]]

    @property
    def days_looked_back(self) -> int:
        """Days before an assessed one that can still be seen in it: after so many a day's share of CTL, the slowest of
        all means, is less than what a double can hold beside it."""
        slowest = max(self.fitness_days, self.fatigue_days)
        return max(math.ceil(-math.log(sys.float_info.epsilon) * slowest), DAYS_SEEN_AT_LEAST)
