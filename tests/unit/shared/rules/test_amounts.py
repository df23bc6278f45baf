"""Amounts as a coach writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.amounts import NotAnAmount, comparisons, in_unit, parse_amount, within
from shared.rules.model import Amount


@pytest.mark.parametrize(
    ("phrase", "amount"),
    [
        ("less than 24 h", Amount(high=24, high_inclusive=False, unit="h")),
        ("more than 1.5", Amount(low=1.5, low_inclusive=False)),
        ("at least 80 %", Amount(low=0.8, unit="fraction")),
        ("at most 20 min", Amount(high=20, unit="min")),
        ("between 0 and 10", Amount(0, 10)),
        ("between 8 and 24 h", Amount(8, 24, unit="h")),
        ("exactly 3", Amount(3, 3)),
        ("3 days", Amount(3, 3, unit="days")),
        ("  at   least  3\tdays ", Amount(low=3, unit="days")),
        ("at least 110%", Amount(low=1.1, unit="fraction")),
        ("at least 1.6 g/kg", Amount(low=1.6, unit="g/kg")),
        ("less than -3 %", Amount(high=-0.03, high_inclusive=False, unit="fraction")),
    ],
)
def test_phrases(phrase: str, amount: Amount) -> None:
    assert parse_amount(phrase) == amount


@pytest.mark.parametrize(
    ("phrase", "told"),
    [
        ("about 24 h", "is not an amount"),
        ("less then 24 h", "is not an amount"),
        ("24 hrz", "unknown unit 'hrz'"),
        ("between 10 and 0", "has its smaller number second"),
        ("between 1 h and 2 min", "have different units"),
        ("", "is not an amount"),
        ("less than", "is not an amount"),
        ("less than 1e3 h", "is not an amount"),
        ("less than " + "9" * 400, "is not an amount"),
    ],
)
def test_what_is_no_amount_says_what_would_be(phrase: str, told: str) -> None:
    with pytest.raises(NotAnAmount, match=told):
        parse_amount(phrase)


@pytest.mark.parametrize(
    ("phrase", "unit", "bound"),
    [
        ("90 min", "h", 1.5),
        ("2 days", "h", 48),
        ("2 weeks", "days", 14),
        ("80 %", "fraction", 0.8),
        ("110 %", "ratio", 1.1),
    ],
)
def test_units_of_one_kind_are_converted(phrase: str, unit: str, bound: float) -> None:
    assert in_unit(parse_amount(phrase), unit).low == bound


@pytest.mark.parametrize(("phrase", "unit"), [("3 kg", "h"), ("80 %", "min"), ("3 h", "count"), ("3 h", "fraction")])
def test_units_of_different_kinds_are_refused(phrase: str, unit: str) -> None:
    with pytest.raises(NotAnAmount, match="does not fit here"):
        in_unit(parse_amount(phrase), unit)


def test_a_plain_number_takes_the_features_unit_unless_one_is_required() -> None:
    assert in_unit(parse_amount("more than 0"), "min") == Amount(low=0, low_inclusive=False, unit="min")
    with pytest.raises(NotAnAmount, match="say in which unit, like '6 h'"):
        in_unit(parse_amount("less than 6"), "h", unit_required=True)


def test_quantities() -> None:
    assert parse_amount("-40 %").low == -0.4
    assert parse_amount("7 days").low == 7.0


@given(st.integers(-500, 500), st.sampled_from(["less than", "more than", "at least", "at most", "exactly"]))
def test_an_amount_and_its_comparisons_say_the_same(number: int, form: str) -> None:
    amount = parse_amount(f"{form} {number}")
    for value in (number - 1.0, float(number), number + 1.0):
        expected = {
            "less than": value < number,
            "more than": value > number,
            "at least": value >= number,
            "at most": value <= number,
            "exactly": value == number,
        }[form]
        assert within(amount, value) is expected
    assert 1 <= len(comparisons(amount)) <= 2
