"""What the engine is given stays within the limits where it was found to be right."""

import json
import re

import pytest

from shared.rules.evaluation.durable_compiler import (
    MAX_RULES,
    ConstantOutOfRange,
    PackTooLarge,
    compile_conditions,
    fixed_point,
)
from shared.rules.model import All, AnyOf, Leaf, Not


def test_rules_are_split_over_handles_each_led_by_its_sentinel():
    compiled = compile_conditions([Leaf("gap", "<", float(n)) for n in range(120)])
    handles = [json.loads(text) for text in compiled.rulesets]
    assert [len(rules) for rules in handles] == [MAX_RULES + 1, MAX_RULES + 1, 120 - 2 * MAX_RULES + 1]
    assert all(next(iter(rules)) == "sentinel" for rules in handles)


def test_every_rule_asks_for_the_kind_of_fact_first_and_for_one_thing_per_leaf():
    words = AnyOf((Leaf("type", "==", "long"), Leaf("type", "==", "race")))
    compiled = compile_conditions([All((Leaf("gap", "<", 24.0), words, Not(Leaf("key", "==", True))))])
    rule = json.loads(compiled.rulesets[0])["r0_0"]["all"][0]["m"]["$and"]
    assert rule[0] == {"_k": "q"}
    assert all(len(leaf) == 1 for leaf in rule)
    assert "$or" in rule[-1], "memberships come last"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (24.0, "24.0"),
        (1e-05, "0.00001"),
        (0.1 + 0.2, "0.30000000000000004"),
        (-0.0, "-0.0"),
        (1e300, "1000000000000000.0"),
        (float("inf"), "1000000000000000.0"),
        (float("-inf"), "-1000000000000000.0"),
        (5e-324, "0.000000000001"),
        (-5e-324, "-0.000000000001"),
        (float("nan"), None),
    ],
)
def test_numbers_are_written_without_exponents(value, written):
    assert fixed_point(value) == written


def test_only_what_the_rules_ask_for_is_passed_on_and_nothing_unknown():
    compiled = compile_conditions([Leaf("gap", "<", 24.0), Leaf("type", "==", "long")])
    body = json.loads("{" + compiled.body({"gap": None, "type": "long", "secret": "x"}) + "}")
    assert list(body.values()) == ["=long"]


def test_words_that_no_rule_knows_are_not_passed_on():
    compiled = compile_conditions([Leaf("type", "==", "long")])
    assert "ride" not in compiled.body({"type": 'ride"}\n\u2603'})


def test_text_is_plain_ascii():
    compiled = compile_conditions([Leaf("type", "==", 'löng "run"\n')])
    assert re.fullmatch(r"[\x20-\x7e]*", compiled.rulesets[0] + compiled.body({"type": 'löng "run"\n'}))


def test_a_fact_of_another_type_is_no_fact():
    compiled = compile_conditions([Leaf("gap", "<", 24.0)])
    assert compiled.body({"gap": "12"}) == compiled.body({"gap": True}) == ""


def test_two_types_of_one_name_and_any_number_of_names_keep_apart():
    leaves = [
        Leaf("a", "<", 1.0),
        Leaf("b", "==", "x"),
        Leaf("a", "==", "x"),
        Leaf("b", "<", 1.0),
        Leaf("c", "==", True),
    ]
    aliases = [alias for channels in compile_conditions(leaves).aliases.values() for alias in channels.values()]
    assert len(aliases) == len(set(aliases)) == 5


@pytest.mark.parametrize("constant", [1e13, -1e13, 1e-10, float("inf"), float("nan")])
def test_constants_that_the_engine_could_misread_are_refused(constant):
    with pytest.raises(ConstantOutOfRange, match="gap"):
        compile_conditions([Leaf("gap", "<", constant)])


def test_a_pack_with_too_many_cases_is_refused():
    with pytest.raises(PackTooLarge, match="at most 1000"):
        compile_conditions([Leaf("gap", "<", float(n)) for n in range(1_001)])


def test_the_key_names_the_content():
    one, same, other = (compile_conditions([Leaf("gap", "<", hours)]) for hours in (24.0, 24.0, 23.0))
    assert one.key == same.key != other.key
