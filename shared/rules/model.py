"""The typed rule model: what a loaded pack *is*, whichever evaluator reads it.

The loader turns YAML into these values; the reference evaluator walks ``Rule.when`` as it stands; the compiler turns
the same tree into single-fact durable-rules rulesets. So the two evaluators share the model and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from shared.contract.words import PackKind, Severity
from shared.located_yaml.nodes import Position

Shape = Literal["pair", "week", "athlete", "season"]
RuleMode = Literal["watch", "warn", "enforce"]
Outcome = Literal["forbid", "allow", "require", "deload", "cap", "gate", "set", "advise"]
Op = Literal["==", "!=", "<", "<=", ">", ">="]
Scalar = str | float | bool
Facts = Mapping[str, Scalar | None]
"""One question: feature name -> value. ``None`` or absent = unknown. See ``shared/rules/vocabulary.py`` for names."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison. ``lasting_days``: it must have held on at least so many consecutive days up to the day asked."""

    feature: str
    op: Op
    value: Scalar
    lasting_days: int | None = None


@dataclass(frozen=True, slots=True)
class All:
    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    of: "Condition"


Condition = Leaf | All | AnyOf | Not
ALWAYS = All(())


@dataclass(frozen=True, slots=True)
class Amount:
    """A phrase such as "at least 80 %": ``low``/``high`` bounds in the feature's unit; fractions for per cent."""

    low: float | None = None
    high: float | None = None
    low_inclusive: bool = True
    high_inclusive: bool = True
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """``facts`` as the reference sees them; ``expect``: "violates"/"ok" or "fires"/"silent"."""

    name: str
    facts: Facts
    expect: Literal["fires", "silent"]
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. It *fires* when ``when`` holds (``unless`` and ``for athletes`` are already folded into it).

    For ``require`` the loader folds "and the requirement is not met" into ``when`` too: firing always means that the
    outcome applies. ``limit`` is what a person compares a measurement with, e.g. ``{"gap_hours": 24.0}``.
    """

    id: str
    title: str
    shape: Shape
    severity: Severity
    mode: RuleMode
    penalty: float
    when: Condition
    outcome: Outcome
    values: Mapping[str, Any]
    limit: Mapping[str, float]
    because: str
    source: str | None
    locked: bool = False
    examples: tuple[Example, ...] = ()
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A named parameter: a number, a word, or a small plain table of them; overridden by name in tenant packs."""

    name: str
    value: Any
    unit: str | None = None
    allowed: Amount | None = None
    because: str | None = None
    position: Position | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """One resolved pack: base with the tenant's overrides applied. ``hash`` is SHA-256 over the resolved content."""

    kind: PackKind
    id: str
    version: str
    hash: str
    rules: tuple[Rule, ...]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    effective_from: date | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DecidedBy:
    """Which rule of which pack decided. ``hash`` is the first 12 hex digits of the pack's hash."""

    pack: str
    version: str
    hash: str
    rule: str
    severity: Severity

    def as_json(self) -> dict[str, str]:
        return {
            "pack": self.pack,
            "version": self.version,
            "hash": self.hash,
            "rule": self.rule,
            "severity": self.severity,
        }


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that applied to one question, with what it asks for."""

    rule: Rule
    decided_by: DecidedBy
    measured: Mapping[str, float] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.rule.id

    @property
    def values(self) -> Mapping[str, Any]:
        return self.rule.values


@dataclass(frozen=True, slots=True)
class Conflict:
    """What a pair rule says of two session classes: it fires for gaps in [gap_from, gap_to) hours, in UTC hours from
    the end of the first to the start of the then; ``same_day`` None = any day."""

    rule: Rule
    gap_from: float
    gap_to: float
    same_day: bool | None


def derived_feature(leaf: Leaf) -> str:
    """The name of the fact (true, false or unknown) that says whether a lasting leaf has held for its days.

    It stands for the leaf, so that no evaluator needs a memory.
    """
    value = str(leaf.value).lower().removesuffix(".0")
    return f"{leaf.feature} {leaf.op} {value} for {leaf.lasting_days} days"


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Every comparison of a condition, left to right."""
    if isinstance(condition, Leaf):
        yield condition
    elif isinstance(condition, Not):
        yield from leaves(condition.of)
    else:
        for part in condition.of:
            yield from leaves(part)


def lasting_leaves(condition: Condition) -> Iterator[Leaf]:
    return (leaf for leaf in leaves(condition) if leaf.lasting_days is not None)


def told_apart(value: float, limit: float | None, digits: int = 4) -> str:
    """A number for a person beside a limit: with as many digits more as it takes to show which of the two is larger."""
    for more in range(digits, 18):
        text = f"{value:.{more}g}"
        if limit is None or value == limit or (float(text) != limit and (float(text) < limit) == (value < limit)):
            return text
    return str(value)
