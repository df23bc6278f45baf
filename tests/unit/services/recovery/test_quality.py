"""Values of a morning that cannot be so change nothing, and are shown with what they may have meant."""

import random
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from services.recovery.domain import ReadinessInputs, assess_readiness
from shared.messages.values import Wellness
from shared.rules.decisions import Rules

ON = date(2026, 3, 21)


def mornings(**last: Any) -> list[Wellness]:
    """Eighty sound mornings that end with ``last`` forty days ago."""
    chance = random.Random(5)
    rows = []
    for ago in range(80):
        sound = {
            "rmssd_ms": (58 if ago > 6 else 41) + chance.gauss(0, 4),
            "resting_hr": 50 + chance.gauss(0, 1),
            "sleep_hours": 7.5 + chance.gauss(0, 0.3),
            "body_mass_kg": 75 + chance.gauss(0, 0.3),
        }
        rows.append(Wellness(date=ON - timedelta(days=ago), **{**sound, **(last if ago == 40 else {})}))
    return rows


def readiness(rules: Rules, rows: list[Wellness]) -> Mapping[str, Any]:
    return assess_readiness(ReadinessInputs(on=ON, wellness=rows), rules).as_json()


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({"rmssd_ms": 0.0652}, "unit-mixed-up", "read as s it is 65.2 ms"),
        ({"rmssd_ms": 0}, "zero-means-unknown", "was not measured"),
        ({"resting_hr": 0}, "zero-means-unknown", "was not measured"),
        ({"resting_hr": 220}, "implausible-value", "outside 25 to 150 bpm"),
        ({"sleep_hours": 0}, "zero-means-unknown", "was not measured"),
        ({"sleep_hours": 450}, "unit-mixed-up", "read as min it is 7.5 h"),
        ({"body_mass_kg": 165.3}, "unit-mixed-up", "read as lb it is 74.98"),
    ],
)
def test_a_slip_is_shown_and_changes_nothing(given: Mapping[str, float], code: str, said: str, rules: Rules) -> None:
    (item,) = given
    slipped = readiness(rules, mornings(**given))
    without = readiness(rules, mornings(**{item: None}))
    (doubt,) = slipped["quality"]
    assert (doubt["code"], doubt["where"], doubt["set_aside"]) == (
        code,
        {"date": "2026-02-09", "item": item},
        [item],
    )
    assert said in doubt["text"]
    assert {**slipped, "quality": []} == without


def test_a_real_change_is_believed(rules: Rules) -> None:
    answer = readiness(rules, mornings())
    assert answer["quality"] == []
    assert (answer["limiting_factor"], answer["gate"]["intensity"]) == ("hrv", "easy")


def test_at_most_twenty_are_told(rules: Rules) -> None:
    rows = [morning.model_copy(update={"resting_hr": 0.0}) for morning in mornings()]
    answer = readiness(rules, rows)
    assert (len(answer["quality"]), answer["quality_more"]) == (20, 47)


def test_the_order_of_mornings_changes_nothing(rules: Rules) -> None:
    rows = mornings(rmssd_ms=0.0652, body_mass_kg=165.3)
    shuffled = list(rows)
    random.Random(3).shuffle(shuffled)
    assert readiness(rules, shuffled) == readiness(rules, rows)
