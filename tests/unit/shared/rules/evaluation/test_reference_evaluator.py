"""The reference evaluator: three answers, either order, explanations that name what settled it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.evaluation.evaluators import choose_evaluator
from shared.rules.evaluation.explain import explain
from shared.rules.evaluation.prepared import prepare
from shared.rules.evaluation.reference_evaluator import holds
from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.model import All, AnyOf, Condition, Facts, Fired, Leaf, Not, Pack, Scalar
from tests.unit.shared.rules.rule_texts import DELOAD_RULE, only_pack, pack_text

GAP = Leaf("gap_hours", "<", 6.0)
KIND = Leaf("first_kind", "==", "lift")
KEY = Leaf("first_key", "==", True)

leaves = st.sampled_from([GAP, KIND, KEY, Leaf("then_type", "!=", "easy"), Leaf("easy_share", ">=", 0.8)])
conditions: st.SearchStrategy[Condition] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    ),
    max_leaves=12,
)
known_facts = st.fixed_dictionaries(
    {
        "gap_hours": st.floats(0, 48),
        "first_kind": st.sampled_from(["run", "lift", "other"]),
        "first_key": st.booleans(),
        "then_type": st.sampled_from(["easy", "tempo"]),
        "easy_share": st.floats(0, 1),
    }
)
hidden = st.sets(st.sampled_from(["gap_hours", "first_kind", "first_key", "then_type", "easy_share"]))


@pytest.mark.parametrize(
    ("leaf", "known", "answer"),
    [
        (GAP, 5.9, True), (GAP, 6.0, False), (GAP, 6, False), (GAP, None, None), (GAP, float("nan"), None),
        (GAP, "5", None), (GAP, True, None), (KIND, "lift", True), (KIND, "run", False), (KIND, 1.0, None),
        (KEY, False, False), (KEY, 1.0, None), (KEY, "true", None),
    ],
)  # fmt: skip
def test_a_comparison_never_takes_one_type_for_another(leaf: Leaf, known: Scalar | None, answer: bool | None) -> None:
    assert holds(leaf, {leaf.feature: known}) is answer


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        (All((GAP, KIND)), None), (All((GAP, Leaf("same_day", "==", False))), False), (AnyOf((GAP, KIND)), None),
        (AnyOf((GAP, Leaf("same_day", "==", True))), True), (Not(GAP), None), (All(()), True), (AnyOf(()), False),
    ],
)  # fmt: skip
def test_what_is_unknown_is_neither_true_nor_false(condition: Condition, answer: bool | None) -> None:
    assert holds(condition, {"same_day": True}) is answer


@given(conditions, known_facts, hidden)
def test_an_answer_given_with_less_known_stands_when_more_is_known(
    condition: Condition, facts: dict[str, Scalar], unknown: set[str]
) -> None:
    partial = {name: value for name, value in facts.items() if name not in unknown}
    answer = holds(condition, partial)
    whole = holds(condition, facts)
    assert whole is not None
    assert answer is None or answer is whole


@given(conditions, known_facts, hidden)
def test_not_turns_the_answer_and_keeps_the_unknown(
    condition: Condition, facts: dict[str, Scalar], unknown: set[str]
) -> None:
    partial = {name: value for name, value in facts.items() if name not in unknown}
    answer = holds(condition, partial)
    assert holds(Not(condition), partial) is (None if answer is None else not answer)


sessions = st.one_of(
    st.fixed_dictionaries({"kind": st.just("run"), "type": st.sampled_from(["easy", "long", "tempo"])}),
    st.fixed_dictionaries(
        {
            "kind": st.just("lift"),
            "region": st.sampled_from(["lower", "upper"]),
            "effort": st.sampled_from(["light", "heavy"]),
        }
    ),
    st.fixed_dictionaries({"kind": st.just("other"), "mode": st.just("walk")}),
)


def _question(first: Facts, then: Facts, gap: float) -> Facts:
    pair = {f"first_{name}": value for name, value in first.items()}
    return {**pair, **{f"then_{name}": value for name, value in then.items()}, "gap_hours": gap, "same_day": True}


def fire(pack: Pack, facts: Facts) -> tuple[Fired, ...]:
    evaluator = choose_evaluator("reference")
    return TenantRules(prepare({pack.kind: pack}, evaluator), evaluator).decide(pack.kind, [facts])[0]


@given(sessions, sessions, st.floats(0, 12))
def test_either_order_answers_the_same_both_ways(first: Facts, then: Facts, gap: float) -> None:
    pack = only_pack(pack_text())
    one = [fired.id for fired in fire(pack, _question(first, then, gap))]
    assert one == [fired.id for fired in fire(pack, _question(then, first, gap))]
    assert (one == ["gap"]) is ({first["kind"], then["kind"]} == {"lift", "run"} and gap < 6)


def test_a_fired_rule_carries_limit_measurement_and_its_pack() -> None:
    pack = only_pack(pack_text())
    (fired,) = fire(pack, _question({"kind": "lift"}, {"kind": "run"}, 5.0))
    assert fired.rule.limit == {"gap_hours": 6.0}
    assert fired.measured == {"gap_hours": 5.0}
    assert fired.decided_by.as_json() == {
        "pack": "base.sequencing", "version": "1.2.3", "hash": pack.hash[:12], "rule": "gap", "severity": "hard",
    }  # fmt: skip


def test_require_fires_where_the_requirement_is_not_met() -> None:
    rule = """\
    - id: share
      title: Mostly easy
      severity: soft
      penalty: 40
      when: {week: {run_minutes: more than 0}}
      require: {easy_share: at least 80 %}
      because: Base.
      examples:
        - {name: too hard, week: {run_minutes: 100, easy_share: 79 %}, expect: violates}
        - {name: easy enough, week: {run_minutes: 100, easy_share: 80 %}, expect: ok}
    """
    pack = only_pack(pack_text(rule))
    assert [fired.measured for fired in fire(pack, {"run_minutes": 10.0, "easy_share": 0.5})] == [{"easy_share": 0.5}]
    assert pack.rules[0].limit == {"easy_share": 0.8}
    assert holds(pack.rules[0].when, {"run_minutes": 10.0}) is None
    assert fire(pack, {"run_minutes": 10.0}) == ()


def test_why_and_why_not_name_the_comparison_and_the_margin() -> None:
    rule = only_pack(pack_text()).rules[0]
    silent = explain(rule, _question({"kind": "lift"}, {"kind": "run"}, 22.0))
    assert (silent.answer, silent.text) == (False, "gap 22 h, needs less than 6 h")
    assert silent.causes[0].margin == 16.0
    fires = explain(rule, _question({"kind": "lift"}, {"kind": "run"}, 4.0))
    assert fires.answer is True
    assert "gap 4 h (less than 6 h)" in fires.text
    unknown = explain(rule, {**_question({"kind": "lift"}, {"kind": "run"}, 4.0), "gap_hours": None})
    assert (unknown.answer, unknown.text) == (None, "gap is unknown")


def test_lasting_conditions_read_their_days_from_the_example() -> None:
    rule = DELOAD_RULE.replace("{weeks_since_deload: at least 3}", "{hrv_low: true, for: at least 3 days}").replace(
        "athlete: {weeks_since_deload: 3}", "athlete: {hrv_low: true}, held: {hrv_low: 3 days}"
    )
    assert only_pack(pack_text(rule, "deload")).rules[0].when == Leaf("hrv_low", "==", True, 3)
