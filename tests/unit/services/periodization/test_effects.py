"""How rules that speak of one week at once are reconciled: the strictest counts, cuts are never multiplied."""

import pytest

from services.periodization.domain.effects import largest_set, last_set, reasons_of, shares_kept, smallest_cap
from shared.rules.model import ALWAYS, DecidedBy, Fired, Outcome, Rule

FULL = {"run": 1.0, "long": 1.0, "lower": 1.0, "upper": 1.0}


def fired(outcome: Outcome, **values: object) -> Fired:
    rule = Rule("r", "r", "season", "advice", "enforce", 0.0, ALWAYS, outcome, values, {}, "", None)
    return Fired(rule, DecidedBy("p", "1.0.0", "0" * 12, "r", "advice"))


def test_nothing_fired_keeps_everything() -> None:
    assert shares_kept(()) == FULL


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        (fired("deload", sets=-0.45, run_minutes=-0.25, intensity="keep"), {"run": 0.75, "lower": 0.55, "upper": 0.55}),
        (fired("cap", lower_volume=0.6), {"lower": 0.6}),
        (fired("set", volume=-0.3), {"run": 0.7, "lower": 0.7, "upper": 0.7}),
        (fired("set", long_run_minutes=-1.0), {"long": 0.0}),
        (fired("set", sets=-1.5), {"lower": 0.0, "upper": 0.0}),
        (fired("set", sets=0.2), {}),
    ],
)
def test_one_rule(rule: Fired, kept: dict[str, float]) -> None:
    assert shares_kept([rule]) == pytest.approx({**FULL, **kept})


def test_the_strictest_counts_in_any_order() -> None:
    rules = [fired("deload", sets=-0.45), fired("cap", sets=0.5), fired("set", sets=-0.3)]
    assert shares_kept(rules) == shares_kept(rules[::-1]) == pytest.approx({**FULL, "lower": 0.5, "upper": 0.5})


def test_what_is_set_and_capped() -> None:
    rules = [
        fired("set", easy_share=0.9, priority="strength"),
        fired("set", priority="endurance"),
        fired("cap", quality_runs=1),
    ]
    assert largest_set(rules, "easy_share", 0.8) == 0.9
    assert largest_set(rules, "easy_share", 0.95) == 0.95
    assert last_set(rules, "priority", "balanced") == "endurance"
    assert smallest_cap(rules, "quality_runs", 2) == 1


def test_reasons_stand_once() -> None:
    assert reasons_of(
        [fired("cap", sets=0.5, reason="test"), fired("set", sets=-0.1), fired("cap", reason="test")]
    ) == ("test",)
