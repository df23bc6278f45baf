"""Why a rule fired, or why not: the comparison that settled it and by how much."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.rules.evaluation.reference_evaluator import compare, holds
from shared.rules.model import AnyOf, Condition, Example, Facts, Leaf, Not, Rule, Scalar, told_apart
from shared.rules.vocabulary import FEATURES, spoken

_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
PHRASE = {"<": "less than", "<=": "at most", ">": "more than", ">=": "at least", "==": "", "!=": "other than"}
_UNIT = {"min": " min", "days": " days", "weeks": " weeks", "g": " g", "kg": " kg", "g/kg": " g/kg",
         "km": " km", "bpm": " bpm", "AU": " AU"}  # fmt: skip
_MINUTES_EXACT = 1e-9


@dataclass(frozen=True, slots=True)
class Cause:
    """One comparison that settles a rule's answer. ``margin`` in the feature's unit, None for words and unknowns;
    ``held_days``: for how many days up to today a comparison that has to last has held, None where none has to."""

    feature: str
    answer: bool | None
    margin: float | None
    text: str
    held_days: int | None = None


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


Compared = tuple[tuple[Leaf, ...], bool]
"""Comparisons told as one (the words of a list, else a single one), and whether they stand under a ``not``."""


def explain(
    rule: Rule,
    facts: Facts,
    sessions: tuple[str, str] | None = None,
    held: Mapping[Leaf, int] | None = None,
) -> Explanation:
    """Why ``rule`` fires for ``facts``, why not ("gap 30 h, needs less than 24 h"), or what is unknown.

    ``sessions``: what to call the first and the second session of a pair; ``held``: for how many days up to today each
    comparison that has to last has held.
    """
    answer = holds(rule.when, facts)
    causes: dict[str, Cause] = {}
    for leaves, negated in _settling(rule.when, facts, answer, change=answer is False, negated=False):
        cause = _cause(leaves, negated, facts, sessions, held or {})
        causes.setdefault(cause.text, cause)
    return Explanation(rule.id, answer, tuple(causes.values()))


def _settling(
    condition: Condition, facts: Facts, answer: bool | None, change: bool, negated: bool
) -> Iterator[Compared]:
    """The comparisons worth telling, each with whether it stands under a ``not``.

    Of a rule that fires, those that together are reason enough; of one that does not (``change``), those that would
    have to turn out differently for it to fire. Where one of several parts is enough, the shortest is told, of two as
    short the one with an amount, because that one has a margin.
    """
    if isinstance(condition, Leaf):
        yield (condition,), negated
        return
    if isinstance(condition, Not):
        yield from _settling(condition.of, facts, None if answer is None else not answer, change, not negated)
        return
    words = _words_of_a_list(condition)
    if words:
        yield words, negated
        return
    parts = [part for part in condition.of if holds(part, facts) is answer]
    told = [list(_settling(part, facts, answer, change, negated)) for part in parts]
    one_is_enough = answer is not None and (isinstance(condition, AnyOf) is answer) is not change
    if one_is_enough:
        yield from min(told, key=_length, default=[])
        return
    for leaves in told:
        yield from leaves


def _length(told: Sequence[Compared]) -> tuple[int, int]:
    return len(told), sum(not isinstance(leaves[0].value, float) for leaves, _ in told)


def _words_of_a_list(condition: Condition) -> tuple[Leaf, ...]:
    """``type: [easy, recovery]`` is one thing to say, not two."""
    if not isinstance(condition, AnyOf):
        return ()
    words = tuple(
        part
        for part in condition.of
        if isinstance(part, Leaf) and part.op == "==" and isinstance(part.value, str) and part.lasting_days is None
    )
    alike = len(words) == len(condition.of) and len({leaf.feature for leaf in words}) == 1
    return words if alike else ()


def _cause(
    leaves: tuple[Leaf, ...],
    negated: bool,
    facts: Facts,
    sessions: tuple[str, str] | None,
    held: Mapping[Leaf, int],
) -> Cause:
    leaf = leaves[0]
    known = facts.get(leaf.feature)
    answers = [compare(one, facts) for one in leaves]
    answer = True if True in answers else answers[0]
    name = _called(leaf.feature, sessions)
    if answer is None:
        lasting = leaf.lasting_days or 1
        days = f" on at least one of the last {lasting} days" if lasting > 1 else ""
        unknown = ": unknown" if _is_spoken(leaf.feature) else " is unknown"
        return Cause(leaf.feature, None, None, f"{name}{unknown}{days}", held.get(leaf))
    met = answer is not negated
    if leaf.feature == "same_day":
        return Cause(leaf.feature, answer, None, _same_day(known is True, met))
    # Under a "not" the comparison is told the other way round, so that it reads as what the rule asks for.
    op = _OPPOSITE[leaf.op] if negated else leaf.op
    value, joint = leaf.value, ": " if _is_spoken(leaf.feature) else " "
    if isinstance(value, bool):
        op, value, joint = "==", value is (op == "=="), ": "
    choices = _either([shown(leaf.feature, one.value if len(leaves) > 1 else value) for one in leaves])
    asked = f"{PHRASE[op]} {choices}".strip()
    limit = leaf.value if isinstance(leaf.value, float) else None
    measured = f"{name}{joint}{'unknown' if known is None else shown(leaf.feature, known, limit)}"
    margin = None
    if isinstance(leaf.value, float) and isinstance(known, int | float) and not isinstance(known, bool):
        margin = float(known) - leaf.value
    if leaf.lasting_days is not None:
        text = _lasting(measured, asked, leaf, met, held.get(leaf), isinstance(value, bool))
    elif not met:
        text = f"{measured}, needs {asked}"
    else:
        text = measured if op == "==" else f"{measured} ({asked})"
    return Cause(leaf.feature, answer, margin, text, held.get(leaf))


def _lasting(measured: str, asked: str, leaf: Leaf, met: bool, days: int | None, flag: bool) -> str:
    """A comparison that has to last: what is so today, and for how long it has been."""
    if met:
        lasted = f"for {leaf.lasting_days} days" if days is None else f"for {days} days, needs {leaf.lasting_days}"
        return f"{measured} {lasted}" if flag else f"{measured} ({asked} {lasted})"
    if days:
        so_far = "1 day" if days == 1 else f"{days} days"
        today = measured if flag else f"{measured}, {asked}"
        return f"{today} for {so_far}, needs {leaf.lasting_days} days"
    return f"{measured}, needs {asked} for {leaf.lasting_days} days"


def _same_day(same: bool, met: bool) -> str:
    told = "on the same day" if same else "on different days"
    needed = "different days" if same else "the same day"
    return told if met else f"{told}, needs {needed}"


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _is_spoken(feature: str) -> bool:
    """Whether the name is a phrase, after which a colon reads better."""
    return spoken(feature) is not None


def _called(feature: str, sessions: tuple[str, str] | None) -> str:
    """A feature as a coach says it, of the session's own name where that is known."""
    which, _, tag = feature.partition("_")
    if sessions is not None and which in ("first", "then"):
        return f"{sessions[which == 'then']} {named(tag)}"
    return spoken(feature) or named(feature)


