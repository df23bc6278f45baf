"""The examples of a rule: read into facts, then run. An example is the coach's own test of the rule."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal, get_args

from shared.contract.sessions import KINDS, TAGS
from shared.contract.words import WEEKDAYS, Weekday
from shared.located_yaml.nodes import Node, Position, ScalarNode
from shared.rules.caching import IdentityCache
from shared.rules.errors import Mistakes, RuleFileError
from shared.rules.evaluation.explain import failed_example
from shared.rules.evaluation.reference_evaluator import compare, holds
from shared.rules.model import Condition, Example, Leaf, Rule, Scalar, Shape, derived_feature, lasting_leaves
from shared.rules.reading.conditions import Conditions, name_nodes
from shared.rules.reading.tree_reader import Reader
from shared.rules.vocabulary import FEATURES, Feature

SESSION_FIELDS = ("kind", *TAGS, "duration", "key", "start", "end")
PAIR_EXAMPLE_FIELDS = ("name", "first", "then", "athlete", "gap_hours", "same_day", "expect")
EXPECTED: Mapping[str, Literal["fires", "silent"]] = {
    "violates": "fires",
    "ok": "silent",
    "fires": "fires",
    "silent": "silent",
}
ATHLETE_OF_EXAMPLES: Mapping[str, Scalar] = {"priority": "balanced", "level": "intermediate", "phase": "base"}
"""Who the athlete of a pair or week example is, unless it says otherwise."""

_TIME = re.compile(rf"^({'|'.join(WEEKDAYS)})[a-z]*\s+([01]?\d|2[0-3]):([0-5]\d)$", re.IGNORECASE)
_WEEK_MINUTES = 7 * 24 * 60


class Examples:
    """Reads a rule's examples."""

    def __init__(self, reader: Reader, conditions: Conditions) -> None:
        self._reader = reader
        self._conditions = conditions

    def read(self, node: Node, shape: Shape, when: Condition) -> tuple[Example, ...]:
        found: list[Example] = []
        names: set[str] = set()
        for item in self._reader.items(node, "'examples'"):
            example = self._pair(item) if shape == "pair" else self._features(item, shape, when)
            if example is None:
                continue
            if example.name in names:
                self._reader.mistakes.add(item.at, f"two examples are called '{example.name}'")
            names.add(example.name)
            found.append(example)
        return tuple(found)

    def _common(self, fields: dict[str, Node], at: Node) -> tuple[str, Literal["fires", "silent"]] | None:
        name = self._reader.text(fields["name"], "'name'") if "name" in fields else None
        if "name" not in fields:
            self._reader.mistakes.add(at.at, "the example has no 'name'; say in a few words what it shows")
        if "expect" not in fields:
            self._reader.mistakes.add(
                at.at, "the example does not say what to 'expect': violates or ok, fires or silent"
            )
            return None
        expect = self._reader.word(fields["expect"], "'expect'", EXPECTED)
        return None if name is None or expect is None else (name, EXPECTED[expect])

    def _features(self, node: Node, shape: Shape, when: Condition) -> Example | None:
        allowed = ("name", shape, "expect") + (("athlete",) if shape == "week" else ())
        allowed += ("held",) if shape == "athlete" else ()
        before = len(self._reader.mistakes)
        fields = self._reader.table(node, "an example", allowed)
        common = self._common(fields, node) if fields else None
        facts: dict[str, Scalar | None] = dict(ATHLETE_OF_EXAMPLES) if shape == "week" else {}
        if shape in fields:
            facts.update(self._facts(fields[shape], shape))
        elif len(self._reader.mistakes) == before:
            self._reader.mistakes.add(node.at, f"the example has no '{shape}': give the facts it is about")
        if shape == "week" and "athlete" in fields:
            facts.update(self._athlete(fields["athlete"]))
        held = self._held(fields["held"]) if "held" in fields else {}
        for leaf in lasting_leaves(when):
            today = compare(replace(leaf, lasting_days=None), facts)
            facts[derived_feature(leaf)] = _lasted(leaf, today, held)
        if common is None or len(self._reader.mistakes) > before:
            return None
        return Example(common[0], facts, common[1], node.at)

    def _held(self, node: Node) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, value in self._reader.table(node, "'held'").items():
            amount = self._reader.amount(value, f"'{name}'", "days")
            if amount is not None and amount.low is not None:
                found[name] = amount.low
        return found

    def _facts(self, node: Node, shape: Shape) -> dict[str, Scalar | None]:
        found: dict[str, Scalar | None] = {}
        names = name_nodes(node)
        for name, value in self._reader.table(node, f"'{shape}'").items():
            at = names.get(name, node)
            if isinstance(value, ScalarNode) and value.value is None and not value.omitted:
                found[name] = None
                continue
            if self._conditions.feature(name, value, at, shape) is not None:
                found[name] = self._fact(FEATURES[name], value)
        return found

    def _fact(self, feature: Feature, value: Node) -> Scalar | None:
        if not isinstance(value, ScalarNode):
            self._reader.mistakes.add(value.at, "an example gives one value, not a list")
            return None
        if feature.type != "number":
            return value.value
        amount = self._reader.amount(value, f"'{feature.name}'", feature.unit)
        if amount is None:
            return None
        if amount.low is None or amount.low != amount.high:
            self._reader.mistakes.add(value.at, f"an example gives one number for '{feature.name}', not a range")
            return None
        return amount.low

    def _athlete(self, node: Node) -> dict[str, Scalar | None]:
        found: dict[str, Scalar | None] = {}
        for name, value in self._reader.table(node, "'athlete'", (*ATHLETE_OF_EXAMPLES, "day_strategy")).items():
            found[name] = self._reader.word(value, f"'{name}'", FEATURES[name].words)
        return found

    def _pair(self, node: Node) -> Example | None:
        reader = self._reader
        before = len(reader.mistakes)
        fields = reader.table(node, "an example", PAIR_EXAMPLE_FIELDS)
        common = self._common(fields, node) if fields else None
        facts: dict[str, Scalar | None] = dict(ATHLETE_OF_EXAMPLES)
        facts["gap_hours"] = facts["same_day"] = None
        if "athlete" in fields:
            facts.update(self._athlete(fields["athlete"]))
        times: dict[str, tuple[float | None, float | None]] = {}
        for which in ("first", "then"):
            if which not in fields:
                reader.mistakes.add(node.at, f"the example has no '{which}' session")
                continue
            times[which] = self._session(fields[which], which, facts)
        if len(reader.mistakes) == before:
            self._gap(times["first"], times["then"], facts)
        if "gap_hours" in fields:
            amount = reader.amount(fields["gap_hours"], "'gap_hours'", "h")
            facts["gap_hours"] = None if amount is None else amount.low
        if "same_day" in fields:
            facts["same_day"] = reader.flag(fields["same_day"], "'same_day'")
        if common is None or len(reader.mistakes) > before:
            return None
        return Example(common[0], facts, common[1], node.at)

    def _session(self, node: Node, which: str, facts: dict[str, Scalar | None]) -> tuple[float | None, float | None]:
        """Adds the session's facts; returns its start and end in minutes from Monday, as far as they are given."""
        fields = self._reader.table(node, f"'{which}'", SESSION_FIELDS)
        facts[f"{which}_key"] = False
        for name in ("kind", *TAGS):
            if name in fields:
                facts[f"{which}_{name}"] = self._reader.word(fields[name], f"'{name}'", FEATURES[f"first_{name}"].words)
        if "kind" not in fields:
            self._reader.mistakes.add(node.at, f"the session has no 'kind': {', '.join(KINDS[:-1])} or {KINDS[-1]}")
        if "key" in fields:
            facts[f"{which}_key"] = self._reader.flag(fields["key"], "'key'")
        start = self._time(fields["start"]) if "start" in fields else None
        end = self._time(fields["end"]) if "end" in fields else None
        if "duration" in fields:
            amount = self._reader.amount(fields["duration"], "'duration'", "min")
            length = None if amount is None else amount.low
            facts[f"{which}_duration_min"] = length
            if length is not None:
                end = start + length if end is None and start is not None else end
                start = end - length if start is None and end is not None else start
        elif start is not None and end is not None:
            facts[f"{which}_duration_min"] = (end - start) % _WEEK_MINUTES
        return start, end

    def _time(self, node: Node) -> float | None:
        match = _TIME.match(_text(node))
        if match is None:
            self._reader.mistakes.add(node.at, "a time in an example is a weekday and a clock time, like 'Fri 19:00'")
            return None
        return get_args(Weekday).index(match[1].lower()) * 1440.0 + int(match[2]) * 60 + int(match[3])

    def _gap(
        self,
        first: tuple[float | None, float | None],
        then: tuple[float | None, float | None],
        facts: dict[str, Scalar | None],
    ) -> None:
        first_start, first_end = first
        then_start = then[0]
        if then_start is None:
            return
        began = first_start if first_start is not None else first_end
        if began is not None:
            facts["same_day"] = began // 1440 == then_start // 1440
        if first_end is not None:
            gap = then_start - first_end
            facts["gap_hours"] = (gap + (_WEEK_MINUTES if gap < -1440 else 0)) / 60.0


