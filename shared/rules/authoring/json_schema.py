"""JSON Schema of rule files, generated from the vocabulary: completion of words, features and amounts in editors.

It accepts whatever the loader accepts; the loader alone judges meaning (units, examples, which word is declared).
"""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from shared.contract.sessions import TAGS
from shared.contract.words import PackKind, Severity, Unit
from shared.rules.model import RuleMode, Shape
from shared.rules.reading.conditions import ATHLETE_FIELDS
from shared.rules.reading.examples import ATHLETE_OF_EXAMPLES, EXPECTED, PAIR_EXAMPLE_FIELDS
from shared.rules.reading.header import DIALECT
from shared.rules.reading.outcome_values import OUTCOME_VALUES, OutcomeValue
from shared.rules.reading.overrides import OVERRIDE_FIELDS
from shared.rules.reading.pack_content import MAX_RULES
from shared.rules.reading.session_classes import CLASS_FIELDS
from shared.rules.reading.tree_reader import EVIDENCE
from shared.rules.vocabulary import BUILTIN_WORDS, FEATURES, Feature, features_of

Schema = dict[str, Any]

AMOUNT_EXAMPLES = ["less than 24 h", "at least 80 %", "at most 20 min", "between 0 and 10", "exactly 3"]
_AMOUNT: Schema = {"type": ["string", "number"], "examples": AMOUNT_EXAMPLES}
_EXAMPLES_OF_UNIT: Mapping[Unit, list[str]] = {
    "h": ["less than 24 h", "at least 6 h", "between 6 h and 8 h"],
    "min": ["at most 20 min", "more than 90 min", "between 30 and 60 min"],
    "days": ["at least 3 days", "less than 2 days", "exactly 7 days"],
    "weeks": ["at least 3 weeks", "at most 1 week", "exactly 0"],
    "fraction": ["at least 80 %", "more than 110 %", "between 10 % and 30 %"],
    "ratio": ["more than 1.5", "at most 0.8", "between 0.8 and 1.3"],
    "points": ["at most 33", "less than 67", "between 34 and 66"],
    "count": ["at least 3", "at most 1", "exactly 2"],
    "km": ["at least 10 km", "less than 21.1 km"],
    "bpm": ["more than 5 bpm", "at most 3 bpm"],
}
"""What completion offers for an amount, in the unit that fits the feature."""
_SHAPES: tuple[Shape, ...] = ("week", "athlete", "season")


