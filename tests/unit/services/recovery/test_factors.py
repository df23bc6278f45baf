"""Each factor against one's own normal, by numbers worked out by hand or published."""

import math
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recovery.domain import Factor, ReadinessInputs, StreamRatio, assess_readiness
from services.recovery.domain.factors import linear_score
from services.recovery.domain.settings import RecoverySettings
from services.recovery.domain.windows import latest, window
from shared.messages.values import Wellness
from shared.rules.decisions import MissingSetting
from shared.rules.evaluation.tenant_rules import TenantRules
from tests.unit.services.recovery.conftest import TODAY, mornings

DATA = Path(__file__).resolve().parents[3] / "data"


def factor(rules: TenantRules, name: str, wellness: list[Wellness] = [], **more: Any) -> Factor:  # noqa: B006
    found = assess_readiness(ReadinessInputs(on=TODAY, wellness=wellness, **more), rules)
    return next(one for one in found.factors if one.name == name)


def rmssd(nni_ms: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.diff(nni_ms) ** 2)))


@pytest.mark.parametrize(("file", "expected_ms"), [("pyhrv_nni_short.csv", 101.3006), ("pyhrv_nni_long.csv", 60.523)])
def test_ln_rmssd_of_real_intervals(file: str, expected_ms: float, rules: TenantRules) -> None:
    """pyhrv's sample series with the RMSSD that pyhrv's own report states."""
    measured = rmssd(np.loadtxt(DATA / file))
    assert measured == pytest.approx(expected_ms, abs=1e-3)
    found = factor(rules, "hrv", mornings(67, rmssd_ms=measured))
    assert found.value == pytest.approx(math.log(expected_ms), abs=1e-5)
    assert found.score == 100


def alternating(ago: int) -> float:
    return math.exp(4.0 if ago % 2 else 4.2)


def standard_error(sd: float, settings: Mapping[str, Any], pairs: int, alike: float, mornings: int) -> float:
    """Of the mean of 7 mornings against the mean of a baseline, worked out day by day; ``alike``: the lag-1
    autocorrelation that is seen in so many pairs of the baseline."""
    usual, weight = settings["chart_autocorrelation"], settings["chart_autocorrelation_days"]
    drawn = max(0.0, (pairs * alike + weight * usual) / (pairs + weight))
    week = math.fsum(drawn ** abs(one - other) for one in range(7) for other in range(7)) / 49
    independent = mornings * (1 - drawn) / (1 + drawn)
    return sd * math.sqrt((week + 1 / independent) * (independent - 1) / (independent - 3))


def hrv_edge(settings: Mapping[str, Any]) -> float:
    """Of sixty days that alternate: each is the opposite of the one before, which no mean of mornings is."""
    sd = float(np.std([4.0, 4.2] * 30, ddof=1))
    return float(settings["chart_limit"]) * standard_error(sd, settings, 59, -1.0, 60)


def test_the_band_of_sixty_alternating_days(rules: TenantRules, settings: Mapping[str, Any]) -> None:
    found = factor(rules, "hrv", mornings(67, rmssd_ms=lambda ago: alternating(ago) if ago >= 7 else math.exp(4.1)))
    edge = hrv_edge(settings)
    assert (found.low, found.high) == (pytest.approx(4.1 - edge, abs=1e-9), pytest.approx(4.1 + edge, abs=1e-9))
    assert (found.score, found.status) == (100, "ok")


@pytest.mark.parametrize(("below", "score"), [(0, 100), (0.5, 75), (1, 50), (1.5, 25), (2, 0), (3, 0)])
def test_hrv_scores_50_at_its_lower_edge_and_0_at_twice_that(
    below: float, score: float, rules: TenantRules, settings: Mapping[str, Any]
) -> None:
    week = math.exp(4.1 - below * hrv_edge(settings))
    found = factor(rules, "hrv", mornings(67, rmssd_ms=lambda ago: alternating(ago) if ago >= 7 else week))
    assert found.score == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize(("fatigue", "score"), [(3, 100), (4, 50), (None, 100)])
def test_hrv_above_the_band_limits_only_together_with_fatigue(
    fatigue: int | None, score: float, rules: TenantRules, settings: Mapping[str, Any]
) -> None:
    edge = hrv_edge(settings) * (1 + 1e-7)
    rows = mornings(
        67,
        rmssd_ms=lambda ago: alternating(ago) if ago >= 7 else math.exp(4.1 + edge),
        fatigue=lambda ago: fatigue if ago == 0 else None,
    )
    found = factor(rules, "hrv", rows)
    assert (found.status, found.score) == ("above-band", pytest.approx(score, abs=1e-4))


