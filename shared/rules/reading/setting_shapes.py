"""What the settings that are no plain number look like: words, clock times, lists and tables, each a closed shape.

A number says itself what it may be (``allowed``). Declared here are the others, by name, so that a slip in a table is
told by the loader and never met by a service.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from shared.contract.sessions import SESSION_KINDS, Effort, Region, RunType
from shared.contract.wellness import FACTORS, WELLNESS
from shared.contract.words import GoalClass, GoalKind, Level, Phase, Priority
from shared.located_yaml.nodes import ListNode, MapNode, Node, ScalarNode, described
from shared.rules.amounts import NotAnAmount, parse_amount, within
from shared.rules.errors import one_of
from shared.rules.reading.tree_reader import Reader

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")


@dataclass(frozen=True, slots=True)
class Number:
    """``allowed`` as an amount phrase."""

    allowed: str


@dataclass(frozen=True, slots=True)
class Word:
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    pass


@dataclass(frozen=True, slots=True)
class Clock:
    """A local time of day, "06:00"; "24:00" is the day's end."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """At least one of ``item``."""

    item: "SettingShape"


@dataclass(frozen=True, slots=True)
class TableOf:
    """``names`` None: any name. ``complete``: every one of the names must be there; else at least ``least`` of them."""

    names: tuple[str, ...] | None
    value: "SettingShape"
    complete: bool = True
    least: int = 0


@dataclass(frozen=True, slots=True)
class Fields:
    """A table with a shape of its own for each name, all of them required."""

    of: Mapping[str, "SettingShape"]


SettingShape = Number | Word | Text | Clock | ListOf | TableOf | Fields

_EFFORT = Word(get_args(Effort))
_REGIONS = ListOf(Word(get_args(Region)))
_LEVELS: tuple[str, ...] = get_args(Level)
_LIFTS_A_WEEK = tuple(str(count) for count in range(1, 15))
_CR10 = Number("between 0 and 10")
_COUNT = Number("between 0 and 14")
_MINUTES = Number("between 0 and 1440")
_SHARE = Number("between 0 % and 100 %")
_WEEK = {
    "run_minutes": Number("between 0 and 10080"),
    "long_run_minutes": _MINUTES,
    "quality_runs": _COUNT,
    "lifts": _COUNT,
    "lower_sets": Number("between 0 and 200"),
    "upper_sets": Number("between 0 and 200"),
}

SETTING_SHAPES: Mapping[str, SettingShape] = {
    # sequencing
    "day_opens": Clock(),
    "day_closes": Clock(),
    # recovery
    "default_effort": Fields(
        {name: TableOf((*kind.graded_words, "unstated"), _CR10) for name, kind in SESSION_KINDS.items()}
    ),
    "plausible_mornings": TableOf(
        tuple(name for name, item in WELLNESS.items() if item.unit not in (None, "points")),
        Fields({"from": Number("between 0 and 1000"), "to": Number("between 0 and 1000")}),
        complete=False,
    ),
    "least_sd": Fields(
        {
            "hrv": Number("between 0.001 and 0.2"),
            "resting_hr": Number("between 0.1 and 5"),
            "sleep": Number("between 0.05 and 2"),
            "answers": Number("between 0.1 and 2"),
            "effort": Number("between 0.1 and 2"),
            "strength": Number("between 0.001 and 0.1"),
        }
    ),
    "factor_weights": TableOf(FACTORS, Number("between 0 and 1")),
    "step_down_run": TableOf(get_args(RunType), Word(get_args(RunType)), complete=False),
    "step_down_lift": TableOf(get_args(Effort), _EFFORT, complete=False),
    "easy_lift_effort": _EFFORT,
    "pull_back_asks_for": ListOf(Text()),
    "watch_asks_for": ListOf(Text()),
    # periodization
    "first_week": TableOf(_LEVELS, Fields(_WEEK)),
    "phase_shares": TableOf(("race", "strength", "none"), TableOf(get_args(Phase), _SHARE, complete=False, least=1)),
    "taper_days": TableOf(get_args(GoalClass), Number("between 0 and 28")),
    "taper_mean_cut": TableOf(get_args(GoalClass), Number("between 0 % and 90 %")),
    "lift_split": TableOf(_LEVELS, TableOf(_LIFTS_A_WEEK, _REGIONS, complete=False, least=1)),
    "lift_effort": TableOf(get_args(Priority), Fields({"first": _EFFORT, "again": _EFFORT})),
    "effort_ceiling": TableOf(_LEVELS, _EFFORT),
    "leg_effort_in_phase": TableOf(get_args(Phase), _EFFORT, complete=False),
    "minutes_per_set": TableOf(get_args(Effort), Number("between 0.5 and 20")),
    "easy_run_minutes": TableOf(_LEVELS, Number("between 5 and 240")),
    "quality_run_types": TableOf(
        _LEVELS, TableOf(get_args(Phase), ListOf(Word(get_args(RunType))))
    ),
    "goal_start": TableOf(get_args(GoalKind), Clock()),
    "ten_km_minutes": TableOf(_LEVELS, Number("between 25 and 180")),
    "test_lift_regions": TableOf(None, Word(get_args(Region))),
}  # fmt: skip


def check_shape(reader: Reader, shape: SettingShape, node: Node, what: str) -> None:
    """Report everything in ``node`` that is not of ``shape``."""
    match shape:
        case Number():
            _check_number(reader, shape, node, what)
        case Word():
            reader.word(node, what, shape.words)
        case Text():
            reader.text(node, what)
        case Clock():
            reader.matched(node, what, _CLOCK, 'a time like "06:00"')
        case ListOf():
            items = reader.items(node, what)
            if isinstance(node, ListNode) and not items:
                reader.mistakes.add(node.at, f"{what} is an empty list")
            for item in items:
                check_shape(reader, shape.item, item, what)
        case TableOf():
            fields = reader.table(node, what, shape.names)
            for name, value in fields.items():
                check_shape(reader, shape.value, value, f"'{name}'")
            _check_complete(reader, node, what, fields, shape.names if shape.complete else None)
            if isinstance(node, MapNode) and len(node.pairs) < shape.least:
                reader.mistakes.add(node.at, f"{what} is empty")
        case Fields():
            fields = reader.table(node, what, shape.of)
            for name, value in fields.items():
                check_shape(reader, shape.of[name], value, f"'{name}'")
            _check_complete(reader, node, what, fields, shape.of)


def _check_number(reader: Reader, shape: Number, node: Node, what: str) -> None:
    if not isinstance(node, ScalarNode) or node.value is None or isinstance(node.value, bool):
        reader.mistakes.add(node.at, f"{what} is a number, not {described(node)}")
        return
    try:
        amount = parse_amount(node.text)
    except NotAnAmount as problem:
        reader.mistakes.add(node.at, f"{what}: {problem}")
        return
    if amount.low is None or amount.low != amount.high:
        reader.mistakes.add(node.at, f"{what} is one number, not a range")
    elif not within(parse_amount(shape.allowed), amount.low):
        reader.mistakes.add(node.at, f"{what} is {node.text}; allowed is {shape.allowed}")


def _check_complete(
    reader: Reader, node: Node, what: str, fields: Mapping[str, Node], names: Iterable[str] | None
) -> None:
    # A misspelt name was reported already; that its right spelling is missing would be noise.
    if names is None or not isinstance(node, MapNode) or len(node.pairs) != len(fields):
        return
    missing = [name for name in names if name not in fields]
    if missing:
        reader.mistakes.add(node.at, f"{what} lacks {one_of(missing).replace(' or ', ' and ')}")