def rule_file_schema() -> Schema:
    """The schema of one rule file, base or tenant."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Tandem rule file ({DIALECT})",
        "type": "object",
        "required": ["id", "version"],
        "anyOf": [{"required": ["extends"]}, {"required": ["kind"]}],
        "additionalProperties": False,
        "properties": {
            "dialect": {"const": DIALECT},
            "kind": {"enum": list(get_args(PackKind))},
            "id": {"type": "string", "description": "name of the pack, like base.sequencing"},
            "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$", "examples": ["1.0.0"]},
            "effective": _table({"from": {"type": "string", "examples": ["2026-11-01"]}}),
            "title": {"type": "string"},
            "because": {"type": "string"},
            "words": {"type": "object", "additionalProperties": {"$ref": "#/$defs/sessions"}},
            "settings": {"type": "object", "additionalProperties": {"$ref": "#/$defs/setting"}},
            "rules": {"type": "array", "maxItems": MAX_RULES, "items": {"$ref": "#/$defs/rule"}},
            "extends": {"type": "string", "examples": ["base.sequencing@1"]},
            "override": {"type": "object", "additionalProperties": {"$ref": "#/$defs/override"}},
        },
        "$defs": _definitions(),
    }


def _definitions() -> Mapping[str, Schema]:
    fields = _rule_fields()
    return {
        "amount": _AMOUNT,
        "rule": {**_table(fields), "required": ["id", "title", "when", "because", "examples"]},
        "override": _table({**{name: fields[name] for name in OVERRIDE_FIELDS if name != "off"}, "off": _flag("off")}),
        "condition": _table(_condition_fields()),
        "exception": _table({**_condition_fields(), "for athletes": {"$ref": "#/$defs/athletes"}}),
        "sessions": {
            "anyOf": [
                {"type": "string", "examples": list(BUILTIN_WORDS)},
                {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/sessions"}},
                _table(_class_fields(with_any=True)),
            ]
        },
        "athletes": {
            **_table({name: _one_or_more(words) for name, words in ATHLETE_FIELDS.items()}),
            "minProperties": 1,
        },
        **{f"feature-{name}": _compared(feature) for name, feature in FEATURES.items()},
        **{f"{shape}-features": _features(shape) for shape in _SHAPES},
        **{f"{shape}-example": _table(_facts(shape)) for shape in _SHAPES},
        "setting": {
            **_table(
                {
                    "value": {},
                    "unit": {"type": "string"},
                    "allowed": _AMOUNT,
                    "because": {"type": "string"},
                    "source": {"$ref": "#/$defs/source"},
                }
            ),
        },
        "source": {
            "anyOf": [
                {"type": ["string", "number"]},
                {
                    **_table({"ref": {"type": ["string", "number"]}, "strength": {"enum": list(EVIDENCE)}}),
                    "required": ["ref"],
                },
            ]
        },
        "example": _table(_example_fields()),
        "example-session": _table(
            {
                **_class_fields(with_any=False),
                "start": {"type": "string", "examples": ["Sat 08:00"]},
                "end": {"type": "string", "examples": ["Fri 19:00"]},
            }
        ),
    }


def _table(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": dict(properties)}


def _flag(meaning: str) -> Schema:
    return {"type": "boolean", "description": meaning}


def _one_or_more(words: Iterable[str]) -> Schema:
    known = {"enum": list(words)}
    return {"anyOf": [known, {"type": "array", "minItems": 1, "items": known}]}


def _rule_fields() -> dict[str, Schema]:
    exception = {"$ref": "#/$defs/exception"}
    named: dict[str, Schema] = {
        str(outcome): {**_table({name: _value(value) for name, value in values.items()}), "minProperties": 1}
        for outcome, values in OUTCOME_VALUES.items()
    }
    return {
        "id": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"},
        "title": {"type": "string", "description": "in one line, what the rule does"},
        "severity": {"enum": list(get_args(Severity))},
        "penalty": {"type": "number", "minimum": 0, "maximum": 1000},
        "mode": {"enum": list(get_args(RuleMode)), "description": "watch only counts, warn never refuses"},
        "locked": _flag("no tenant may loosen the rule"),
        "when": {"$ref": "#/$defs/condition"},
        "unless": {"anyOf": [exception, {"type": "array", "minItems": 1, "items": exception}]},
        "for athletes": {"$ref": "#/$defs/athletes"},
        "forbid": {"const": True},
        "allow": {"const": True},
        "require": {"type": "object", "minProperties": 1},
        **named,
        "because": {"type": "string", "description": "why, in a sentence"},
        "source": {"$ref": "#/$defs/source"},
        "examples": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/example"}},
    }


def _condition_fields() -> dict[str, Schema]:
    condition = {"$ref": "#/$defs/exception"}
    several = {"type": "array", "minItems": 1, "items": condition}
    return {
        "first": {"$ref": "#/$defs/sessions"},
        "then": {"$ref": "#/$defs/sessions"},
        "gap": {"type": "string", "examples": ["less than 6 h", "less than 24 h"]},
        "same day": _flag("both start on the same local date"),
        "either order": _flag("the two may come in any order"),
        **{shape: {"$ref": f"#/$defs/{shape}-features"} for shape in _SHAPES},
        "any": several,
        "all": several,
        "not": condition,
    }


def _class_fields(with_any: bool) -> dict[str, Schema]:
    tags = {tag: _one_or_more(FEATURES[f"first_{tag}"].words) for tag in ("kind", *TAGS)}
    fields: dict[str, Schema] = {
        **tags,
        "duration": {**_AMOUNT, "examples": ["at most 20 min"]},
        "key": _flag("key session"),
    }
    if with_any:
        fields["any"] = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/sessions"}}
    assert set(fields) | {"any"} == set(CLASS_FIELDS)
    return fields


def _compared(feature: Feature) -> Schema:
    if feature.type == "bool":
        return _flag(feature.meaning)
    if feature.type == "word":
        return {**_one_or_more(feature.words), "description": feature.meaning}
    unit = "" if feature.unit is None else f" ({feature.unit})"
    amount = _AMOUNT if feature.unit is None else _amount(feature.unit)
    return {
        "anyOf": [amount, {"type": "array", "minItems": 1, "items": amount}],
        "description": feature.meaning + unit,
    }


def _amount(unit: Unit) -> Schema:
    return {**_AMOUNT, "examples": _EXAMPLES_OF_UNIT.get(unit, AMOUNT_EXAMPLES)}


def _value(value: OutcomeValue) -> Schema:
    if value.type == "word":
        return {"enum": list(value.words), "description": value.meaning}
    if value.type == "text":
        return {"type": ["string", "number"], "description": value.meaning}
    allowed = f"; {value.allowed}" if value.allowed else ""
    return {**_AMOUNT, "description": f"{value.meaning} ({value.unit}{allowed})"}


def _features(shape: Shape) -> Schema:
    names: dict[str, Schema] = {name: {"$ref": f"#/$defs/feature-{name}"} for name in features_of(shape)}
    if shape == "athlete":
        names["for"] = {"type": "string", "examples": ["at least 3 days"]}
    return {**_table(names), "minProperties": 1}


def _facts(shape: Shape) -> dict[str, Schema]:
    """An example's facts; null says that the fact is unknown. A pair or week example's athlete has words only."""
    return {name: {"anyOf": [{"$ref": f"#/$defs/feature-{name}"}, {"type": "null"}]} for name in features_of(shape)}


def _example_fields() -> dict[str, Schema]:
    session = {"$ref": "#/$defs/example-session"}
    fields: dict[str, Schema] = {
        "name": {"type": "string", "description": "in a few words, what it shows"},
        "first": session,
        "then": session,
        "gap_hours": {"type": ["number", "string"]},
        "same_day": _flag("both start on the same local date"),
        "expect": {"enum": list(EXPECTED)},
        **{shape: {"$ref": f"#/$defs/{shape}-example"} for shape in _SHAPES},
        "held": {"type": "object", "additionalProperties": _AMOUNT},
    }
    assert set(PAIR_EXAMPLE_FIELDS) <= set(fields) and set(ATHLETE_OF_EXAMPLES) <= set(features_of("athlete"))
    return fields
