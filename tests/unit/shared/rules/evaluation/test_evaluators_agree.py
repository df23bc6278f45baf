"""Random packs on random facts: the engine in its worker process against the reference evaluator."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.rules.evaluation.evaluators import ConditionSet, choose_evaluator
from shared.rules.model import All, AnyOf, Leaf, Not, derived_feature

NUMBERS = [0.0, -0.0, 6.0, 24.0, -5.5, 0.1 + 0.2, 1 / 3, 1e-09, 1e12, -1e12, 100.0]
NEAR = [*NUMBERS, 23.999999999999996, 24.000000000000004, 5e-324, 1e-300, 1e300, float("inf"), -float("inf"), 7, 24]
WORDS = [
    "long",
    "Long",
    "",
    "?",
    "=long",
    "a b",
    'quo"te',
    "back\\slash",
    "line\nbreak",
    "ünï",
    "\u2603",
    "x" * 300,
    "$or",
]
OTHER_WORDS = [*WORDS, "tempo", "0", "true", "null", '","f0":1,"x":"']
NAMES = ["gap", "load", "type", "mode", "key", "_k", "id", "$and"]
LASTING = [Leaf("load", ">=", 1.5, 3), Leaf("key", "==", True, 2)]

leaves = st.one_of(
    st.builds(
        Leaf, st.sampled_from(NAMES), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.sampled_from(NUMBERS)
    ),
    st.builds(Leaf, st.sampled_from(NAMES), st.sampled_from(["==", "!="]), st.sampled_from(WORDS)),
    st.builds(Leaf, st.sampled_from(NAMES), st.sampled_from(["==", "!="]), st.booleans()),
    st.sampled_from(LASTING),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda parts: All(tuple(parts)), st.lists(inner, max_size=4)),
        st.builds(lambda parts: AnyOf(tuple(parts)), st.lists(inner, max_size=4)),
        st.builds(
            lambda name, words: AnyOf(tuple(Leaf(name, "==", word) for word in words)),
            st.sampled_from(NAMES),
            st.lists(st.sampled_from(WORDS), min_size=2, max_size=5),
        ),
    ),
    max_leaves=12,
)
values = st.one_of(st.none(), st.sampled_from(NEAR), st.sampled_from(OTHER_WORDS), st.booleans(), st.just(float("nan")))
facts = st.dictionaries(st.sampled_from([*NAMES, "other", *map(derived_feature, LASTING)]), values, max_size=9)


@pytest.fixture(scope="module")
def evaluator():
    chosen = choose_evaluator("durable-rules")
    yield chosen
    chosen.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(conditions, min_size=1, max_size=8), st.lists(facts, min_size=1, max_size=40))
def test_the_engine_and_the_reference_say_the_same(evaluator, rules, questions):
    asked = ConditionSet.of("random", rules, [str(n) for n in range(len(rules))])
    expected = [evaluator.by_reference(asked, question) for question in questions]
    assert evaluator.by_engine(asked, questions) == expected
    assert evaluator.statistics().restarts == 0


def test_many_rules_that_all_fire_on_every_fact(evaluator):
    rules = [Leaf("gap", "<", float(n)) for n in range(1, 200)]
    asked = ConditionSet.of("many", rules, [str(n) for n in range(199)])
    answers = evaluator.by_engine(asked, [{"gap": 0.5}, {"gap": 150.0}] * 50)
    assert answers == [tuple(range(199)), tuple(range(150, 199))] * 50


def test_one_rule_with_many_cases_that_all_hold_fires_once(evaluator):
    cases = AnyOf(tuple(All((Leaf("gap", "<", 24.0 + n), Leaf(f"load{n}", ">", 0.0))) for n in range(120)))
    asked = ConditionSet.of("cases", [cases], ["0"])
    assert evaluator.by_engine(asked, [{"gap": 1.0, **{f"load{n}": 1.0 for n in range(120)}}, {"gap": 1.0}]) == [
        (0,),
        (),
    ]
