"""Signs of overreaching: when each shows, since when, and what several of them ask for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from services.recovery.domain import EasyRun, Readiness, ReadinessInputs, StrengthMark, assess_readiness
from shared.rules.evaluation.tenant_rules import TenantRules
from tests.unit.services.recovery.conftest import TODAY, mornings


def assessed(rules: TenantRules, days: int = 70, **fields: Any) -> Readiness:
    return assess_readiness(ReadinessInputs(on=TODAY, wellness=mornings(days, **fields)), rules)


def shown(found: Readiness) -> dict[str, int]:
    return {sign.name: sign.days for sign in found.signs}


def today_only(value: float, usual: float | None) -> Callable[[int], float | None]:
    return lambda ago: value if ago == 0 else usual


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"resting_hr": today_only(55, 50)}, {}),
        ({"resting_hr": today_only(56, 50)}, {"resting_hr": 1}),
        ({"sleep_hours": today_only(6, 8)}, {}),
        ({"sleep_hours": today_only(5.9, 8)}, {"sleep": 1}),
        ({"sleep_hours": 8, "sleep_quality": today_only(2, 4)}, {"sleep": 1}),
        ({"soreness": today_only(3, 2)}, {}),
        ({"soreness": today_only(4, 2)}, {"soreness": 1}),
        ({"fatigue": today_only(4, 2)}, {"fatigue": 1}),
        ({"stress": today_only(5, 2)}, {"stress": 1}),
        ({"mood": today_only(2, 4)}, {"mood": 1}),
        ({"mood": today_only(3, 4)}, {}),
        ({"aches": today_only(True, False)}, {"aches": 1}),
        ({"body_mass_kg": lambda ago: 80.0 if ago >= 14 else 78.5}, {}),
        ({"body_mass_kg": lambda ago: 80.0 if ago >= 14 else 78.4}, {"body_mass": 14}),
    ],
)
def test_each_sign_has_its_threshold(fields: dict[str, Any], expected: dict[str, int], rules: TenantRules) -> None:
    assert shown(assessed(rules, **fields)) == expected


def test_hrv_below_its_band_is_a_sign(rules: TenantRules) -> None:
    found = assessed(rules, 80, rmssd_ms=lambda ago: 60.0 + ago % 3 if ago > 4 else 50.0)
    assert shown(found) == {"hrv": 4}
    assert found.day_facts()["hrv_low"] is True


def easy_runs(rpe: float, usual: float = 3, every: int = 3) -> list[EasyRun]:
    runs = [EasyRun(TODAY - timedelta(days=ago), usual) for ago in range(every, 28, every)]
    return [*runs, EasyRun(TODAY, rpe)]


@pytest.mark.parametrize(("rpe", "present"), [(4.9, False), (5, True)])
def test_an_easy_run_that_feels_two_points_harder_is_a_sign(rpe: float, present: bool, rules: TenantRules) -> None:
    found = assess_readiness(ReadinessInputs(on=TODAY, easy_runs=easy_runs(rpe)), rules)
    assert ("effort" in shown(found)) == present
    assert found.day_facts()["effort_drift"] == pytest.approx(rpe - 3)


def test_effort_needs_three_easy_runs_to_compare_with(rules: TenantRules) -> None:
    runs = [EasyRun(TODAY - timedelta(days=ago), 3) for ago in (3, 6)] + [EasyRun(TODAY, 8)]
    assert shown(assess_readiness(ReadinessInputs(on=TODAY, easy_runs=runs), rules)) == {}


@pytest.mark.parametrize(("now", "present"), [(0.99, False), (0.96, True), (1.03, False)])
def test_strength_lost_over_two_weeks_is_a_sign_if_all_lifts_say_so(
    now: float, present: bool, rules: TenantRules
) -> None:
    def shown_by(**share: float) -> bool:
        marks = [
            StrengthMark(TODAY - timedelta(days=ago), lift, kilograms * (share[lift] if ago < 14 else 1) + ago % 3 / 4)
            for lift, kilograms in (("squat", 120), ("bench", 80), ("row", 70), ("press", 50))
            for ago in range(0, 70, 4)
        ]
        return "strength" in shown(assess_readiness(ReadinessInputs(on=TODAY, strength=marks), rules))

    assert shown_by(squat=now, bench=now, row=now, press=now) == present
    assert not shown_by(squat=now, bench=1, row=1.02, press=1)


def test_one_light_session_is_no_lost_strength(rules: TenantRules) -> None:
    marks = [StrengthMark(TODAY - timedelta(days=ago), "squat", 100) for ago in (16, 12, 9, 5, 2)]
    marks.append(StrengthMark(TODAY, "squat", 70))
    assert shown(assess_readiness(ReadinessInputs(on=TODAY, strength=marks), rules)) == {}


@pytest.mark.parametrize(
    ("unrecorded", "days", "since"),
    [((), 10, 9), ((3,), 9, 9), ((3, 4), 8, 9), ((3, 4, 5), 3, 2), ((0,), 9, 9), ((0, 1), 8, 9)],
)
def test_one_or_two_days_without_a_record_neither_break_nor_lengthen(
    unrecorded: tuple[int, ...], days: int, since: int, rules: TenantRules
) -> None:
    found = assessed(rules, soreness=lambda ago: None if ago in unrecorded else (4 if ago < 10 else 2))
    (sign,) = found.signs
    assert (sign.days, sign.since) == (days, TODAY - timedelta(days=since))


def test_three_days_without_a_record_end_a_sign(rules: TenantRules) -> None:
    assert assessed(rules, soreness=lambda ago: None if ago < 3 else 4).signs == ()


def test_one_good_day_ends_a_sign(rules: TenantRules) -> None:
    assert shown(assessed(rules, soreness=lambda ago: 2 if ago == 4 else 4)) == {"soreness": 4}


@pytest.mark.parametrize(
    ("lasting", "action", "rule"),
    [
        ({"soreness": 8}, "none", None),
        ({"soreness": 8, "stress": 8}, "watch", "watch-two-lasting-signs"),
        ({"soreness": 8, "stress": 7}, "none", None),
        ({"soreness": 8, "stress": 8, "fatigue": 8}, "pull-back", "pull-back-on-three-lasting-signs"),
        ({"soreness": 8, "stress": 8, "fatigue": 7}, "watch", "watch-two-lasting-signs"),
        ({"soreness": 30, "stress": 20, "fatigue": 9}, "pull-back", "pull-back-on-three-lasting-signs"),
    ],
)
def test_several_signs_for_more_than_a_week_ask_for_something(
    lasting: dict[str, int], action: str, rule: str | None, rules: TenantRules
) -> None:
    fields = {name: (lambda ago, days=days: 4 if ago < days else 2) for name, days in lasting.items()}
    found = assessed(rules, **fields)
    assert found.action == action
    assert [decided.rule for decided in found.action_decided_by] == ([rule] if rule else [])
    assert bool(found.asked_for) == (action != "none")


def test_what_the_heart_says_twice_is_one_witness(rules: TenantRules) -> None:
    def told(**fields: Any) -> Any:
        return assessed(rules, **fields).day_facts()["witnesses"]

    low, high = (lambda ago: 60.0 + ago % 3 if ago > 6 else 45.0), (lambda ago: 50 + ago % 2 if ago > 6 else 60)
    assert told(rmssd_ms=low) == told(resting_hr=high) == told(rmssd_ms=low, resting_hr=high) == 1
    assert told(rmssd_ms=low, soreness=lambda ago: 2 if ago > 6 else 4) == 2
    assert told(fatigue=5, stress=5, mood=1) == 1
    assert told(fatigue=2) == 0
    assert told(body_mass_kg=80) is None
