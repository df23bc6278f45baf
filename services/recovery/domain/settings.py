"""The numbers of the recovery pack that readiness reads, typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from shared.contract.words import PackKind
from shared.rules.decisions import TypedSettings

WEEK_DAYS = 7
"""Means of the last week and the baseline before it are over calendar days (Plews 2014, IJSPP 9:783)."""


@dataclass(frozen=True, slots=True)
class RecoverySettings(TypedSettings):
    """Settings of the recovery pack, by their names there; each is explained in ``rules/base/recovery.yaml``."""

    pack: ClassVar[PackKind] = "recovery"

    week_valid_days: float
    baseline_days: float
    baseline_valid_days: float
    subjective_latest_days: float
    chart_limit: float
    chart_weight: float
    chart_autocorrelation: float
    chart_autocorrelation_days: float
    chart_autocorrelation_most: float
    set_aside_beyond: float
    plausible_mornings: Mapping[str, Mapping[str, float]]
    unit_mixed_up_within: float
    least_sd: Mapping[str, float]
    resting_hr_edge_min: float
    answer_edge_min: float
    answer_poor_from: float
    answer_neutral: float
    sleep_full_hours: float
    sleep_edge_hours: float
    sleep_poor_quality: float
    sleep_poor_quality_cost: float
    load_factor_full_to: float
    load_factor_edge: float
    load_factor_zero_at: float
    high_hrv_fatigue: float
    factor_limits_below: float
    score_confidence_from: float
    score_green_from: float
    score_red_to: float
    sign_lasting_days: float
    sign_gap_days: float
    sign_resting_hr_above: float
    sign_sleep_under: float
    sign_item_from: float
    sign_mood_to: float
    sign_effort_above: float
    sign_effort_days: float
    sign_effort_runs: float
    sign_strength_drop: float
    sign_mass_drop: float
    sign_trend_days: float
    sign_strength_best_days: float
    sign_mass_older_days: float
    factor_weights: Mapping[str, float]
    step_down_run: Mapping[str, str]
    step_down_lift: Mapping[str, str]
    easy_lift_effort: str
    pull_back_asks_for: tuple[str, ...]
    watch_asks_for: tuple[str, ...]