def test_days_that_resemble_each_other_widen_the_band(rules: TenantRules) -> None:
    def edge(series: list[float]) -> float:
        found = factor(rules, "hrv", mornings(67, rmssd_ms=lambda ago: math.exp(series[66 - ago])))
        assert found.high is not None and found.low is not None
        return (found.high - found.low) / float(np.std(series[:60], ddof=1))

    rng = np.random.default_rng(4)
    steps = rng.standard_normal(67) * 0.1
    waves = [0.0]
    for step in steps[1:]:
        waves.append(0.7 * waves[-1] + step)
    assert edge([4 + one for one in waves]) > 1.2 * edge([4 + one for one in steps])


def test_a_single_wild_morning_is_set_aside_and_a_run_of_them_is_not(rules: TenantRules) -> None:
    def low(**wild: float) -> float | None:
        rows = mornings(67, rmssd_ms=lambda ago: wild.get(f"d{ago}", alternating(ago)))
        return factor(rules, "hrv", rows).low

    clean = low()
    assert clean is not None
    assert low(d40=0.061) == pytest.approx(clean, abs=0.01)
    run = low(d40=20.0, d41=20.0, d42=20.0)
    assert run is not None and run < clean - 0.05


def test_the_week_is_calendar_days_not_rows(rules: TenantRules) -> None:
    """Seven rows reach further back than seven days when mornings are missing (science C9, Elite HRV)."""
    rows = mornings(67, rmssd_ms=lambda ago: None if ago in (1, 2, 3) else (80.0 if ago < 7 else 75.0 + ago % 9))
    assert factor(rules, "hrv", rows).value == pytest.approx(math.log(80))


@pytest.mark.parametrize(
    ("week", "baseline", "status"), [(3, 14, "ok"), (2, 14, "few-mornings"), (3, 13, "no-baseline"), (0, 0, "missing")]
)
def test_too_few_mornings_drop_the_factor(week: int, baseline: int, status: str, rules: TenantRules) -> None:
    rows = mornings(67, rmssd_ms=lambda ago: 50.0 + ago % 3 if ago < week or 7 <= ago < 7 + baseline else None)
    found = factor(rules, "hrv", rows)
    assert found.status == status
    assert (found.score is not None) == (status == "ok")


def test_sick_and_travel_days_and_ill_mornings_leave_the_baseline(rules: TenantRules) -> None:
    sick = frozenset(TODAY - timedelta(days=ago) for ago in range(20, 30))
    rows = mornings(67, resting_hr=lambda ago: 75 if 20 <= ago < 30 else 50)
    assert factor(rules, "resting_hr", rows, excluded_days=sick).baseline == 50
    assert factor(rules, "resting_hr", rows).baseline == pytest.approx(50 + 25 / 6)
    ill = mornings(67, resting_hr=lambda ago: 75 if 20 <= ago < 30 else 50, illness=lambda ago: 20 <= ago < 30)
    assert factor(rules, "resting_hr", ill).baseline == 50


@pytest.mark.parametrize(("rate", "score"), [(49, 100), (50, 100), (51, 75), (52, 50), (54, 0), (60, 0)])
def test_a_steady_resting_heart_rate_has_an_edge_of_two_beats(rate: int, score: float, rules: TenantRules) -> None:
    found = factor(rules, "resting_hr", mornings(67, resting_hr=lambda ago: 50 if ago >= 7 else rate))
    assert (found.high, found.score) == (52, score)


def test_a_varying_resting_heart_rate_has_a_wider_edge(rules: TenantRules, settings: Mapping[str, Any]) -> None:
    rows = mornings(67, resting_hr=lambda ago: (44 if ago % 2 else 56) if ago >= 7 else 50)
    error = standard_error(float(np.std([44.0, 56.0] * 30, ddof=1)), settings, 59, -1.0, 60)
    assert factor(rules, "resting_hr", rows).high == pytest.approx(50 + settings["chart_limit"] * error)


@pytest.mark.parametrize(("name", "better"), [("fatigue", "lower"), ("mood", "higher")])
def test_an_answer_is_weighed_over_days_by_ones_own_and_by_what_it_means(
    name: str, better: str, rules: TenantRules
) -> None:
    def answered(usual: int, now: int, days: int) -> Factor:
        up = (lambda one: 6 - one) if better == "higher" else (lambda one: one)
        return factor(rules, name, mornings(67, **{name: lambda ago: up(now if ago < days else usual)}))

    assert answered(2, 2, 1).score == answered(2, 1, 5).score == 100
    one_day, a_week = answered(2, 3, 1).score, answered(2, 3, 7).score
    assert one_day is not None and a_week is not None
    assert one_day > 60 > 50 > a_week
    misery = answered(4, 4, 1)
    assert (misery.baseline, misery.score) == (4 if better == "lower" else 2, 50)
    assert answered(5, 5, 1).score == 0


