"""Conditions as functions say what the definition says, on whatever rules and facts there may be."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.rules.evaluation.closures import known_not_to_hold, known_to_hold
from shared.rules.evaluation.evaluators import ConditionSet, choose_evaluator
from shared.rules.evaluation.reference_evaluator import holds
from shared.rules.evaluation.shortlist import DRAWERS, Shortlist, needed_words
from shared.rules.model import All, AnyOf, Leaf, Not
from tests.unit.shared.rules.evaluation.test_evaluators_agree import conditions, facts


@settings(max_examples=200, deadline=None)
@given(conditions, st.lists(facts, min_size=1, max_size=10))
def test_the_functions_are_the_definition(condition, questions):
    holds_known, fails_known = known_to_hold(condition), known_not_to_hold(condition)
    for question in questions:
        assert (holds_known(question), fails_known(question)) == (
            holds(condition, question) is True,
            holds(condition, question) is False,
        )


@settings(max_examples=100, deadline=None)
@given(st.lists(conditions, min_size=1, max_size=8), st.lists(facts, min_size=1, max_size=20))
def test_the_shortlist_leaves_out_only_what_cannot_hold(rules, questions):
    shortlist = Shortlist(rules)
    for question in questions:
        fired = [at for at, known in shortlist.of(question) if known(question)]
        assert fired == [at for at, rule in enumerate(rules) if holds(rule, question) is True]


def test_the_shortlist_goes_by_the_words_that_rules_need():
    lift_run = All((Leaf("first", "==", "lift"), Leaf("then", "==", "run"), Leaf("gap", "<", 6.0)))
    run_first = All((Leaf("first", "==", "run"), AnyOf((Leaf("then", "==", "lift"), Leaf("then", "==", "run")))))
    anything = Not(Leaf("first", "==", "other"))
    assert needed_words(lift_run) == {"first": {"lift"}, "then": {"run"}}
    assert needed_words(run_first) == {"first": {"run"}, "then": {"lift", "run"}}
    assert needed_words(anything) == {}
    shortlist = Shortlist([lift_run, run_first, anything])
    assert [at for at, _ in shortlist.of({"first": "lift", "then": "run"})] == [0, 2]
    assert [at for at, _ in shortlist.of({"first": "run", "then": "run"})] == [1, 2]
    assert [at for at, _ in shortlist.of({"first": None})] == [2]


def test_words_without_number_do_not_fill_the_memory():
    shortlist = Shortlist([All((Leaf("a", "==", "x"), Leaf("b", "==", "y")))])
    for n in range(3 * DRAWERS):
        assert shortlist.of({"a": f"word {n}", "b": "y"}) == ()
    assert [at for at, _ in shortlist.of({"a": "x", "b": "y"})] == [0]
    assert len(shortlist._drawers) == DRAWERS


def test_nothing_is_shared_between_conditions_that_python_takes_for_equal():
    one, true, questions = Leaf("f", "==", 1.0), Leaf("f", "==", True), [{"f": 1.0}, {"f": True}, {"f": 1}]
    assert one == true
    evaluator = choose_evaluator("reference")
    answers = [evaluator.which_hold(ConditionSet.of("p", [it], ["r"]), questions) for it in (one, true)]
    assert answers == [[(0,), (), (0,)], [(), (0,), ()]]