def named(feature: str) -> str:
    """A feature's name as a person says it: the unit stands with the number, not in the name."""
    return feature.removesuffix("_hours").removesuffix("_min").replace("_", " ")


def shown(feature: str, value: Scalar | None, limit: float | None = None) -> str:
    """A feature's value with its unit, as a person reads it; beside a ``limit`` never on its wrong side."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        unit = FEATURES[feature].unit if feature in FEATURES else None
        if unit == "fraction":
            return f"{told_apart(value * 100, None if limit is None else limit * 100)} %"
        if unit == "h":
            return _hours(value, limit)
        return f"{told_apart(value, limit)}{_UNIT.get(unit or '', '')}"
    return str(value)


def _written(feature: str) -> str:
    """A feature as it stands in an example."""
    which, _, tag = feature.partition("_")
    return f"'{tag.removesuffix('_min')}' of '{which}'" if which in ("first", "then") else f"'{feature}'"


def _hours(hours: float, limit: float | None) -> str:
    """ "23 h 59 min"; decimals only where whole minutes would tell another time."""
    minutes = round(abs(hours) * 60)
    if abs(minutes / 60 - abs(hours)) > _MINUTES_EXACT:
        return f"{told_apart(hours, limit)} h"
    whole, rest = divmod(minutes, 60)
    sign = "-" if hours < 0 else ""
    told = " ".join([f"{whole} h"] * bool(whole or not rest) + [f"{rest} min"] * bool(rest))
    return sign + told


def failed_example(rule: Rule, example: Example, answer: bool | None) -> str:
    """Which example no longer holds, why, and how to mend it."""
    pair = rule.shape == "pair"
    expected = ("violates" if pair else "fires") if example.expect == "fires" else ("ok" if pair else "silent")
    why = explain(rule, example.facts).text
    if answer is None:
        asked = explain(rule, example.facts).causes
        missing = ", ".join(dict.fromkeys(_written(cause.feature) for cause in asked if cause.answer is None))
        return f"the example '{example.name}' cannot be decided without {missing}; say in the example what it is"
    happens = "applies" if answer else "does not apply"
    other = {"violates": "ok", "ok": "violates", "fires": "silent", "silent": "fires"}[expected]
    return (
        f"the example '{example.name}' expects '{expected}', but the rule {happens} ({why}); "
        f"mend the rule, or write 'expect: {other}'"
    )
