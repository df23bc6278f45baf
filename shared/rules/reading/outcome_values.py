"""What each outcome may carry, declared once: name, type, unit, range, allowed words, one-line meaning.

Add a value here when a domain function learns to read it; the loader, the JSON Schema and the reference page follow.
A name that nobody reads is not here, so that a rule never asks for something in vain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from shared.contract.words import ACTIONS, ANSWERS, INTENSITIES, Priority, Unit
from shared.located_yaml.nodes import Node, ScalarNode
from shared.rules.amounts import parse_amount, within
from shared.rules.model import Outcome
from shared.rules.reading.tree_reader import Reader

ValueType = Literal["number", "range", "word", "text"]


@dataclass(frozen=True, slots=True)
class OutcomeValue:
    """``range``: one number, or two ("between 20 and 40"). Numbers have a unit and bounds, words are a closed list."""

    name: str
    type: ValueType
    meaning: str
    unit: Unit | None = None
    allowed: str | None = None
    words: tuple[str, ...] = ()


def _share(name: str, allowed: str, meaning: str) -> OutcomeValue:
    return OutcomeValue(name, "number", meaning, "fraction", allowed)


def _number(name: str, unit: Unit, allowed: str, meaning: str) -> OutcomeValue:
    return OutcomeValue(name, "number", meaning, unit, allowed)


def _range(name: str, unit: Unit, allowed: str, meaning: str) -> OutcomeValue:
    return OutcomeValue(name, "range", meaning, unit, allowed)


def _word(name: str, words: tuple[str, ...], meaning: str) -> OutcomeValue:
    return OutcomeValue(name, "word", meaning, words=words)


def _text(name: str, meaning: str) -> OutcomeValue:
    return OutcomeValue(name, "text", meaning)


_CUT = "between -100 % and 0 %"
_CAP = "between 0 % and 100 %"
_REASON = _text("reason", "why, in the words of the decision; left out, the rule's title stands there")
_QUANTITIES = {
    "volume": "run minutes and lifting sets",
    "run_minutes": "run minutes",
    "run_volume": "run minutes",
    "long_run_minutes": "minutes of the long run",
    "sets": "lifting sets",
    "lower_sets": "lifting sets for the legs",
    "lower_volume": "lifting sets for the legs",
    "upper_sets": "lifting sets for the upper body",
    "upper_volume": "lifting sets for the upper body",
}
_COUNTS = {"quality_runs": "quality runs", "lift_sessions": "lifting sessions"}

_CUTS = tuple(_share(name, _CUT, f"change of the week's {what}") for name, what in _QUANTITIES.items())
_CAPS = tuple(_share(name, _CAP, f"at most this share of the week's {what}") for name, what in _QUANTITIES.items())
_MOST = tuple(_number(name, "count", "between 0 and 14", f"at most so many {what}") for name, what in _COUNTS.items())
_EXACT = tuple(_number(name, "count", "between 0 and 14", f"so many {what}") for name, what in _COUNTS.items())

_DECLARED: Mapping[Outcome, tuple[OutcomeValue, ...]] = {
    "deload": (
        *_CUTS,
        _word("intensity", ("keep",), "loads and paces stay as they are; a deload cuts volume only"),
        _number("for", "days", "between 1 and 28", "how long the deload lasts"),
        _REASON,
    ),
    "cap": (*_CAPS, *_MOST, _REASON),
    "set": (
        _share("growth", "between 0 % and 25 %", "growth of run minutes from one build week to the next"),
        _word("taper", ("exponential",), "run minutes fall exponentially towards the race"),
        *_CUTS,
        *_EXACT,
        _share("easy_share", "between 0 % and 100 %", "easy run minutes as a share of all run minutes, at least"),
        _word("priority", get_args(Priority), "what the week's training leads with"),
        _REASON,
    ),
    "gate": (
        _word("intensity", INTENSITIES, "how hard the day's sessions may be"),
        _share("volume_factor", "between 10 % and 100 %", "share of the planned minutes; a gate never cancels"),
        _number("quality_steps", "count", "between 0 and 3", "steps down for quality runs and heavy lifts"),
        _text("limiting_factor", "what limits the day"),
        _word("action", ACTIONS, "what the signs of overreaching ask for"),
        _REASON,
    ),
    "advise": (
        _word("answer", ANSWERS, "what to do about the run wished for"),
        _word(
            "otherwise",
            tuple(answer for answer in ANSWERS if answer != "separate"),
            "the answer for an athlete who cannot separate lift and run"
        ),
        _number("max_minutes", "min", "between 0 and 600", "a longer run is shortened to this"),
        _number("max_minutes_most", "min", "between 0 and 600", "a run longer than this is better separated"),
        _number("gap_hours", "h", "between 0 and 96", "the gap that would make the run fine"),
        _text("instead", "what to swap the run for"),
        _word("fuel", ("after_lift", "before_run", "until_run"), "when to take what the rule says about food"),
        _range("protein_g", "g", "between 0 and 200", "protein at that time"),
        _range("protein_g_per_kg", "g/kg", "between 0 and 5", "protein at that time by body mass"),
        _range("carb_g", "g", "between 0 and 500", "carbohydrate at that time"),
        _range("carb_g_per_kg", "g/kg", "between 0 and 15", "carbohydrate at that time by body mass"),
        _range("carb_g_per_hour", "g", "between 0 and 200", "carbohydrate per hour until the run"),
        _range("carb_g_per_hour_per_kg", "g/kg", "between 0 and 3", "carbohydrate per hour by body mass"),
        _text("why", "why, in the words of the advice"),
    ),
}  # fmt: skip

OUTCOME_VALUES: Mapping[Outcome, Mapping[str, OutcomeValue]] = {
    outcome: {value.name: value for value in values} for outcome, values in _DECLARED.items()
}
"""Of ``forbid`` and ``allow`` there is nothing to say; ``require`` takes features."""


def read_value(reader: Reader, declared: OutcomeValue, node: Node) -> Any:
    """The value as the domain reads it, in the declared unit; of a range its two ends. None: already reported."""
    what = f"'{declared.name}'"
    if isinstance(node, ScalarNode) and node.omitted:
        reader.mistakes.add(node.at, f"{what} has no value")
        return None
    if declared.type == "word":
        return reader.word(node, what, declared.words)
    if declared.type == "text":
        return reader.text(node, what)
    amount = reader.amount(node, what, declared.unit)
    if amount is None:
        return None
    ends = [end for end in (amount.low, amount.high) if end is not None]
    if declared.allowed is not None and not all(within(parse_amount(declared.allowed), end) for end in ends):
        reader.mistakes.add(node.at, f"{what} is {_shown(declared, ends)}; allowed is {declared.allowed}")
        return None
    if len(set(ends)) == 1:
        return ends[0]
    if declared.type == "number":
        reader.mistakes.add(node.at, f"{what} is one number, not a range")
        return None
    return ends


def _shown(declared: OutcomeValue, ends: Sequence[float]) -> str:
    scale, unit = (100.0, " %") if declared.unit == "fraction" else (1.0, "")
    return " to ".join(dict.fromkeys(f"{end * scale:g}{unit}" for end in ends))
