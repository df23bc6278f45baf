"""One rule's tree to the typed model, with ``unless``, ``for athletes`` and ``require`` folded into its condition."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import cast, get_args

from shared.contract.words import PackKind, Severity
from shared.located_yaml.nodes import ListNode, MapNode, Node
from shared.rules.caching import interned
from shared.rules.errors import one_of
from shared.rules.model import ALWAYS, AnyOf, Condition, Example, Leaf, Not, Outcome, Rule, RuleMode, Shape
from shared.rules.reading.conditions import PAIR_FIELDS, SHAPE_FIELDS, Conditions, Shaped, both
from shared.rules.reading.examples import Examples
from shared.rules.reading.outcomes import OUTCOMES, Outcomes
from shared.rules.reading.session_classes import Words
from shared.rules.reading.tree_reader import Reader
from shared.rules.vocabulary import OUTCOMES_OF_PACK, SHAPE_OF_PACK

RULE_FIELDS = (
    "id", "title", "severity", "penalty", "mode", "locked", "when", "unless", "for athletes", *OUTCOMES, "because",
    "source", "examples",
)  # fmt: skip
DEFAULT_PENALTY = 10.0

_RULE_ID = re.compile(r"[a-z][a-z0-9-]{0,79}")
_WHY_NEEDED: Mapping[str, str] = {
    "id": "; give it a short name, like 'same-day-gap'",
    "title": "; say in one line what it does",
    "when": "; say when it applies",
    "because": "; say why in a sentence",
    "examples": "; give at least one, so that everybody sees what it does",
}


class RuleReader:
    """Reads one rule after the other."""

    def __init__(self, reader: Reader, words: Words, kind: PackKind) -> None:
        self._reader = reader
        self._kind = kind
        self._conditions = Conditions(reader, words)
        self._examples = Examples(reader, self._conditions)
        self._outcomes = Outcomes(reader, self._conditions, kind)

    def read(self, node: Node) -> Rule | None:
        reader = self._reader
        before = len(reader.mistakes)
        other = [name for name in OUTCOMES if name not in self._outcomes.allowed]
        fields = reader.table(node, "a rule", RULE_FIELDS)
        if not isinstance(node, MapNode):
            return None
        rule_id = reader.matched(fields.get("id"), "'id'", _RULE_ID, "small letters, digits and '-'")
        for name in ("id", "title", "when", "because", "examples"):
            if name not in fields:
                reader.mistakes.add(node.at, f"the rule has no '{name}'{_WHY_NEEDED[name]}")
                break
        title = reader.text(fields["title"], "'title'") if "title" in fields else None
        because = reader.text(fields["because"], "'because'") if "because" in fields else None
        source = reader.source(fields["source"]) if "source" in fields else None
        foreign = self._of_another_kind(node, other)
        outcome = self._outcomes.read(fields, node) if not foreign and not _misspelt(node, OUTCOMES) else None
        severity = self._severity(fields, outcome, node)
        penalty = self._penalty(fields, severity)
        mode = reader.word(fields["mode"], "'mode'", get_args(RuleMode)) if "mode" in fields else "enforce"
        locked = reader.flag(fields["locked"], "'locked'") if "locked" in fields else False
        shaped = self._when(fields["when"], foreign) if "when" in fields else None
        whole = self._folded(fields, shaped, outcome)
        values = self._values(fields, outcome, whole)
        shape = self._shape_meant(fields.get("when")) if shaped is None else shaped.shape
        examples: tuple[Example, ...] = ()
        if "examples" in fields and shape is not None:
            # Read even when the condition could not be, so that their mistakes are told now and not next time.
            examples = self._examples.read(fields["examples"], shape, ALWAYS if whole is None else whole[0])
        if "examples" in fields and not examples and len(reader.mistakes) == before:
            reader.mistakes.add(fields["examples"].at, "a rule needs at least one example")
        if outcome is None or shaped is None or shape is None or whole is None or values is None:
            if len(reader.mistakes) == before:
                # Never drop a rule in silence, whatever the parts above overlooked.
                reader.mistakes.add(node.at, "this rule cannot be read; compare it with a shipped one")
            return None
        if len(reader.mistakes) > before:
            return None
        return Rule(
            id=rule_id or "",
            title=title or "",
            shape=shape,
            severity=severity or "advice",
            mode=cast(RuleMode, mode),
            penalty=penalty,
            when=interned(whole[0]),
            outcome=outcome,
            values=values,
            limit=whole[1],
            because=because or "",
            source=source,
            locked=bool(locked),
            examples=examples,
            position=node.at,
        )

    def _severity(self, fields: dict[str, Node], outcome: Outcome | None, node: Node) -> Severity | None:
        if "severity" in fields:
            return cast("Severity | None", self._reader.word(fields["severity"], "'severity'", get_args(Severity)))
        if self._kind == "sequencing" and outcome in ("forbid", "require"):
            self._reader.mistakes.add(node.at, "the rule has no 'severity': hard (never broken) or soft (a penalty)")
        return "advice"

    def _penalty(self, fields: dict[str, Node], severity: Severity | None) -> float:
        if "penalty" not in fields:
            return DEFAULT_PENALTY if severity == "soft" else 0.0
        number = self._reader.number(fields["penalty"], "'penalty'")
        if number is not None and not 0 <= number <= 1000:
            self._reader.mistakes.add(fields["penalty"].at, "'penalty' is a number from 0 to 1000")
        elif number is not None and severity in ("hard", "advice"):
            self._reader.mistakes.add(
                fields["penalty"].at, f"a rule of severity {severity} has no penalty; only soft rules are weighed"
            )
        return number or 0.0

    def _of_another_kind(self, node: MapNode, other: Sequence[Outcome]) -> tuple[Outcome, ...]:
        """Outcomes that only packs of another kind have: told once, whatever else of that kind the rule has."""
        found = []
        for name, _ in node.pairs:
            for outcome in other:
                if name.text == outcome:
                    found.append(outcome)
                    kinds = " or ".join(kind for kind, outcomes in OUTCOMES_OF_PACK.items() if outcome in outcomes)
                    here = one_of(self._outcomes.allowed)
                    self._reader.mistakes.add(
                        name.at, f"'{outcome}' belongs to {kinds} packs; a {self._kind} pack has {here}"
                    )
        return tuple(found)

    def _when(self, node: Node, foreign: Sequence[Outcome] = ()) -> Shaped | None:
        shaped = self._conditions.when(node)
        if shaped is None:
            return None
        allowed = SHAPE_OF_PACK[self._kind]
        if shaped.shape not in allowed and foreign:
            return None  # the rule is of another kind, which was told
        if shaped.shape not in allowed:
            about = "a pair of sessions" if shaped.shape == "pair" else f"'{shaped.shape}'"
            hint = one_of("first/then" if shape == "pair" else shape for shape in allowed)
            self._reader.mistakes.add(node.at, f"a {self._kind} pack has no rules about {about}; use {hint}")
            return None
        return shaped

    def _shape_meant(self, when: Node | None) -> Shape | None:
        """What a condition that could not be read is about, by the names in it."""
        names = {name.text for name, _ in when.pairs} if isinstance(when, MapNode) else set()
        meant: list[Shape] = (
            ["pair"] if names & set(PAIR_FIELDS) else [shape for shape in SHAPE_FIELDS if shape in names]
        )
        return meant[0] if meant and meant[0] in SHAPE_OF_PACK[self._kind] else None

    def _folded(
        self, fields: dict[str, Node], shaped: Shaped | None, outcome: Outcome | None
    ) -> tuple[Condition, dict[str, float]] | None:
        """``when`` with ``for athletes``, ``unless`` and ``require`` folded in, and what to compare with."""
        parts: list[Condition | None] = [None if shaped is None else shaped.condition]
        if "for athletes" in fields:
            parts.append(self._conditions.athletes(fields["for athletes"]))
        if "unless" in fields:
            node = fields["unless"]
            excused = [
                self._conditions.when(item, partial=True)
                for item in (node.items if isinstance(node, ListNode) else (node,))
            ]
            for one in excused:
                if one is not None and shaped is not None and one.shape not in (None, shaped.shape):
                    self._reader.mistakes.add(node.at, f"'unless' is about {one.shape}, the rule about {shaped.shape}")
            if not excused:
                self._reader.mistakes.add(node.at, "'unless' is empty; leave it out when there is no exception")
            known = tuple(Not(one.condition) for one in excused if one is not None)
            parts.append(both(*known) if known and len(known) == len(excused) else None)
        limits = {} if shaped is None else _limits(shaped.condition)
        if outcome == "require" and shaped is not None and shaped.shape is not None:
            requirement = self._outcomes.requirement(fields["require"], shaped.shape)
            parts.append(None if requirement is None else Not(requirement))
            limits = {} if requirement is None else _limits(requirement)
        known_parts = [part for part in parts if part is not None]
        return (both(*known_parts), limits) if len(known_parts) == len(parts) else None

    def _values(
        self, fields: dict[str, Node], outcome: Outcome | None, whole: tuple[Condition, dict[str, float]] | None
    ) -> dict[str, object] | None:
        if outcome is None:
            return None
        if outcome == "require":
            return dict(whole[1]) if whole is not None else None
        return self._outcomes.values(outcome, fields[outcome])


def _misspelt(node: MapNode, known: tuple[str, ...]) -> bool:
    """An unknown name that is nearly an outcome was reported already; "asks for nothing" would be noise."""
    return any(
        name.text not in RULE_FIELDS and get_close_matches(name.text, known, n=1, cutoff=0.6)
        for name, _ in node.pairs[: 3 * len(RULE_FIELDS)]
    )


def _limits(condition: Condition) -> dict[str, float]:
    """What a person compares a measurement with: the bounds of the rule's own comparisons, the last one counts."""
    if isinstance(condition, Leaf):
        if isinstance(condition.value, float) and not isinstance(condition.value, bool):
            return {condition.feature.removeprefix("first_").removeprefix("then_"): condition.value}
        return {}
    if isinstance(condition, Not):
        return _limits(condition.of)
    found: dict[str, float] = {}
    of_parts = [_limits(part) for part in condition.of]
    for limits in of_parts:
        found.update(limits)
    if isinstance(condition, AnyOf) and not all("duration_min" in limits for limits in of_parts):
        # A length that only one alternative asks for says what kind of session is meant ("long run"), not how long.
        found.pop("duration_min", None)
    return found
