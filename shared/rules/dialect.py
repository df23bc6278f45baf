"""One pack's tree to the typed model: header, words, settings, rules. Reports everything, invents nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import cast, get_args

from shared.messages.words import Severity
from shared.rules.amounts import NotAnAmount, parse_amount, within
from shared.rules.conditions import PAIR_FIELDS, SHAPE_FIELDS, Conditions, Shaped, both
from shared.rules.errors import Mistakes, one_of
from shared.rules.examples import Examples
from shared.rules.model import (
    ALWAYS,
    Amount,
    Condition,
    Example,
    Leaf,
    Not,
    Outcome,
    PackKind,
    Rule,
    RuleMode,
    Setting,
    Shape,
)
from shared.rules.nodes import ListNode, MapNode, Node, ScalarNode, told
from shared.rules.outcomes import OUTCOMES, Outcomes, plain_value
from shared.rules.reading import Reader
from shared.rules.vocabulary import SHAPE_OF_PACK
from shared.rules.words import MAX_WORDS, Words

DIALECT = "tandem-rules/1"
MAX_RULES = 200
DEFAULT_PENALTY = 10.0
PACK_FIELDS = ("dialect", "kind", "id", "version", "effective", "title", "because", "words", "settings", "rules")
TENANT_FIELDS = (*PACK_FIELDS, "extends", "override")
RULE_FIELDS = (
    "id", "title", "severity", "penalty", "mode", "locked", "when", "unless", "for athletes", *OUTCOMES, "because",
    "source", "examples",
)  # fmt: skip
SETTING_FIELDS = ("value", "unit", "allowed", "because", "source")
EVIDENCE = ("strong", "moderate", "weak", "practice")

_VERSION = re.compile(r"^\d{1,6}\.\d{1,6}\.\d{1,6}$")
_PACK_ID = re.compile(r"^[a-z0-9][a-z0-9.-]{0,99}$")
_RULE_ID = re.compile(r"^[a-z][a-z0-9-]{0,79}$")
_SETTING = re.compile(r"^[a-z][a-z0-9_]{0,79}$")


@dataclass(frozen=True, slots=True)
class Header:
    """Who a pack is, as far as it could be read."""

    kind: PackKind | None
    id: str
    version: str
    effective_from: date | None = None
    extends: tuple[str, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """A pack's rules and settings."""

    rules: tuple[Rule, ...]
    settings: Mapping[str, Setting] = field(default_factory=dict)


def read_header(node: Node, mistakes: Mistakes, tenant: bool) -> Header | None:
    """The first lines of a pack; None when it is no pack at all."""
    reader = Reader(mistakes)
    if not isinstance(node, MapNode):
        mistakes.add(node.at, f"a rule file is a table that starts with 'dialect: {DIALECT}', not {told(node)}")
        return None
    before = len(mistakes)
    fields = reader.table(node, "a pack", TENANT_FIELDS if tenant else PACK_FIELDS)
    needed = ["id", "version"] + ([] if tenant else ["dialect", "kind"])
    for name in needed:
        if name not in fields:
            mistakes.add(node.at, f"'{name}' is missing at the top of the pack")
    if "dialect" in fields and reader.text(fields["dialect"], "'dialect'") not in (DIALECT, None):
        mistakes.add(fields["dialect"].at, f"this is not a dialect known here; write '{DIALECT}'")
    kind = None
    if "kind" in fields:
        kind = cast("PackKind | None", reader.word(fields["kind"], "'kind'", get_args(PackKind)))
    pack_id = _matched(reader, fields.get("id"), "'id'", _PACK_ID, "small letters, digits, '.' and '-'")
    version = _matched(reader, fields.get("version"), "'version'", _VERSION, 'three numbers in quotes, like "1.0.0"')
    effective = _effective(reader, fields["effective"]) if "effective" in fields else None
    extends = _extends(reader, fields["extends"]) if "extends" in fields else None
    if tenant and extends is None and kind is None and len(mistakes) == before:
        mistakes.add(node.at, "say what the pack changes: 'extends: base.sequencing@1'")
    return Header(kind, pack_id or "", version or "", effective, extends)


