"""The numbers of the recovery pack that load assessment reads, typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

ACUTE_DAYS = 7
CHRONIC_DAYS = 28
"""The bands of 0.8, 1.3 and 1.5 belong to means over 7 and 28 days (Gabbett 2016, BJSM 50:273): other windows would
need other bands, so the windows are no setting."""


class MissingSetting(KeyError):
    """The recovery pack lacks a setting that load assessment needs."""

    def __str__(self) -> str:
        return f"the recovery pack has no setting '{self.args[0]}'"


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """Settings of the recovery pack, by their names there."""

    load_band_optimal_from: float
    load_band_optimal_to: float
    load_band_danger_above: float
    load_acute_known_days: int
    load_chronic_known_days: int
    fitness_days: float
    fatigue_days: float
    long_run_spike_above: float
    long_run_spike_days: int
    own_effort_days: int
    own_effort_sessions: int
    heart_rate_scale_sessions: int
    default_effort: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Raises ``MissingSetting`` for the first name that is not there."""

        def number(name: str) -> float:
            if name not in settings:
                raise MissingSetting(name)
            return float(settings[name])

        if "default_effort" not in settings:
            raise MissingSetting("default_effort")
        return cls(
            load_band_optimal_from=number("load_band_optimal_from"),
            load_band_optimal_to=number("load_band_optimal_to"),
            load_band_danger_above=number("load_band_danger_above"),
            load_acute_known_days=int(number("load_acute_known_days")),
            load_chronic_known_days=int(number("load_chronic_known_days")),
            fitness_days=number("fitness_days"),
            fatigue_days=number("fatigue_days"),
            long_run_spike_above=number("long_run_spike_above"),
            long_run_spike_days=int(number("long_run_spike_days")),
            own_effort_days=int(number("own_effort_days")),
            own_effort_sessions=int(number("own_effort_sessions")),
            heart_rate_scale_sessions=int(number("heart_rate_scale_sessions")),
            default_effort=settings["default_effort"],
        )
