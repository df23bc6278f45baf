"""Why a rule fired, or why not: the comparison that settled it and by how much."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.rules.model import AnyOf, Condition, Example, Facts, Leaf, Not, Rule, Scalar
from shared.rules.reference import compare, holds
from shared.rules.vocabulary import FEATURES

_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_PHRASE = {"<": "less than", "<=": "at most", ">": "more than", ">=": "at least", "==": "", "!=": "not"}
_UNIT = {"h": " h", "min": " min", "days": " days", "weeks": " weeks", "g": " g", "kg": " kg", "g/kg": " g/kg",
         "km": " km", "bpm": " bpm", "AU": " AU"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """One comparison that settles a rule's answer. ``margin`` in the feature's unit, None for words and unknowns."""

    feature: str
    answer: bool | None
    margin: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """``answer``: whether the rule applies, None = it cannot be known; ``causes``: the least that settles it."""

    rule: str
    answer: bool | None
    causes: tuple[Cause, ...]

    @property
    def text(self) -> str:
        """The causes in words. Of a rule that fires, what kind of session each is goes without saying where an amount
        or a flag can be told; several bounds on one feature are told together."""
        told = self.causes
        if self.answer is True:
            told = tuple(cause for cause in told if not _says_the_class(cause)) or told
        by_feature: dict[str, list[str]] = {}
        for cause in told:
            by_feature.setdefault(cause.feature, []).append(cause.text)
        return "; ".join(_together(texts) for texts in by_feature.values()) or "always applies"


def _says_the_class(cause: Cause) -> bool:
    return cause.feature.startswith(("first_", "then_")) and cause.margin is None and not cause.feature.endswith("_key")


def _together(texts: list[str]) -> str:
    """ "gap 7 h (at least 6 h)" and "gap 7 h (less than 8 h)" as one."""
    bounds = [text[:-1].split(" (", 1) for text in texts if text.endswith(")") and " (" in text]
    if len(texts) < 2 or len(bounds) < len(texts) or len({measured for measured, _ in bounds}) > 1:
        return "; ".join(texts)
    return f"{bounds[0][0]} ({', '.join(bound for _, bound in bounds)})"


def explain(rule: Rule, facts: Facts) -> Explanation:
    """Why ``rule`` fires for ``facts``, why not ("gap 30 h, fires under 24 h"), or what is unknown."""
    answer = holds(rule.when, facts)
    causes: dict[str, Cause] = {}
    for leaf, negated in _telling(rule.when, facts, answer, change=answer is False, negated=False):
        cause = _cause(leaf, negated, facts)
        causes.setdefault(cause.text, cause)
    return Explanation(rule.id, answer, tuple(causes.values()))


def _telling(
    condition: Condition, facts: Facts, answer: bool | None, change: bool, negated: bool
) -> Iterator[tuple[Leaf, bool]]:
    """The comparisons worth telling, each with whether it stands under a ``not``.

    Of a rule that fires, those that together are reason enough; of one that does not (``change``), those that would
    have to turn out differently for it to fire. Where one of several parts is enough, the shortest is told.
    """
    if isinstance(condition, Leaf):
        yield condition, negated
        return
    if isinstance(condition, Not):
        yield from _telling(condition.of, facts, None if answer is None else not answer, change, not negated)
        return
    parts = [part for part in condition.of if holds(part, facts) is answer]
    told = [list(_telling(part, facts, answer, change, negated)) for part in parts]
    one_is_enough = answer is not None and (isinstance(condition, AnyOf) is answer) is not change
    if one_is_enough:
        yield from min(told, key=len, default=[])
        return
    for leaves in told:
        yield from leaves


def _cause(leaf: Leaf, negated: bool, facts: Facts) -> Cause:
    known = facts.get(leaf.feature)
    answer = compare(leaf, facts)
    name = named(leaf.feature)
    lasting = "" if leaf.lasting_days is None else f" for {leaf.lasting_days} days"
    if answer is None:
        return Cause(leaf.feature, None, None, f"{name}{lasting} is unknown")
    # Under a "not" the comparison is told the other way round, so that it reads as what the rule asks for.
    op = _OPPOSITE[leaf.op] if negated else leaf.op
    asked = f"{_PHRASE[op]} {shown(leaf.feature, leaf.value)}".strip() + lasting
    margin = None
    if isinstance(leaf.value, float) and isinstance(known, int | float) and not isinstance(known, bool):
        margin = float(known) - leaf.value
    measured = "unknown" if known is None else shown(leaf.feature, known)
    met = answer is not negated
    if not met:
        text = f"{name} {measured}, needs {asked}"
    elif op == "==" and not lasting:
        text = f"{name} {measured}"
    else:
        text = f"{name} {measured} ({asked})"
    return Cause(leaf.feature, answer, margin, text)


def named(feature: str) -> str:
    """A feature's name as a person says it: the unit stands with the number, not in the name."""
    return feature.removesuffix("_hours").removesuffix("_min").replace("_", " ")


def shown(feature: str, value: Scalar | None) -> str:
    """A feature's value with its unit, as a person reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        unit = FEATURES[feature].unit if feature in FEATURES else None
        if unit == "fraction":
            return f"{value * 100:.4g} %"
        return f"{value:.4g}{_UNIT.get(unit or '', '')}"
    return str(value)


def told_example(rule: Rule, example: Example, answer: bool | None) -> str:
    """Which example no longer holds, why, and how to mend it."""
    pair = rule.shape == "pair"
    expected = ("violates" if pair else "fires") if example.expect == "fires" else ("ok" if pair else "silent")
    why = explain(rule, example.facts).text
    if answer is None:
        return f"the example '{example.name}' cannot be decided: {why}; give it in the example"
    happens = "applies" if answer else "does not apply"
    other = {"violates": "ok", "ok": "violates", "fires": "silent", "silent": "fires"}[expected]
    return (
        f"the example '{example.name}' expects '{expected}', but the rule {happens} ({why}); "
        f"mend the rule, or write 'expect: {other}'"
    )
