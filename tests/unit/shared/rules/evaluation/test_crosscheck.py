"""A pack that the two evaluators read differently must never come into force."""

import pytest

from shared.located_yaml.nodes import Position
from shared.rules.errors import RuleFileErrors
from shared.rules.evaluation.conflict_table import PairRules
from shared.rules.evaluation.crosscheck import AT_LEAST, PER_PACK, PER_RULE, EvaluatorsDisagree, check, questions
from shared.rules.evaluation.durable_compiler import compile_conditions
from shared.rules.evaluation.evaluators import ConditionSet, choose_evaluator
from shared.rules.evaluation.prepared import PreparedPack, prepare
from shared.rules.evaluation.reference_evaluator import compare, holds
from shared.rules.model import All, AnyOf, Example, Leaf, Not
from tests.unit.shared.rules.packs import pack, rule


@pytest.fixture(scope="module")
def evaluator():
    chosen = choose_evaluator("durable-rules")
    yield chosen
    chosen.close()


def answers(condition_leaves, facts):
    return tuple(compare(leaf, facts) for leaf in condition_leaves)


def test_each_combination_of_answers_is_asked_once():
    leaves = [Leaf("gap", "<", 24.0), Leaf("gap", ">=", 6.0), Leaf("type", "==", "long"), Leaf("key", "==", True)]
    asked = [answers(leaves, facts) for facts in questions(All(tuple(leaves)))]
    gaps = {(True, True), (True, False), (False, True), (None, None)}
    assert len(asked) == len(set(asked)) == len(gaps) * 3 * 3


def test_a_rule_with_too_many_combinations_is_asked_on_both_sides_of_every_case():
    cases = [All(tuple(Leaf(f"f{case}{n}", ">=", float(n)) for n in range(4))) for case in range(4)]
    asked = questions(AnyOf(tuple(cases)))
    assert len(asked) == PER_RULE
    for case in cases:
        told = {holds(case, facts) for facts in asked}
        assert told == {True, False, None}


def test_lasting_leaves_are_asked_by_their_derived_fact():
    asked = questions(Leaf("hrv_low", "==", True, 3))
    assert {facts["hrv_low == true for 3 days"] for facts in asked} == {True, False, None}


def test_a_good_pack_passes(evaluator):
    good = ConditionSet.of("good", [Leaf("gap", "<", 24.0), Not(Leaf("type", "==", "long"))], ["a", "b"])
    assert check(good, [{"gap": 1.0}], evaluator) == 1 + 3 + 3


@pytest.mark.parametrize(("at_most", "least", "most"), [(PER_PACK, 500, PER_PACK), (100, 60 * AT_LEAST, 60 * AT_LEAST)])
def test_a_large_pack_is_asked_a_bounded_number_of_questions(evaluator, at_most, least, most):
    rules = [All(tuple(Leaf(f"f{n}{m}", "<", float(n)) for m in range(6))) for n in range(60)]
    large = ConditionSet.of("large", rules, [str(n) for n in range(60)])
    assert least <= check(large, [], evaluator, at_most=at_most) <= most


def test_what_was_found_to_be_read_alike_is_not_asked_about_again(evaluator):
    old, new = Leaf("gap", "<", 30.0), Leaf("gap", "<", 31.0)
    assert check(ConditionSet.of("first", [old], ["a"]), [{"gap": 1.0}], evaluator) == 1 + 3
    assert check(ConditionSet.of("again", [old], ["a"]), [{"gap": 1.0}], evaluator) == 0
    assert check(ConditionSet.of("again", [old], ["a"]), [{"gap": 1.0}, {"gap": True}], evaluator) == 1
    assert check(ConditionSet.of("saved", [old, new], ["a", "b"]), [{"gap": 1.0}], evaluator) == 1 + 3


MISREADINGS = [
    (Leaf("gap", "<", 24.0), Leaf("gap", "<=", 24.0)),
    (Leaf("gap", "<", 24.0), Leaf("gap", "<", 24.000001)),
    (Leaf("type", "==", "long"), Leaf("type", "!=", "race")),
    (All((Leaf("key", "==", True), Leaf("gap", ">", 1.0))), Leaf("key", "==", True)),
    (Not(Leaf("key", "==", True)), All(())),
]


@pytest.mark.parametrize(("meant", "compiled"), MISREADINGS)
def test_an_engine_that_reads_a_rule_differently_is_found_out(evaluator, meant, compiled):
    misread = ConditionSet("bad", (meant,), ("the-rule",), compile_conditions([compiled]))
    with pytest.raises(EvaluatorsDisagree, match=r"pack bad, rule the-rule: the engine says it (fires|is silent)"):
        check(misread, [], evaluator)


def test_an_example_can_give_the_difference_away(evaluator):
    misread = ConditionSet("bad", (All(()),), ("the-rule",), compile_conditions([AnyOf(())]))
    with pytest.raises(EvaluatorsDisagree):
        check(misread, [{"gap": 3.0}], evaluator)


def test_the_pack_is_refused_at_the_rules_place(evaluator):
    meant = rule(
        "day-gap", Leaf("gap", "<", 24.0), position=Position("a.yaml", 7, 5), examples=(Example("x", {}, "silent"),)
    )
    made = PreparedPack.of(pack([meant]))
    misread = ConditionSet(
        "bad", made.condition_set.conditions, made.condition_set.labels, compile_conditions([Leaf("gap", "<=", 24.0)])
    )
    wrong = PreparedPack(made.pack, misread, made.served, made.deciders, made.lasting, PairRules.of("x", ()))
    with pytest.raises(RuleFileErrors, match=r"a\.yaml:7:5: rule day-gap: .*the engine says it fires"):
        wrong.crosscheck(evaluator, 100)


def test_rules_that_cannot_be_compiled_are_all_named_at_their_places(evaluator):
    wide = AnyOf(tuple(Leaf("level", "<", "x") for _ in range(2)))
    bad = [rule(f"r{n}", wide, position=Position("a.yaml", n, 3)) for n in (4, 9)]
    with pytest.raises(RuleFileErrors) as refused:
        prepare({"sequencing": pack([rule("fine", All(())), *bad])}, evaluator)
    assert [(error.line, error.rule) for error in refused.value.errors] == [(4, "r4"), (9, "r9")]
