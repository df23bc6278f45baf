"""The table must say of every pair, gap and day exactly what the rules say of it when asked directly."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.rules.evaluation.evaluators import choose_evaluator
from shared.rules.evaluation.prepared import prepare
from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.model import All, AnyOf, Leaf, Not
from tests.unit.shared.rules.packs import pack, rule

HEAVY = {"kind": "lift", "region": "lower", "effort": "heavy", "key": False}
LONG = {"kind": "run", "type": "long", "key": True}
EASY = {"kind": "run", "type": "easy", "key": False}
CLASSES = [HEAVY, LONG, EASY, HEAVY]
ATHLETE = {"priority": "strength"}


@pytest.fixture(scope="module", params=["durable-rules", "reference"])
def evaluator(request):
    chosen = choose_evaluator(request.param)
    yield chosen
    chosen.close()


def opened(evaluator, *rules):
    return TenantRules(prepare({"sequencing": pack(rules)}, evaluator), evaluator)


def told(table, first, then):
    return [(one.rule.id, one.gap_from, one.gap_to, one.same_day) for one in table[first, then]]


def pair(first, then):
    earlier = [Leaf(f"first_{name}", "==", value) for name, value in first.items()]
    later = [Leaf(f"then_{name}", "==", value) for name, value in then.items()]
    return All((*earlier, *later))


HEAVY_LONG = pair({"kind": "lift", "effort": "heavy"}, {"type": "long"})


def test_a_gap_rule_becomes_one_interval_for_the_pairs_it_is_about(evaluator):
    table = opened(
        evaluator, rule("a-day", All((HEAVY_LONG, Leaf("gap_hours", "<", 24.0))), shape="pair")
    ).conflict_table(CLASSES, ATHLETE)
    assert told(table, 0, 1) == told(table, 3, 1) == [("a-day", 0.0, 24.0, None)]
    assert set(table) == {(a, b) for a in range(4) for b in range(4)}
    assert sum(map(len, table.values())) == 2


def test_two_sessions_of_one_class_are_a_pair_too(evaluator):
    twice = All((pair(HEAVY, HEAVY), Leaf("gap_hours", "<", 48.0)))
    table = opened(evaluator, rule("two-days", twice, shape="pair")).conflict_table([HEAVY], ATHLETE)
    assert told(table, 0, 0) == [("two-days", 0.0, 48.0, None)]


def test_bounds_that_are_included_end_just_after(evaluator):
    rules = opened(evaluator, rule("a-day", All((HEAVY_LONG, Leaf("gap_hours", "<=", 24.0))), shape="pair"))
    ((_, start, end, _),) = told(rules.conflict_table(CLASSES, ATHLETE), 0, 1)
    assert (start, end) == (0.0, math.nextafter(24.0, math.inf))


def test_same_day_and_athlete_conditions(evaluator):
    same = All((HEAVY_LONG, Leaf("same_day", "==", True), Leaf("priority", "==", "strength")))
    rules = opened(evaluator, rule("same", same, shape="pair"))
    assert told(rules.conflict_table(CLASSES, ATHLETE), 0, 1) == [("same", 0.0, math.inf, True)]
    assert told(rules.conflict_table(CLASSES, {"priority": "endurance"}), 0, 1) == []
    assert told(rules.conflict_table(CLASSES, {}), 0, 1) == []


def test_allow_cuts_its_gaps_out_of_soft_rules_only(evaluator):
    short = Leaf("gap_hours", "<", 24.0)
    soft = rule("soft", All((HEAVY_LONG, short)), shape="pair", severity="soft", penalty=5.0)
    hard = rule("hard", All((HEAVY_LONG, short)), shape="pair")
    warn = rule("warn", All((HEAVY_LONG, short)), shape="pair", mode="warn")
    late = All((HEAVY_LONG, Leaf("gap_hours", ">=", 6.0), Leaf("same_day", "==", True)))
    allow = rule("allow", late, shape="pair", outcome="allow", severity="soft")
    table = opened(evaluator, soft, hard, warn, allow).conflict_table(CLASSES, ATHLETE)
    assert told(table, 0, 1) == [
        ("soft", 0.0, 6.0, True),
        ("soft", 0.0, 24.0, False),
        ("hard", 0.0, 24.0, None),
        ("warn", 0.0, 24.0, None),
    ]
    assert [one.rule.severity for one in table[0, 1]] == ["soft", "soft", "hard", "soft"]


def test_watched_rules_and_rules_about_weeks_are_not_in_it(evaluator):
    watched = rule("watched", HEAVY_LONG, shape="pair", mode="watch")
    table = opened(evaluator, watched, rule("week", All(()), shape="week")).conflict_table(CLASSES, ATHLETE)
    assert not any(table.values())


leaves = st.sampled_from(
    [
        *(Leaf("gap_hours", op, hours) for op in ("<", "<=", ">", ">=", "==", "!=") for hours in (6.0, 24.0)),
        Leaf("same_day", "==", True),
        Leaf("same_day", "!=", True),
        Leaf("first_kind", "==", "lift"),
        Leaf("then_type", "==", "easy"),
        Leaf("then_key", "==", True),
        Leaf("priority", "==", "strength"),
        Leaf("level", "==", "beginner"),
    ]
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda parts: All(tuple(parts)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: AnyOf(tuple(parts)), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)
pair_rules = st.builds(
    lambda when, acts: (when, acts),
    conditions,
    st.sampled_from(
        [
            {"severity": "hard"},
            {"severity": "soft", "penalty": 3.0},
            {"severity": "hard", "mode": "warn"},
            {"severity": "soft", "outcome": "allow"},
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(pair_rules, min_size=1, max_size=4))
def test_the_table_says_what_the_rules_say(evaluator, made):
    rules = opened(evaluator, *(rule(f"r{n}", when, shape="pair", **acts) for n, (when, acts) in enumerate(made)))
    table = rules.conflict_table(CLASSES, ATHLETE)
    calendars = [(gap, same) for gap in (0.0, 5.9, 6.0, 6.1, 23.9, 24.0, 24.1, 100.0) for same in (True, False)]
    for (first, then), conflicts in table.items():
        questions = [
            {
                **ATHLETE,
                **{f"first_{name}": value for name, value in CLASSES[first].items()},
                **{f"then_{name}": value for name, value in CLASSES[then].items()},
                "gap_hours": gap,
                "same_day": same,
            }
            for gap, same in calendars
        ]
        for (gap, same), fired in zip(calendars, rules.decide("sequencing", questions), strict=True):
            by_table = {
                one.rule.id for one in conflicts if one.gap_from <= gap < one.gap_to and one.same_day in (None, same)
            }
            assert by_table == {one.id for one in fired}
