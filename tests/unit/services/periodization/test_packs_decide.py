"""A coach edits one number and sees the answer, and the hash of the pack that decided, change."""

from collections.abc import Callable

import pytest

from services.periodization.domain import Season, fill_week
from shared.rules.decisions import Rules
from tests.unit.services.periodization.seasons import race, season, strength_test

Edit = Callable[[str, str, str], Rules]
RACE = race("2026-05-24")


def hash_of(planned: Season, pack: str) -> set[str]:
    return {decided.hash for decided in planned.decided_by if decided.pack == pack}


def test_deload_pack(rules: Rules, edited_rules: Edit) -> None:
    edited = edited_rules(
        "deload",
        "weeks_since_deload: at least 3}}\n    deload: {sets: -45 %",
        "weeks_since_deload: at least 3}}\n    deload: {sets: -60 %",
    )
    before, after = season(rules), season(edited)
    assert (before.weeks[3].lower_sets, after.weeks[3].lower_sets) == (pytest.approx(8.8), pytest.approx(6.4))
    assert hash_of(before, "base.deload").isdisjoint(hash_of(after, "base.deload"))


@pytest.mark.parametrize(
    ("old", "new", "number", "minutes"),
    [
        ("set: {growth: 6 %}", "set: {growth: 10 %}", 2, 264.0),
        ("value: 130 %", "value: 110 %", 10, 264.0),
        (
            "value: {A: 50 %, B: 30 %, C: 0 %}",
            "value: {A: 41 %, B: 30 %, C: 0 %}",
            11,
            312 * 0.7446,
        ),  # the mean of e^(−t/13.05), t = 1 … 7
    ],
)
def test_periodization_pack(rules: Rules, edited_rules: Edit, old: str, new: str, number: int, minutes: float) -> None:
    before, after = season(rules, RACE), season(edited_rules("periodization", old, new), RACE)
    assert after.weeks[number - 1].run_minutes == pytest.approx(minutes, rel=1e-3)
    assert before.weeks[number - 1].run_minutes != pytest.approx(minutes, rel=1e-3)
    assert hash_of(before, "base.periodization").isdisjoint(hash_of(after, "base.periodization"))


def test_a_rule_decides_about_the_strength_test_week(edited_rules: Edit) -> None:
    edited = edited_rules("periodization", "run_volume: at most 70 %", "run_volume: at most 60 %")
    assert season(edited, strength_test("2026-04-11")).weeks[5].run_minutes == pytest.approx(144)


def test_settings_decide_about_sessions(rules: Rules, edited_rules: Edit) -> None:
    edited = edited_rules("periodization", "moderate: 3, heavy: 3.5", "moderate: 3, heavy: 6")
    week = season(rules).weeks[0]
    shorter, longer = (fill_week(week, None, (), chosen)[0].duration_min for chosen in (rules, edited))
    assert (shorter, longer) == (45, 75)


def test_the_engine_says_the_same_as_the_reference(rules: Rules) -> None:
    from shared.rules.lifecycle.rule_book import open_rules
    from tests.unit.services.periodization.conftest import RULES_DIR

    with open_rules(RULES_DIR, evaluator="durable-rules") as engine:
        assert engine.evaluator() == "durable-rules"
        assert season(engine, RACE, strength_test("2026-04-11")) == season(rules, RACE, strength_test("2026-04-11"))