def test_answers_have_a_meaning_before_there_is_a_normal(rules: TenantRules) -> None:
    found = factor(rules, "fatigue", mornings(3, fatigue=5))
    assert (found.status, found.score, found.high) == ("no-baseline", 0, 4)


@pytest.mark.parametrize(("ago", "present"), [(0, True), (2, True), (3, False)])
def test_an_answer_older_than_two_days_says_nothing(ago: int, present: bool, rules: TenantRules) -> None:
    rows = mornings(40, fatigue=lambda day: 3 if day >= ago else None)
    assert (factor(rules, "fatigue", rows).score is not None) == present


@pytest.mark.parametrize(
    ("ratio", "score"), [(0.5, 100), (1.3, 100), (1.4, 75), (1.5, 50), (1.75, 25), (2.0, 0), (4.0, 0)]
)
def test_a_load_ratio_costs_from_1_3_on(ratio: float, score: float, rules: TenantRules) -> None:
    assert factor(rules, "load_lift", loads={TODAY: {"lift": StreamRatio(ratio, "ok")}}).score == pytest.approx(score)


@pytest.mark.parametrize(
    ("ratio", "present"),
    [
        (StreamRatio(1.5, "ok"), True),
        (StreamRatio(1.5, "incomplete"), True),
        (StreamRatio(None, "incomplete"), False),
        (StreamRatio(1.5, "provisional"), False),
        (StreamRatio(None, "return-from-break"), False),
        (StreamRatio(None, "no-data"), False),
    ],
)
def test_a_ratio_that_cannot_be_read_is_dropped_with_its_status(
    ratio: StreamRatio, present: bool, rules: TenantRules
) -> None:
    found = factor(rules, "load_run", loads={TODAY: {"run": ratio}})
    assert (found.score is not None, found.status) == (present, ratio.status)


def test_poor_sleep_quality_costs_and_last_night_may_be_missing(rules: TenantRules) -> None:
    poor = mornings(3, sleep_hours=7, sleep_quality=lambda ago: 2 if ago == 0 else 5)
    assert factor(rules, "sleep", poor).score == 55
    unrecorded = mornings(5, sleep_hours=lambda ago: 7 if ago > 0 else None, mood=3)
    assert factor(rules, "sleep", unrecorded).score == 75
    alone = mornings(1, sleep_hours=10)
    assert factor(rules, "sleep", alone).score == 100
    assert factor(rules, "sleep", mornings(7, sleep_hours=0.5)).score == 0
    assert factor(rules, "sleep", mornings(7, sleep_hours=0)).status == "missing", "a zero is a night not measured"


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0.01, 50))
def test_worse_never_scores_better(first: float, second: float, edge: float) -> None:
    low, high = sorted((first, second))
    assert 0 <= linear_score(high, edge) <= linear_score(low, edge) <= 100


@given(
    st.lists(st.one_of(st.none(), st.floats(30, 90)), min_size=1, max_size=90), st.integers(1, 20), st.integers(0, 9)
)
def test_windows_agree_with_plain_statistics(values: list[float | None], days: int, ending: int) -> None:
    series = np.array([np.nan if value is None else value for value in values])
    found = window(series, days, ending)
    for index in range(len(series)):
        inside = series[max(0, index - ending - days + 1) : max(0, index - ending + 1)]
        inside = inside[~np.isnan(inside)]
        assert found.count[index] == len(inside)
        if len(inside):
            assert found.mean[index] == pytest.approx(inside.mean())
        if len(inside) > 1:
            assert found.sd[index] == pytest.approx(inside.std(ddof=1), abs=1e-9)


def test_the_latest_value_is_found_within_its_days() -> None:
    values, days = latest(np.array([np.nan, 3.0, np.nan, np.nan, np.nan, 5.0]), 2)
    assert days.tolist() == [-1, 1, 1, 1, -1, 5]
    assert np.isnan(values[[0, 4]]).all()
    assert values[[1, 2, 3, 5]].tolist() == [3, 3, 3, 5]


def test_a_missing_setting_is_named(settings: Mapping[str, Any]) -> None:
    without = {name: value for name, value in settings.items() if name != "chart_limit"}
    with pytest.raises(MissingSetting, match="chart_limit"):
        RecoverySettings.of(without)
