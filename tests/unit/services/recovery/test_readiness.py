"""Score, colour, limiting factor, gate and what the gate does to a session."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from services.recovery.domain import (
    Gate,
    ReadinessInputs,
    StreamRatio,
    assess_readiness,
    gate_session,
    readiness_history,
)
from shared.contract.wellness import USUAL_ITEMS
from shared.contract.words import INTENSITIES, PackKind
from shared.messages.values import PlannedSession, Wellness
from shared.rules.evaluation.tenant_rules import TenantRules
from tests.unit.services.recovery.conftest import TODAY, mornings

Settings = Mapping[str, Any]
REDUCED = Gate("reduced", 0.8, "the score is under 67", quality_steps=1)
EASY = Gate("easy", 0.6, "illness")


class Turned:
    """The shipped rules with some settings of the recovery pack turned."""

    def __init__(self, rules: TenantRules, **turned: float) -> None:
        self._rules, self._turned = rules, turned

    def settings(self, kind: PackKind) -> Settings:
        return {**self._rules.settings(kind), **self._turned}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rules, name)


def known_by_sleep(rules: TenantRules) -> Any:
    """Rules to which the fifth of the weights that sleep has is enough for a score."""
    return Turned(rules, score_confidence_from=0.1)


def readiness(rules: TenantRules, days: int = 67, loads: Mapping[Any, StreamRatio] | None = None, **fields: Any) -> Any:
    return assess_readiness(
        ReadinessInputs(on=TODAY, wellness=mornings(days, **fields), loads={TODAY: loads or {}}), rules
    )


def test_all_factors_at_their_own_normal_score_100_with_full_confidence(rules: TenantRules) -> None:
    loads = {name: StreamRatio(1.0, "ok") for name in ("run", "lift", "combined")}
    answers = dict.fromkeys(USUAL_ITEMS, 3)
    found = readiness(rules, loads=loads, rmssd_ms=60.0, resting_hr=50, sleep_hours=8, **answers)
    assert (found.score, found.colour, found.confidence, found.limiting_factor) == (100, "green", 1.0, None)
    assert (found.gate.intensity, found.gate.volume_factor, found.action) == ("full", 1.0, "none")
    assert found.decided_by == ()


def test_the_score_is_the_weighted_mean_of_what_is_present(rules: TenantRules) -> None:
    found = readiness(rules, sleep_hours=7, resting_hr=lambda ago: 52 if ago < 7 else 50)
    assert found.score == pytest.approx((0.20 * 75 + 0.10 * 50) / 0.30)
    assert found.confidence == pytest.approx(0.30)


@pytest.mark.parametrize(
    ("hours", "colour", "intensity"),
    [(6.68, "green", "full"), (6.64, "yellow", "reduced"), (5.36, "yellow", "reduced"), (5.32, "red", "easy")],
)
def test_colours_and_gate_follow_the_score(hours: float, colour: str, intensity: str, rules: TenantRules) -> None:
    found = readiness(known_by_sleep(rules), days=7, sleep_hours=hours)
    assert (found.colour, found.gate.intensity) == (colour, intensity)


def test_a_score_of_exactly_67_or_33_is_on_its_settled_side(rules: TenantRules) -> None:
    assert readiness(known_by_sleep(rules), days=7, sleep_hours=6.68).score == 67
    at_33 = readiness(known_by_sleep(rules), days=7, sleep_hours=5.32)
    assert (at_33.score, at_33.colour) == (33, "red")


@pytest.mark.parametrize(
    ("fatigue", "stress", "intensity", "limiting"),
    [(3, 2, "full", None), (4, 2, "reduced", "fatigue"), (4, 4, "easy", "fatigue"), (2, 4, "reduced", "stress")],
)
def test_factors_outside_normal_are_counted(
    fatigue: int, stress: int, intensity: str, limiting: str | None, rules: TenantRules
) -> None:
    found = readiness(
        rules,
        rmssd_ms=60.0,
        sleep_hours=8,
        resting_hr=50,
        fatigue=lambda ago: fatigue if ago < (1 if fatigue == 3 else 8) else 2,
        stress=lambda ago: stress if ago < 8 else 2,
    )
    assert (found.gate.intensity, found.limiting_factor) == (intensity, limiting)


def test_too_little_known_is_no_score_and_what_is_missing_is_told(rules: TenantRules) -> None:
    found = readiness(rules, days=7, sleep_hours=8)
    assert (found.score, found.colour, found.confidence, found.gate.intensity) == (None, None, 0.2, "full")
    assert "hrv" in found.gate.reason and "mood" in found.gate.reason and "sleep," not in found.gate.reason
    short = readiness(rules, days=7, sleep_hours=4.5)
    assert (short.score, short.gate.intensity, short.limiting_factor) == (None, "easy", "sleep")


@pytest.mark.parametrize("jump", [46, 58, 70, 95])
def test_a_heart_rate_that_jumped_last_night_is_news_today(jump: int, rules: TenantRules) -> None:
    rng = np.random.default_rng(1)
    usual = [50 + 2 * float(rng.standard_normal()) for _ in range(67)]
    found = readiness(rules, resting_hr=lambda ago: jump if ago == 0 else usual[ago], sleep_hours=8)
    assert found.gate.intensity == ("full" if jump == 46 else "easy")


def test_the_worst_answer_is_news_today(rules: TenantRules) -> None:
    found = readiness(rules, fatigue=lambda ago: 5 if ago == 0 else 2, sleep_hours=8, resting_hr=50)
    assert (found.gate.intensity, found.colour) == ("reduced", "yellow")


def test_a_day_marked_sick_is_easy_and_not_green(rules: TenantRules) -> None:
    rows = mornings(67, resting_hr=50, sleep_hours=8, fatigue=2)
    sick = ReadinessInputs(on=TODAY, wellness=rows, excluded_days=frozenset([TODAY]), sick_days=frozenset([TODAY]))
    found = assess_readiness(sick, rules)
    assert (found.gate.intensity, found.colour, found.limiting_factor) == ("easy", "yellow", "illness")


def test_usual_misery_is_no_normal_and_pull_back_is_never_beside_full(rules: TenantRules) -> None:
    for days in (13, 67):
        found = readiness(rules, days=days, fatigue=5, soreness=5, mood=1, stress=5, sleep_hours=8)
        assert (found.action, found.gate.intensity, found.colour) == ("pull-back", "easy", "yellow")
        assert found.score is not None and found.score <= 40


def test_the_ratio_of_one_stream_and_of_all_are_one_fact(rules: TenantRules) -> None:
    loads = {name: StreamRatio(1.55, "ok") for name in ("run", "combined")}
    found = readiness(rules, loads=loads, resting_hr=50, sleep_hours=8)
    assert (found.facts["factors_under_50"], found.gate.intensity) == (1, "full")


WORSE = {"fatigue": 1, "soreness": 1, "stress": 1, "mood": -1, "resting_hr": 1, "sleep_hours": -1, "rmssd_ms": -1}


@settings_of_hypothesis(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(WORSE)), st.floats(0.05, 1), st.booleans())
def test_more_bad_news_this_morning_never_raises_score_or_gate(
    rules: TenantRules, seed: int, item: str, share: float, sick: bool
) -> None:
    rng = np.random.default_rng(seed)
    rows = []
    for ago in range(int(rng.integers(1, 70)), -1, -1):
        answers = {name: int(rng.integers(1, 6)) for name in ("fatigue", "soreness", "mood", "stress")}
        measured = {"resting_hr": rng.normal(50, 3), "sleep_hours": rng.uniform(4, 9), "rmssd_ms": rng.uniform(30, 90)}
        rows.append(Wellness(date=TODAY - timedelta(days=ago), **answers, **measured))
    value = getattr(rows[-1], item)
    worst = {"resting_hr": 120.0, "sleep_hours": 0.5, "rmssd_ms": 5.0, "mood": 1}.get(item, 5)
    worse: float = value + share * (worst - value)
    if item in USUAL_ITEMS:
        worse = round(worse)
    bad = [*rows[:-1], rows[-1].model_copy(update={item: worse})]
    before = assess_readiness(ReadinessInputs(on=TODAY, wellness=rows), rules)
    marked = frozenset([TODAY] if sick else [])
    after = assess_readiness(ReadinessInputs(on=TODAY, wellness=bad, sick_days=marked), rules)
    # High HRV limits a tired athlete: there, lower is better.
    assume(item != "rmssd_ms" or next(one for one in before.factors if one.name == "hrv").status != "above-band")
    assert before.score is not None and after.score is not None
    assert after.score <= before.score + 1e-9
    assert INTENSITIES.index(after.gate.intensity) >= INTENSITIES.index(before.gate.intensity)


def test_one_wearable_measure_far_from_normal_is_enough_for_an_easy_day(rules: TenantRules) -> None:
    found = readiness(rules, sleep_hours=8, mood=4, resting_hr=lambda ago: 54 if ago < 7 else 50)
    assert found.score > 67
    assert (found.gate.intensity, found.limiting_factor) == ("easy", "resting_hr")
    assert found.gate.rules[0] == "gate-easy-on-one-very-low-measure"


@settings_of_hypothesis(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.6, 3))
def test_who_varies_more_is_judged_alike_and_the_order_of_records_changes_nothing(
    rules: TenantRules, seed: int, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    off = rng.standard_normal((70, 2))

    def judged(by: float, order: Sequence[int]) -> Any:
        rows = [
            Wellness(
                date=TODAY - timedelta(days=ago),
                rmssd_ms=60 * math.exp(0.1 * by * float(off[ago, 0])),
                resting_hr=60 + 4 * by * float(off[ago, 1]),
            )
            for ago in order
        ]
        return assess_readiness(ReadinessInputs(on=TODAY, wellness=rows), rules)

    found, other = judged(1, range(70)), judged(scale, range(70))
    assert [one.score for one in other.factors] == [pytest.approx(one.score, abs=1e-6) for one in found.factors]
    assert other.gate == found.gate
    assert judged(1, rng.permutation(70).tolist()).as_json() == found.as_json()


def test_of_equally_low_factors_the_heavier_limits(rules: TenantRules) -> None:
    found = readiness(rules, soreness=5, fatigue=5, sleep_hours=8)
    assert {f.name: f.score for f in found.factors if f.score == 0} == {"soreness": 0, "fatigue": 0}
    assert found.limiting_factor == "fatigue"


def test_illness_comes_before_every_factor(rules: TenantRules) -> None:
    found = readiness(rules, days=7, sleep_hours=4, illness=lambda ago: ago == 0)
    assert (found.limiting_factor, found.gate.intensity) == ("illness", "easy")
    alone = readiness(rules, days=1, illness=True)
    assert (alone.score, alone.limiting_factor, alone.gate.intensity) == (None, "illness", "easy")


def test_no_data_is_neither_green_nor_gated(rules: TenantRules) -> None:
    found = assess_readiness(ReadinessInputs(on=TODAY), rules)
    assert (found.score, found.colour, found.confidence, found.gate.intensity) == (None, None, 0, "full")
    assert "no data" in found.gate.reason
    future = assess_readiness(ReadinessInputs(on=TODAY - timedelta(days=9), wellness=mornings(2, mood=3)), rules)
    assert future.score is None, "records after the day asked are not looked at"


def test_every_decision_names_its_rule_and_pack(rules: TenantRules) -> None:
    found = readiness(known_by_sleep(rules), days=7, sleep_hours=6)
    (decided,) = found.as_json()["decided_by"]
    pack = rules.pack("recovery")
    assert decided == {
        "pack": "base.recovery",
        "version": pack.version,
        "hash": pack.hash[:12],
        "rule": "gate-reduced-under-67",
        "severity": "advice",
    }


@pytest.mark.parametrize(
    ("planned", "gate", "after"),
    [
        ({"kind": "run", "type": "intervals"}, REDUCED, {"type": "threshold"}),
        ({"kind": "run", "type": "hills"}, REDUCED, {"type": "threshold"}),
        ({"kind": "run", "type": "threshold"}, REDUCED, {"type": "tempo"}),
        ({"kind": "run", "type": "tempo"}, REDUCED, {"type": "easy"}),
        ({"kind": "run", "type": "long"}, REDUCED, {"type": "long"}),
        ({"kind": "lift", "effort": "max"}, REDUCED, {"effort": "heavy"}),
        ({"kind": "lift", "effort": "heavy"}, REDUCED, {"effort": "moderate"}),
        ({"kind": "lift", "effort": "light"}, REDUCED, {"effort": "light"}),
        ({"kind": "other", "mode": "bike"}, REDUCED, {"mode": "bike"}),
        ({"kind": "run", "type": "intervals"}, EASY, {"type": "easy"}),
        ({"kind": "run", "type": "long"}, EASY, {"type": "easy"}),
        ({"kind": "run", "type": "recovery"}, EASY, {"type": "recovery"}),
        ({"kind": "run"}, EASY, {"type": "easy"}),
        ({"kind": "lift", "effort": "max"}, EASY, {"effort": "moderate"}),
        ({"kind": "lift", "effort": "light"}, EASY, {"effort": "light"}),
        ({"kind": "lift"}, EASY, {"effort": "moderate"}),
    ],
)
def test_the_gate_lowers_one_session(
    planned: dict[str, Any], gate: Gate, after: dict[str, Any], settings: Settings
) -> None:
    gated = gate_session(PlannedSession(id="p", duration_min=50, **planned), gate, settings)
    assert gated.session.duration_min == pytest.approx(50 * gate.volume_factor)
    assert {name: getattr(gated.session, name) for name in after} == after
    assert gated.changed
    assert all(gate.reason in why for why in gated.why)


@pytest.mark.parametrize("gate", [REDUCED, EASY])
def test_a_race_is_only_flagged(gate: Gate, settings: Settings) -> None:
    race = PlannedSession(id="p", duration_min=50, kind="run", type="race")
    gated = gate_session(race, gate, settings)
    assert (gated.session, gated.changed) == (race, False)
    assert gate.intensity in gated.why[0]


TYPES = st.sampled_from(
    [
        {"kind": "run", "type": t}
        for t in ("recovery", "easy", "long", "tempo", "threshold", "intervals", "hills", "race")
    ]
    + [{"kind": "lift", "effort": e} for e in ("light", "moderate", "heavy", "max")]
    + [{"kind": "other", "mode": m} for m in ("walk", "bike", "mobility")]
)
HARDNESS = {
    "recovery": 0,
    "easy": 1,
    "long": 2,
    "tempo": 3,
    "threshold": 4,
    "intervals": 5,
    "hills": 5,
    "race": 6,
    "light": 0,
    "moderate": 1,
    "heavy": 2,
    "max": 3,
}


@given(TYPES, st.floats(1, 600), st.sampled_from([REDUCED, EASY]))
def test_the_gate_never_removes_and_never_raises(
    settings: Settings, tags: dict[str, str], minutes: float, gate: Gate
) -> None:
    planned = PlannedSession(id="p", duration_min=minutes, **tags)
    after = gate_session(planned, gate, settings).session
    assert (after.id, after.kind, after.start) == (planned.id, planned.kind, planned.start)
    assert 0 < after.duration_min <= planned.duration_min
    for name in ("type", "effort"):
        before, now = getattr(planned, name), getattr(after, name)
        if before is not None:
            assert HARDNESS[now] <= HARDNESS[before]


def test_a_full_gate_changes_nothing(settings: Settings) -> None:
    planned = PlannedSession(id="p", duration_min=50, kind="run", type="intervals")
    gated = gate_session(planned, Gate("full", 1.0, "nothing is outside normal"), settings)
    assert (gated.session, gated.changed, gated.why) == (planned, False, ())


def test_a_history_is_the_same_as_its_days_one_by_one_and_cheap(rules: TenantRules) -> None:
    rows = mornings(180, rmssd_ms=lambda ago: 50.0 + ago * 7 % 13, sleep_hours=lambda ago: 6 + ago % 4, soreness=2)
    days = [TODAY - timedelta(days=ago) for ago in range(112)]
    loads = {day: {"run": StreamRatio(1.0 + day.day / 40, "ok")} for day in days}
    inputs = ReadinessInputs(on=TODAY, wellness=rows, loads=loads)
    started = time.process_time()
    history = readiness_history(inputs, days, rules)
    assert time.process_time() - started < 1
    for day in (days[0], days[50], days[111]):
        known_then = [row for row in rows if row.date <= day]
        alone = assess_readiness(replace(inputs, on=day, wellness=known_then, loads={day: loads[day]}), rules)
        assert history[day].as_json() == alone.as_json()


def test_two_records_of_one_morning_complete_each_other(rules: TenantRules) -> None:
    rows = mornings(1, sleep_hours=6) + mornings(1, mood=4)
    found = assess_readiness(ReadinessInputs(on=TODAY, wellness=rows), rules)
    assert found.facts["sleep_hours"] == 6
    assert found.facts["mood"] == 4