def _text(node: Node) -> str:
    return node.text.strip() if isinstance(node, ScalarNode) else ""


def _lasted(leaf: Leaf, today: bool | None, held: Mapping[str, float]) -> bool | None:
    if today is not True:
        return today
    return held[leaf.feature] >= (leaf.lasting_days or 1) if leaf.feature in held else None


def check_examples(rules: Iterable[Rule], tenant_file: str | None, mistakes: Mistakes) -> list[RuleFileError]:
    """Run every example on the reference evaluator. One that an override changed is a remark, any other refuses."""
    remarks: list[RuleFileError] = []
    for rule in rules:
        if _examples_of.get(rule):
            continue
        all_hold = True
        for example in rule.examples:
            answer = holds(rule.when, example.facts)
            if answer is (example.expect == "fires") or (answer is None and _silent_enough(rule, example)):
                continue
            all_hold = False
            at = example.position or rule.position or Position("", 1, 1)
            message = failed_example(rule, example, answer)
            if tenant_file is not None and at.file != tenant_file:
                remarks.append(RuleFileError(at.file, at.line, at.column, rule.id, message))
                continue
            mistakes.rule = rule.id
            mistakes.add(at, message)
            mistakes.rule = None
        if all_hold:
            _examples_of.put(True, rule)
    return remarks


_examples_of: IdentityCache[bool] = IdentityCache(400)
"""Rules whose examples were all found to hold: of a tenant's rules most are the base's own."""


def _silent_enough(rule: Rule, example: Example) -> bool:
    """A rule that cannot be decided does not fire. A pair example, though, should tell enough to be decided."""
    return example.expect == "silent" and rule.shape != "pair"
