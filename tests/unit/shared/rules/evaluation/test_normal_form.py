"""Multiplying conditions out must not change what holds, whatever is unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.evaluation.normal_form import (
    MAX_BRANCHES,
    RuleTooComplex,
    UnsupportedComparison,
    branches,
    condition_of,
)
from shared.rules.evaluation.reference_evaluator import holds
from shared.rules.model import All, AnyOf, Condition, Leaf, Not

LEAVES = st.sampled_from(
    [
        Leaf("gap", "<", 24.0),
        Leaf("gap", ">=", 6.0),
        Leaf("type", "==", "long"),
        Leaf("type", "==", "race"),
        Leaf("type", "!=", "easy"),
        Leaf("key", "==", True),
        Leaf("key", "!=", True),
        Leaf("hrv_low", "==", True, 3),
    ]
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda parts: All(tuple(parts)), st.lists(inner, max_size=3)),
        st.builds(lambda parts: AnyOf(tuple(parts)), st.lists(inner, max_size=3)),
    ),
    max_leaves=10,
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "gap": st.sampled_from([None, 5.0, 6.0, 24.0]),
        "type": st.sampled_from([None, "long", "race", "easy", "tempo"]),
        "key": st.sampled_from([None, True, False]),
        "hrv_low == true for 3 days": st.sampled_from([None, True, False]),
    },
)


@given(CONDITIONS, FACTS)
def test_the_branches_hold_exactly_when_the_condition_does(condition, facts):
    by_branch = any(holds(condition_of(branch), facts) is True for branch in branches(condition))
    assert by_branch == (holds(condition, facts) is True)


def test_a_list_of_words_is_one_branch():
    types = AnyOf(tuple(Leaf("type", "==", word) for word in ("tempo", "hills", "race")))
    levels = AnyOf((Leaf("level", "==", "beginner"), Leaf("level", "==", "advanced")))
    (branch,) = branches(All((types, levels)))
    assert {(literal.feature, literal.values) for literal in branch} == {
        ("type", ("hills", "race", "tempo")),
        ("level", ("advanced", "beginner")),
    }


def test_branches_that_ask_for_two_words_at_once_are_dropped():
    assert branches(All((Leaf("type", "==", "long"), Leaf("type", "==", "race")))) == ()
    assert branches(All((Leaf("type", "==", "long"), Not(Leaf("type", "==", "long"))))) == ()


def test_a_branch_covered_by_a_shorter_one_is_dropped():
    low, late = Leaf("gap", "<", 24.0), Leaf("key", "==", True)
    assert len(branches(AnyOf((low, All((low, late)))))) == 1


def test_always_is_one_empty_branch_and_never_is_none():
    assert branches(All(())) == (frozenset(),)
    assert branches(AnyOf(())) == ()


def test_a_condition_with_too_many_cases_says_what_to_do():
    either = [AnyOf((Leaf(f"a{n}", "<", 1.0), Leaf(f"b{n}", "<", 1.0))) for n in range(12)]
    with pytest.raises(RuleTooComplex, match=rf"at most {MAX_BRANCHES} are allowed: split the rule"):
        branches(All(tuple(either)))


def test_words_have_no_order():
    with pytest.raises(UnsupportedComparison, match="level < advanced"):
        branches(Leaf("level", "<", "advanced"))
