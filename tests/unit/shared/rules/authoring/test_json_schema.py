"""The JSON Schema of rule files accepts what the loader accepts, and refuses what it refuses for its structure."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.located_yaml.nodes import plain
from shared.rules.authoring.json_schema import rule_file_schema
from shared.rules.errors import Mistakes, RuleFileErrors
from shared.rules.reading.loader import load_texts, read_tree
from shared.rules.rule_texts import RuleText
from shared.rules.vocabulary import BUILTIN_WORDS
from tests.fuzz.sound import grown_sound, guesses_mended

SCHEMA = rule_file_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
FREE_NAMES = ("words", "settings", "override", "held", "require")
"""Tables whose names are not the schema's to know, or whose values depend on the rule's shape."""
PACKS = 8


def _told(text: str) -> list[str]:
    try:
        load_texts([RuleText("pack.yaml", text.encode())], [])
    except RuleFileErrors as errors:
        return [error.message for error in errors.errors]
    return []


def _sound(number: int) -> Any:
    """A generated pack that loads, as plain data."""
    text = grown_sound(random.Random(number))
    text = guesses_mended(text, iter(_told(text)))
    assert not _told(text)
    tree = read_tree(RuleText("pack.yaml", text.encode()), Mistakes())
    assert tree is not None
    return plain(tree)


def _places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every table and list below the top, except those with free names."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, dict | list):
            if key not in FREE_NAMES:
                yield (*path, key)
            if key != "require":
                yield from _places(value, (*path, key))


def _slips(pack: dict[str, Any], dice: random.Random) -> Iterator[tuple[str, Any]]:
    """The pack with one structural slip each."""
    places = list(_places(pack))
    for path in dice.sample(places, min(4, len(places))):
        *above, last = path
        for kind in ("another type", "an unknown name", "empty"):
            copy = json.loads(json.dumps(pack))
            parent = copy
            for key in above:
                parent = parent[key]
            there = parent[last]
            if kind == "another type":
                parent[last] = 7 if isinstance(there, dict) else {"any": "thing"}
            elif kind == "an unknown name" and isinstance(there, dict):
                there["no such name"] = 1
            elif kind == "empty" and isinstance(there, list) and path != ("rules",):
                there.clear()
            else:
                continue
            yield f"{kind} at {path}", copy
    for name in ("id", "title", "when", "because", "examples"):
        copy = json.loads(json.dumps(pack))
        del copy["rules"][0][name]
        yield f"a rule without {name}", copy
    for name in ("id", "version", "kind"):
        yield f"a pack without {name}", {key: value for key, value in pack.items() if key != name}


@pytest.mark.parametrize("number", range(PACKS))
def test_schema_and_loader_accept_and_refuse_alike(number: int) -> None:
    pack = _sound(number)
    assert VALIDATOR.is_valid(pack), next(VALIDATOR.iter_errors(pack)).message
    for slip, broken in _slips(pack, random.Random(number)):
        assert _told(json.dumps(broken)), f"the loader takes {slip}"
        assert not VALIDATOR.is_valid(broken), f"the schema takes {slip}"


def test_completion_offers_words_features_and_amounts_in_the_unit_that_fits() -> None:
    defined = SCHEMA["$defs"]
    assert defined["sessions"]["anyOf"][0]["examples"] == list(BUILTIN_WORDS)
    assert defined["feature-run_gap_hours"]["anyOf"][0]["examples"][0] == "less than 24 h"
    assert all(amount.endswith("%") for amount in defined["feature-mileage_of_peak"]["anyOf"][0]["examples"])
    assert "strength" in defined["feature-priority"]["anyOf"][0]["enum"]
    assert "weeks_since_deload" in defined["athlete-features"]["properties"]