def _matched(reader: Reader, node: Node | None, what: str, pattern: re.Pattern[str], form: str) -> str | None:
    if node is None:
        return None
    text = reader.text(node, what)
    if text is not None and not pattern.match(text):
        reader.mistakes.add(node.at, f"{what} cannot be '{text}'; write {form}")
        return None
    return text


def _effective(reader: Reader, node: Node) -> date | None:
    fields = reader.table(node, "'effective'", ("from",))
    if "from" not in fields:
        return None
    text = reader.text(fields["from"], "'from'")
    try:
        if text is None or not re.match(r"^\d{4}-\d\d-\d\d$", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        if text is not None:
            reader.mistakes.add(fields["from"].at, f"'{text}' is no date; write it as 2026-11-01")
        return None


def _extends(reader: Reader, node: Node) -> tuple[str, int | None] | None:
    text = reader.text(node, "'extends'")
    match = re.match(r"^([a-z0-9][a-z0-9.-]*?)(?:@(\d{1,6}))?$", text or "")
    if text is not None and match is None:
        reader.mistakes.add(node.at, f"'extends' cannot be '{text}'; write it like 'base.sequencing@1'")
    return None if match is None else (match[1], None if match[2] is None else int(match[2]))


def read_content(node: MapNode, kind: PackKind, mistakes: Mistakes) -> Content:
    """Words, settings and rules of a resolved pack. Mistakes are collected; the caller refuses the pack."""
    reader = Reader(mistakes)
    fields = {name.text: value for name, value in node.pairs}
    declared = reader.table(fields["words"], "'words'") if "words" in fields else {}
    if len(declared) > MAX_WORDS:
        mistakes.add(fields["words"].at, f"{len(declared)} words; a pack has at most {MAX_WORDS}")
        return Content(())
    words = Words(reader, declared)
    words.check_all()
    settings = _settings(reader, fields["settings"]) if "settings" in fields else {}
    if "rules" not in fields and "settings" not in fields:
        mistakes.add(node.at, "the pack has neither 'rules' nor 'settings'")
    items = reader.items(fields["rules"], "'rules'") if "rules" in fields else ()
    if len(items) > MAX_RULES:
        mistakes.add(fields["rules"].at, f"{len(items)} rules; a pack has at most {MAX_RULES}")
        return Content(())
    rule_reader = _RuleReader(reader, words, kind)
    rules: list[Rule] = []
    seen: dict[str, Node] = {}
    for item in items:
        mistakes.rule = _id_of(item)
        if mistakes.rule is not None and mistakes.rule in seen:
            first = seen[mistakes.rule].at
            mistakes.add(item.at, f"a second rule '{mistakes.rule}'; the first is at {first.file}:{first.line}")
        else:
            rule = rule_reader.read(item)
            rules += [] if rule is None else [rule]
        if mistakes.rule is not None:
            seen.setdefault(mistakes.rule, item)
        mistakes.rule = None
    return Content(tuple(rules), settings)


def _id_of(node: Node) -> str | None:
    name = node.get("id") if isinstance(node, MapNode) else None
    return name.text if isinstance(name, ScalarNode) and name.value is not None else None


def _settings(reader: Reader, node: Node) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for name, value in reader.table(node, "'settings'").items():
        if not _SETTING.match(name):
            reader.mistakes.add(value.at, f"'{name}' is no setting's name; use small letters, digits and '_'")
            continue
        fields = reader.table(value, f"the setting '{name}'", SETTING_FIELDS)
        if "value" not in fields:
            if isinstance(value, MapNode):
                reader.mistakes.add(value.at, f"the setting '{name}' has no 'value'")
            continue
        plain = plain_value(reader, fields["value"], f"'{name}'")
        unit = reader.text(fields["unit"], "'unit'") if "unit" in fields else None
        because = reader.text(fields["because"], "'because'") if "because" in fields else None
        if "source" in fields:
            _source(reader, fields["source"])
        allowed = _allowed(reader, fields["allowed"]) if "allowed" in fields else None
        if allowed is not None and isinstance(plain, float) and not within(allowed, plain):
            reader.mistakes.add(fields["value"].at, f"'{name}' is {plain:g}; allowed is {_text_of(fields['allowed'])}")
        found[name] = Setting(name, plain, unit, allowed, because, value.at)
    return found


def _text_of(node: Node) -> str:
    return node.text if isinstance(node, ScalarNode) else ""


def _allowed(reader: Reader, node: Node) -> Amount | None:
    text = reader.text(node, "'allowed'")
    try:
        return None if text is None else parse_amount(text)
    except NotAnAmount as problem:
        reader.mistakes.add(node.at, f"'allowed': {problem}")
        return None


def _source(reader: Reader, node: Node) -> str | None:
    if isinstance(node, ScalarNode):
        return reader.text(node, "'source'")
    fields = reader.table(node, "'source'", ("ref", "strength"))
    ref = reader.text(fields["ref"], "'ref'") if "ref" in fields else None
    if "ref" not in fields:
        reader.mistakes.add(node.at, "'source' has no 'ref'; name the document or paper")
    strength = reader.word(fields["strength"], "'strength'", EVIDENCE) if "strength" in fields else None
    return ref if strength is None else f"{ref} ({strength})"


class _RuleReader:
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
        fields = reader.table(node, "a rule", [name for name in RULE_FIELDS if name not in other])
        if not isinstance(node, MapNode):
            return None
        rule_id = _matched(reader, fields.get("id"), "'id'", _RULE_ID, "small letters, digits and '-'")
        for name in ("id", "title", "when", "because", "examples"):
            if name not in fields:
                reader.mistakes.add(node.at, f"the rule has no '{name}'{_WHY_NEEDED[name]}")
                break
        title = reader.text(fields["title"], "'title'") if "title" in fields else None
        because = reader.text(fields["because"], "'because'") if "because" in fields else None
        source = _source(reader, fields["source"]) if "source" in fields else None
        outcome = self._outcomes.read(fields, node) if not _misspelt(node, OUTCOMES) else None
        severity = self._severity(fields, outcome, node)
        penalty = self._penalty(fields, severity)
        mode = reader.word(fields["mode"], "'mode'", get_args(RuleMode)) if "mode" in fields else "enforce"
        locked = reader.flag(fields["locked"], "'locked'") if "locked" in fields else False
        shaped = self._when(fields["when"]) if "when" in fields else None
        whole = self._folded(fields, shaped, outcome)
        values = self._values(fields, outcome, whole)
        shape = self._shape_meant(fields.get("when")) if shaped is None else shaped.shape
        examples: tuple[Example, ...] = ()
        if "examples" in fields and shape is not None:
            # Read even when the condition could not be, so that their mistakes are told now and not next time.
            examples = self._examples.read(fields["examples"], shape, ALWAYS if whole is None else whole[0])
        if "examples" in fields and not examples and len(reader.mistakes) == before:
            reader.mistakes.add(fields["examples"].at, "a rule needs at least one example")
        if len(reader.mistakes) > before or outcome is None or shaped is None or shape is None or whole is None:
            return None
        return Rule(
            id=rule_id or "",
            title=title or "",
            shape=shape,
            severity=severity or "advice",
            mode=cast(RuleMode, mode),
            penalty=penalty,
            when=whole[0],
            outcome=outcome,
            values=values or {},
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

    def _when(self, node: Node) -> Shaped | None:
        shaped = self._conditions.when(node)
        if shaped is None:
            return None
        allowed = SHAPE_OF_PACK[self._kind]
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


_WHY_NEEDED: Mapping[str, str] = {
    "id": "; give it a short name, like 'same-day-gap'",
    "title": "; say in one line what it does",
    "when": "; say when it applies",
    "because": "; say why in a sentence",
    "examples": "; give at least one, so that everybody sees what it does",
}


def _misspelt(node: MapNode, known: tuple[str, ...]) -> bool:
    """An unknown name that is nearly an outcome was reported already; "asks for nothing" would be noise."""
    return any(
        name.text not in RULE_FIELDS and get_close_matches(name.text, known, n=1, cutoff=0.6) for name, _ in node.pairs
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
    for part in condition.of:
        found.update(_limits(part))
    return found
