"""What is made of a rule is made once: for all tenants who leave it alone, and for the next version of its file."""

import gc
import random

from benchmarks.rules.random_packs import random_conditions, random_facts
from shared.located_yaml.collector import gc_paused
from shared.rules.caching import Memoized, interned
from shared.rules.evaluation.closures import known_to_hold
from shared.rules.evaluation.evaluators import ConditionSet, choose_evaluator
from shared.rules.evaluation.prepared import prepare
from shared.rules.evaluation.reference_evaluator import holds
from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.model import All, AnyOf, Leaf, Not
from tests.unit.shared.rules.packs import pack, rule
from tests.unit.shared.rules.rule_texts import GAP_RULE, only_pack, pack_text

OTHER_RULE = GAP_RULE.replace("id: gap", "id: other")
WORDS = "words:\n  a lift: {kind: lift}\n"
TENANT = 'id: acme.sequencing\nversion: "1.0.0"\nextends: base.sequencing@1\n'
EIGHT = TENANT + "override:\n  gap: {when: {gap: less than 8 h}, because: athletes commute}\n"


def test_a_tenant_shares_the_rules_that_it_leaves_alone():
    text = pack_text(GAP_RULE + OTHER_RULE)
    base, tenant = only_pack(text), only_pack(text, EIGHT)
    assert [one.id for one in tenant.rules] == ["gap", "other"]
    assert tenant.rules[1] is base.rules[1]
    assert tenant.rules[0].limit == {"gap_hours": 8.0}


def test_a_tenants_word_is_its_own():
    text = pack_text(GAP_RULE.replace("first: any lift", "first: a lift"), before_rules=WORDS)
    tenant = TENANT + "words:\n  a lift: {kind: lift, region: lower}\n"
    light = {"first_kind": "lift", "first_region": "upper", "then_kind": "run", "gap_hours": 1.0}
    answers = [holds(only_pack(text, over).rules[0].when, light) for over in (None, tenant, None)]
    assert answers == [True, False, True]


def test_an_unchanged_pack_is_the_very_same_and_a_changed_one_is_not():
    assert only_pack(pack_text()) is only_pack(pack_text())
    changed = only_pack(pack_text(GAP_RULE.replace("6 h", "5.5 h")))
    assert changed.rules[0].limit == {"gap_hours": 5.5}


def test_a_rule_that_comes_back_in_another_file_brings_its_condition_along():
    before = only_pack(pack_text())
    after = only_pack("# saved again\n" + pack_text())
    assert after is not before
    assert after.rules[0].when is before.rules[0].when


def test_conditions_that_python_takes_for_equal_are_kept_apart():
    leaves = [Leaf("f", "==", value) for value in (1.0, True, "1.0", "True", 0.0, False)]
    trees = [
        made(leaf) for leaf in leaves for made in (lambda it: it, Not, lambda it: All((it,)), lambda it: AnyOf((it,)))
    ]
    found = [interned(tree) for tree in trees]
    assert len({id(tree) for tree in found}) == len(trees)
    assert all(interned(tree) is same for tree, same in zip(trees, found, strict=True))
    assert interned(All((Leaf("f", "==", 1.0),))) is found[2]


def test_what_is_remembered_is_bounded_and_made_anew_when_forgotten():
    made = []
    remembered = Memoized(lambda it: made.append(it) or len(made), limit=2)
    one, two, three = ["one"], ["two"], ["three"]
    assert [remembered(it) for it in (one, two, one, three, one, two)] == [1, 2, 1, 3, 1, 4]
    assert made == [one, two, three, two]


def test_a_conflict_table_asks_only_about_pairs_it_does_not_know():
    evaluator = choose_evaluator("reference")
    near = All((Leaf("first_kind", "==", "lift"), Leaf("then_kind", "==", "run"), Leaf("gap_hours", "<", 6.0)))
    rules = TenantRules(prepare({"sequencing": pack([rule("near", near, shape="pair")])}, evaluator), evaluator)
    lift, run, swim = {"kind": "lift"}, {"kind": "run"}, {"kind": "other"}

    def asked():
        return evaluator.statistics().reference_decisions

    first = rules.conflict_table([lift, run], {})
    assert asked() == 4
    assert rules.conflict_table([lift, run], {}) == first
    assert asked() == 4
    with_swim = rules.conflict_table([lift, swim, run], {})
    assert asked() == 9
    assert with_swim[0, 2] == first[0, 1] != ()
    assert with_swim[0, 1] == ()


def test_the_collector_is_only_paused():
    assert gc.isenabled()
    with gc_paused():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with gc_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_soaks_packs_are_repeatable_and_meet_their_facts():
    """The long comparison is ``make soak``; this is its first thousand decisions."""
    dice, again = random.Random(5), random.Random(5)
    packs = [random_conditions(dice) for _ in range(20)]
    assert packs == [random_conditions(again) for _ in range(20)]
    evaluator = choose_evaluator("durable-rules")
    fired = 0
    for rules in packs:
        questions = [random_facts(dice) for _ in range(20)]
        asked = ConditionSet.of("random", rules, [str(at) for at in range(len(rules))])
        expected = [tuple(at for at, one in enumerate(rules) if holds(one, facts) is True) for facts in questions]
        functions = [known_to_hold(one) for one in rules]
        assert evaluator.by_engine(asked, questions) == expected
        assert [tuple(at for at, one in enumerate(functions) if one(facts)) for facts in questions] == expected
        fired += sum(map(len, expected))
    evaluator.close()
    assert fired > 100


def test_tenants_who_ask_the_same_share_what_is_compiled_and_are_not_cross_checked_again():
    base = pack_text(GAP_RULE.replace("severity: hard", "severity: soft"))
    evaluator = choose_evaluator("durable-rules")
    try:
        made = []
        for penalty in (5, 6):
            text = TENANT + f"override:\n  gap: {{penalty: {penalty}, because: ours}}\n"
            made.append(prepare({"sequencing": only_pack(base, text)}, evaluator)["sequencing"])
            if penalty == 5:
                starts, worker = evaluator.worker.starts, evaluator.worker
                evaluator.worker.close()
        assert worker.starts == starts == 1, "nobody was asked for the second"
    finally:
        evaluator.close()
    assert [one.pack.rules[0].penalty for one in made] == [5.0, 6.0]
    assert made[0].condition_set.compiled is made[1].condition_set.compiled
    assert made[0].pairs.condition_set.compiled is made[1].pairs.condition_set.compiled
