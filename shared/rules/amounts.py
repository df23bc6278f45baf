"""Amounts as a coach writes them: "less than 24 h", "at least 80 %", "between 0 and 10"."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from shared.rules.model import Amount, Op

_UNIT_WORDS: Mapping[str, str] = {
    "h": "h", "hour": "h", "hours": "h",
    "min": "min", "minute": "min", "minutes": "min",
    "day": "days", "days": "days", "d": "days",
    "week": "weeks", "weeks": "weeks",
    "%": "%",
    "g": "g", "kg": "kg", "g/kg": "g/kg", "km": "km", "bpm": "bpm", "au": "AU",
    "points": "points", "point": "points", "sets": "count", "sessions": "count", "runs": "count", "times": "count",
}  # fmt: skip
_MINUTES: Mapping[str, float] = {"min": 1.0, "h": 60.0, "days": 1440.0, "weeks": 10080.0}
_NUMBER = r"[+-]?(?:\d{1,12})(?:\.\d{1,12})?"
_QUANTITY = re.compile(rf"^({_NUMBER})(?:\s*([A-Za-z/%]+))?$")
_BOUND = re.compile(
    rf"^(less than|under|more than|over|at least|at most|up to|exactly)\s+({_NUMBER})(?:\s*([A-Za-z/%]+))?$"
)
_BETWEEN = re.compile(rf"^between\s+({_NUMBER})(?:\s*([A-Za-z/%]+))?\s+and\s+({_NUMBER})(?:\s*([A-Za-z/%]+))?$")
_DECIMAL_COMMA = re.compile(r"\b(\d{1,12}),(\d{1,12})\b")
_SIGNS = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than", "==": "exactly", "=": "exactly",
          "≤": "at most", "≥": "at least"}  # fmt: skip
_SIGN = re.compile(r"(<=|>=|==|<|>|=|≤|≥)\s*")
_LOOKS_LIKE = re.compile(
    r"^(less|more|at\s+\w+|between|exactly|under|over|up to|<|>|=)\b|^[<>=]|^[+-]?\d", re.IGNORECASE
)

FORMS = "write it like 'less than 24 h', 'at least 80 %', 'between 0 and 10' or 'exactly 3'"


class NotAnAmount(ValueError):
    """The text is no amount, or its unit does not fit; the message says what would be."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in its unit; per cent already as a fraction (unit "fraction")."""

    value: float
    unit: str | None


def looks_like_amount(text: str) -> bool:
    """Whether a person who wrote this meant an amount, right or wrong."""
    return bool(_LOOKS_LIKE.match(text.strip()))


def _quantity(number: str, unit: str | None) -> Quantity:
    value = float(number)
    if unit is None:
        return Quantity(value, None)
    known = _UNIT_WORDS.get(unit.lower())
    if known is None:
        near = get_close_matches(unit.lower(), _UNIT_WORDS, n=1, cutoff=0.7)
        if near:
            raise NotAnAmount(f"unknown unit '{unit}'; did you mean '{near[0]}'?")
        raise NotAnAmount(f"unknown unit '{unit}'; units are h, min, days, weeks, %, g, kg, g/kg, km, bpm and AU")
    return Quantity(value / 100.0, "fraction") if known == "%" else Quantity(value, known)


def parse_amount(text: str) -> Amount:
    """The phrase as bounds; a bare number means exactly that. Raises NotAnAmount."""
    phrase = " ".join(text.split())
    between = _BETWEEN.match(phrase)
    if between is not None:
        high = _quantity(between[3], between[4])
        low = _quantity(between[1], between[2] or between[4])
        if low.unit != high.unit:
            raise NotAnAmount(f"the two ends of '{text}' have different units")
        if low.value > high.value:
            raise NotAnAmount(f"'{text}' has its smaller number second; write the smaller one first")
        return Amount(low.value, high.value, unit=low.unit)
    bound = _BOUND.match(phrase)
    if bound is None:
        exact = _QUANTITY.match(phrase)
        if exact is None:
            raise NotAnAmount(f"'{_short(text)}' is not an amount; {_meant(phrase) or FORMS}")
        quantity = _quantity(exact[1], exact[2])
        return Amount(quantity.value, quantity.value, unit=quantity.unit)
    quantity = _quantity(bound[2], bound[3])
    match bound[1]:
        case "less than" | "under":
            return Amount(high=quantity.value, high_inclusive=False, unit=quantity.unit)
        case "more than" | "over":
            return Amount(low=quantity.value, low_inclusive=False, unit=quantity.unit)
        case "at least":
            return Amount(low=quantity.value, unit=quantity.unit)
        case "at most" | "up to":
            return Amount(high=quantity.value, unit=quantity.unit)
    return Amount(quantity.value, quantity.value, unit=quantity.unit)


def decimal_comma(text: str) -> str | None:
    """The text with a point where a decimal comma stands; None when there is none."""
    mended = _DECIMAL_COMMA.sub(r"\1.\2", text)
    return None if mended == text else mended


def _meant(phrase: str) -> str | None:
    """What a person who wrote a decimal comma or a sign such as ``<`` would have to write."""
    sign = _SIGN.match(phrase)
    mended = f"{_SIGNS[sign[1]]} {phrase[sign.end() :]}" if sign else phrase
    mended = decimal_comma(mended) or mended
    if mended == phrase or not (_BOUND.match(mended) or _BETWEEN.match(mended) or _QUANTITY.match(mended)):
        return None
    return f"write '{mended}'"


def in_unit(amount: Amount, unit: str | None, unit_required: bool = False) -> Amount:
    """The same amount in a feature's unit. Raises NotAnAmount when the units have nothing to do with each other."""
    if amount.unit is None:
        if unit_required and unit is not None:
            raise NotAnAmount(f"say in which unit, like '{_shown(amount)} {unit}'")
        return Amount(amount.low, amount.high, amount.low_inclusive, amount.high_inclusive, unit)
    if amount.unit == unit or (amount.unit == "fraction" and unit in (None, "fraction", "ratio")):
        times, over = 1.0, 1.0
    elif unit is not None and unit in _MINUTES and amount.unit in _MINUTES:
        times, over = _MINUTES[amount.unit], _MINUTES[unit]
    else:
        written = "%" if amount.unit == "fraction" else amount.unit
        wanted = {"fraction": "%", "count": "a plain number", "ratio": "a plain number", "points": "a plain number"}
        raise NotAnAmount(f"'{written}' does not fit here; it is measured in {wanted.get(unit or '', unit)}")
    return Amount(
        None if amount.low is None else amount.low * times / over,
        None if amount.high is None else amount.high * times / over,
        amount.low_inclusive,
        amount.high_inclusive,
        unit,
    )


def comparisons(amount: Amount) -> tuple[tuple[Op, float], ...]:
    """The comparisons that together say the amount: one, or two for "between"."""
    if amount.low is not None and amount.low == amount.high:
        return (("==", amount.low),)
    found: list[tuple[Op, float]] = []
    if amount.low is not None:
        found.append((">=" if amount.low_inclusive else ">", amount.low))
    if amount.high is not None:
        found.append(("<=" if amount.high_inclusive else "<", amount.high))
    return tuple(found)


def within(amount: Amount, value: float) -> bool:
    compare = {"==": value.__eq__, ">=": value.__ge__, ">": value.__gt__, "<=": value.__le__, "<": value.__lt__}
    return all(compare[op](bound) for op, bound in comparisons(amount))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _shown(amount: Amount) -> str:
    number = amount.low if amount.low is not None else amount.high
    return f"{number:g}"
