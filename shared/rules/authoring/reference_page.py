"""The reference page of the rule dialect, written from what the loader knows, so that the two cannot differ."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from shared.contract.words import PackKind
from shared.rules.amounts import comparisons
from shared.rules.authoring.json_schema import AMOUNT_EXAMPLES
from shared.rules.authoring.supplied_features import SUPPLIED
from shared.rules.errors import MAX_TOLD
from shared.rules.evaluation.durable_compiler import MAX_COMPILED_RULES
from shared.rules.evaluation.normal_form import MAX_BRANCHES
from shared.rules.model import Amount, Pack, RuleMode, Setting, Shape
from shared.rules.reading.conditions import ATHLETE_FIELDS
from shared.rules.reading.header import DIALECT
from shared.rules.reading.outcome_values import OUTCOME_VALUES, OutcomeValue
from shared.rules.reading.pack_content import MAX_RULES
from shared.rules.reading.rule_files import RULE_FILE
from shared.rules.reading.session_classes import CLASS_FIELDS, MAX_CLASSES, MAX_NESTED, MAX_WORDS
from shared.rules.reading.tree_reader import EVIDENCE
from shared.rules.vocabulary import BUILTIN_WORDS, FEATURES, OUTCOMES_OF_PACK, SHAPE_OF_PACK, Feature, features_of

_SHAPES: Mapping[Shape, str] = {
    "pair": "two sessions and how they lie: `when: {first: heavy lower, then: long run, gap: less than 24 h}`",
    "week": "a week's calendar: `when: {week: {lift_sessions: at least 3}}`",
    "athlete": "an athlete's day: `when: {athlete: {hrv_low: true, for: at least 3 days}}`",
    "season": "a week within a season: `when: {season: {race_week: true}}`",
}
_OUTCOMES: Mapping[str, str] = {
    "forbid": "`forbid: true` – where the rule applies, the calendar is refused (hard) or costs its penalty (soft)",
    "allow": "`allow: true` – cancels soft rules where it applies, never hard ones",
    "require": "`require: {easy_share: at least 80 %}` – what must be true where the rule applies",
    "deload": "`deload: {sets: -45 %, for: 7 days}` – a lighter week begins",
    "cap": "`cap: {lower_volume: at most 60 %}` – the week keeps at most so much; of several caps the strictest counts",
    "gate": "`gate: {intensity: easy, volume_factor: 0.6}` – how hard the day may be; of several gates the strictest",
    "set": "`set: {growth: 6 %}` – what a week is made of",
    "advise": "`advise: {answer: separate, gap_hours: 12}` – about a run after a lift; the strictest answer counts",
}
_MODES: Mapping[RuleMode, str] = {
    "enforce": "the rule counts (the default)",
    "warn": "a hard rule only costs a penalty: nothing is refused",
    "watch": "the rule is only counted: nothing changes, the metrics say how often it would have fired",
}


def reference_page(packs: Mapping[PackKind, Pack]) -> str:
    """Markdown; ``packs``: the shipped ones, whose settings are listed."""
    return "\n".join(_lines(packs)) + "\n"


def _lines(packs: Mapping[PackKind, Pack]) -> Iterator[str]:
    yield "# Rule files: words, shapes, outcomes, amounts, settings"
    yield ""
    yield f"Dialect `{DIALECT}`. Written by `tandem rules reference` from the code that reads rule files; do not edit."
    yield "How to change a rule step by step: [Edit a rule](../how-to/edit-a-rule.md)."
    yield from _packs()
    yield from _rules()
    yield from _amounts()
    yield from _sessions()
    yield from _features()
    yield from _outcomes()
    yield from _settings(packs)
    yield from _limits()


def _packs() -> Iterator[str]:
    yield from _heading("Packs")
    rows = [(_code(kind), _codes(SHAPE_OF_PACK[kind]), _codes(OUTCOMES_OF_PACK[kind])) for kind in get_args(PackKind)]
    yield from _table(("kind", "conditions about", "outcomes"), rows)
    yield from _heading("Conditions, by what they are about", 3)
    yield from (f"- `{shape}`: {meaning}" for shape, meaning in _SHAPES.items())
    yield ""
    yield "Joined by `any: [...]`, `all: [...]`, `not: {...}`. A condition on something unknown is unknown, and the"
    yield "rule does not fire; `tandem rules explain` says what was unknown."


def _rules() -> Iterator[str]:
    yield from _heading("A rule")
    fields = (
        ("`id`", "small letters, digits and `-`; required"),
        ("`title`", "in one line, what it does; required"),
        ("`severity`", "`hard` is never broken, `soft` costs its `penalty` (0 to 1000), `advice` is only said"),
        ("`mode`", "; ".join(f"`{mode}`: {meaning}" for mode, meaning in _MODES.items())),
        ("`when`", "when it applies; required"),
        ("`unless`", "one exception or a list of them; of a pair only what differs: `{first: upper lift}`"),
        ("`for athletes`", "; ".join(f"`{name}`: {_codes(words)}" for name, words in ATHLETE_FIELDS.items())),
        ("`because`", "why, in a sentence; required"),
        ("`source`", f"`ref`: entries of `rules/sources.yaml`, `; ` between them; `strength`: {_codes(EVIDENCE)}"),
        ("`examples`", "at least one; run whenever the file is read. One that does not hold refuses the file"),
        ("`locked`", "of a base rule: no tenant may change what it does"),
    )
    yield from _table(("field", "what it says"), fields)
    yield ""
    yield "A tenant's file has `extends: base.sequencing@1` (the major version it was written for) and changes rules"
    yield "field by field under `override`, each with its `because`; `off: true` switches a rule off. Rules of its own"
    yield "stand under `rules`. `effective: {from: 2026-11-01}` says from when on a file counts."


def _amounts() -> Iterator[str]:
    yield from _heading("Amounts")
    yield _codes(AMOUNT_EXAMPLES, " · ") + "."
    yield ""
    yield "Units: h, min, days, weeks, %, g, kg, g/kg, km, bpm, AU. `between` has both its ends in it. A list means"
    yield "one of these: `level: [beginner, intermediate]`."


def _sessions() -> Iterator[str]:
    yield from _heading("Words and classes of sessions")
    yield f"Words of the dialect: {_codes(BUILTIN_WORDS)}. A pack names its own under `words`:"
    yield "`heavy lower: {kind: lift, region: [lower, full], effort: [heavy, max]}`."
    yield ""
    rows = []
    for field in CLASS_FIELDS:
        feature = FEATURES.get(f"first_{field}")
        told = _codes(feature.words) if feature and feature.words else {
            "duration": "an amount in min or h",
            "key": "`true`: the day's key session",
            "any": "a list of words or classes, one of which it is",
        }[field]  # fmt: skip
        rows.append((_code(field), told))
    yield from _table(("field", "values"), rows)


def _features() -> Iterator[str]:
    for shape in get_args(Shape):
        yield from _heading(f"Features of `{shape}`" if shape != "pair" else "Features of two sessions")
        if shape == "pair":
            yield "Written as `first`, `then`, `gap` and `same day`; listed by the names that explanations use."
            yield ""
        rows = [
            (_code(name), _values(FEATURES[name]), FEATURES[name].meaning, " ".join(_supplied_to(name, shape)))
            for name in features_of(shape)
        ]
        yield from _table(("feature", "unit or values", "meaning", "told to"), rows)


def _supplied_to(name: str, shape: Shape) -> Iterator[str]:
    """The kinds of pack whose rules hear an answer."""
    return (kind for kind, features in SUPPLIED.items() if name in features and shape in SHAPE_OF_PACK[kind])


def _values(feature: Feature) -> str:
    if feature.type == "word":
        return _codes(feature.words)
    if feature.type == "bool":
        return "`true` `false`"
    return "%" if feature.unit == "fraction" else feature.unit or "number"


def _outcomes() -> Iterator[str]:
    yield from _heading("Outcomes")
    yield from (f"- {told}" for told in _OUTCOMES.values())
    for outcome, values in OUTCOME_VALUES.items():
        yield from _heading(f"Values of `{outcome}`", 3)
        yield from _table(
            ("value", "unit or words", "allowed", "meaning"),
            [(_code(v.name), _value_unit(v), v.allowed or "", v.meaning) for v in values.values()],
        )


def _value_unit(value: OutcomeValue) -> str:
    if value.type == "word":
        return _codes(value.words)
    if value.type == "text":
        return "text"
    unit = "%" if value.unit == "fraction" else value.unit or ""
    return f"{unit}, or two like `between 20 and 40`" if value.type == "range" else unit


def _settings(packs: Mapping[PackKind, Pack]) -> Iterator[str]:
    yield from _heading("Settings")
    yield "Named parameters of the shipped packs; a tenant's file changes them under `settings`, field by field:"
    yield "`settings: {max_sessions_per_day: {value: 1}}`. What is allowed is the base's to say."
    for kind, pack in packs.items():
        if pack.settings:
            yield from _heading(f"Settings of `{kind}`", 3)
            rows = [
                (_code(one.name), _plain(one.value), one.unit or "", _allowed(one), one.because or "")
                for one in pack.settings.values()
            ]
            yield from _table(("setting", "value", "unit", "allowed", "because"), rows)


def _allowed(setting: Setting) -> str:
    return "" if setting.allowed is None else _phrase(setting.allowed)


def _phrase(amount: Amount) -> str:
    if amount.low is not None and amount.high is not None:
        return f"between {amount.low:g} and {amount.high:g}"
    return " and ".join(f"{op} {bound:g}" for op, bound in comparisons(amount))


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_inner(inner)}" for name, inner in value.items())
    return _inner(value)


def _inner(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_inner(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inner(one) for one in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _limits() -> Iterator[str]:
    yield from _heading("Limits")
    most = RULE_FILE.max_bytes // 1024
    yield f"A file has at most {most} KiB, a pack {MAX_RULES} rules and {MAX_WORDS} words. With its alternatives"
    yield f"multiplied out a rule comes to at most {MAX_BRANCHES} separate cases, a pack to {MAX_COMPILED_RULES}. Words"
    yield f"may be explained by others, {MAX_NESTED} deep and {MAX_CLASSES} in all. Of the mistakes {MAX_TOLD}"
    yield "are told. No anchors,"
    yield "aliases or tags. `off`, `no`, dates and clock times stay text; only true, false, null and numbers are more."


def _heading(text: str, level: int = 2) -> Iterator[str]:
    yield ""
    yield f"{'#' * level} {text}"
    yield ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def _code(text: str) -> str:
    return f"`{text}`"


def _codes(words: Iterable[str], between: str = " ") -> str:
    return between.join(_code(word) for word in words)
