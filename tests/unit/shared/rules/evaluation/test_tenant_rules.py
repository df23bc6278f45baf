"""What domain code is told: the rules that fire, as their modes let them act."""

from datetime import date, timedelta

import pytest

from shared.rules.evaluation.evaluators import choose_evaluator
from shared.rules.evaluation.prepared import prepare
from shared.rules.evaluation.tenant_rules import NoSuchPack, TenantRules
from shared.rules.model import All, AnyOf, Leaf, Not, Setting
from shared.rules.observer import Observer
from tests.unit.shared.rules.packs import pack, rule

SHORT = Leaf("gap_hours", "<", 24.0)


class Seen(Observer):
    def __init__(self):
        self.watching = []

    def watched(self, pack, rule):
        self.watching.append((pack, rule))


@pytest.fixture(params=["durable-rules", "reference"])
def opened(request):
    chosen = choose_evaluator(request.param, observer=Seen())
    yield lambda *packs: TenantRules(prepare({one.kind: one for one in packs}, chosen), chosen)
    chosen.close()


def ids(fired):
    return [one.id for one in fired]


def test_rules_that_fire_come_in_the_packs_order_with_what_was_measured(opened):
    rules = opened(
        pack(
            [
                rule("day-gap", SHORT, shape="pair", limit={"gap_hours": 24.0}),
                rule("never", AnyOf(())),
                rule("half-day-gap", Leaf("gap_hours", "<", 12.0), shape="pair", limit={"gap_hours": 12.0}),
            ]
        )
    )
    near, far, unknown = rules.decide("sequencing", [{"gap_hours": 6}, {"gap_hours": 24.0}, {}])
    assert ids(near) == ["day-gap", "half-day-gap"]
    assert near[0].measured == {"gap_hours": 6.0}
    assert near[0].decided_by.as_json() == {
        "pack": "test.sequencing",
        "version": "1.0.0",
        "hash": rules.pack("sequencing").hash[:12],
        "rule": "day-gap",
        "severity": "hard",
    }
    assert far == unknown == ()


def test_a_watched_rule_is_seen_but_not_served(opened):
    rules = opened(pack([rule("trial", SHORT, mode="watch"), rule("real", SHORT)]))
    assert ids(rules.decide("sequencing", [{"gap_hours": 1.0}])[0]) == ["real"]
    assert rules._evaluator.observer.watching == [("test.sequencing", "trial")]


def test_a_hard_rule_in_warn_acts_softly(opened):
    rules = opened(pack([rule("trial", SHORT, mode="warn"), rule("priced", SHORT, mode="warn", penalty=7.0)]))
    (fired,) = rules.decide("sequencing", [{"gap_hours": 1.0}])
    assert [(one.rule.severity, one.rule.penalty, one.decided_by.severity) for one in fired] == [
        ("soft", 100.0, "soft"),
        ("soft", 7.0, "soft"),
    ]


def test_allow_cancels_soft_rules_only(opened):
    allow = rule("easy-is-fine", Leaf("then_type", "==", "easy"), outcome="allow", severity="soft")
    soft = rule("prefer-a-day", SHORT, severity="soft", penalty=5.0)
    trial = rule("trial", SHORT, mode="warn")
    hard = rule("a-day", SHORT)
    rules = opened(pack([allow, soft, trial, hard]))
    easy, long = rules.decide(
        "sequencing", [{"gap_hours": 1.0, "then_type": "easy"}, {"gap_hours": 1.0, "then_type": "long"}]
    )
    assert ids(easy) == ["trial", "a-day"]
    assert ids(long) == ["prefer-a-day", "trial", "a-day"]


def test_a_watched_allow_cancels_nothing(opened):
    allow = rule("easy-is-fine", SHORT, outcome="allow", severity="soft", mode="watch")
    rules = opened(pack([allow, rule("prefer-a-day", SHORT, severity="soft", penalty=5.0)]))
    assert ids(rules.decide("sequencing", [{"gap_hours": 1.0}])[0]) == ["prefer-a-day"]


def test_settings_are_plain_values(opened):
    rules = opened(pack([], "recovery", edge=Setting("edge", 0.8, unit="ratio")))
    assert rules.settings("recovery") == {"edge": 0.8}
    assert rules.decide("recovery", [{"anything": 1.0}]) == [()]


def test_a_pack_that_is_not_there_is_named(opened):
    with pytest.raises(NoSuchPack, match="no deload pack is in force"):
        opened().decide("deload", [])


MONDAY = date(2026, 3, 2)


def days(values, feature="hrv_low"):
    return {MONDAY + timedelta(days=n): {feature: value} for n, value in enumerate(values) if value != "absent"}


LOW = Leaf("hrv_low", "==", True, 3)


@pytest.mark.parametrize(
    ("values", "fires_on"),
    [
        ([True, True, True], [2]),
        ([True, True, False, True, True, True, True], [5, 6]),
        ([True, None, True, True], []),
        ([True, "absent", True, True, True], [4]),
        ([True, True], []),
    ],
)
def test_a_lasting_rule_looks_back_over_consecutive_known_days(opened, values, fires_on):
    rules = opened(pack([rule("low", LOW, shape="athlete", outcome="deload")], "deload"))
    asked = [MONDAY + timedelta(days=n) for n in range(len(values))]
    answers = rules.decide_days("deload", days(values), asked)
    assert list(answers) == asked
    assert [n for n, day in enumerate(asked) if answers[day]] == fires_on


def test_thresholds_of_one_feature_last_separately(opened):
    mild = rule("mild", Leaf("effort_drift", ">=", 1.5, 3), shape="athlete")
    steep = rule("steep", Leaf("effort_drift", ">=", 3.0, 2), shape="athlete")
    rules = opened(pack([mild, steep], "deload"))
    history = days([1.5, 2.0, 3.0, 3.0], "effort_drift")
    answers = rules.decide_days("deload", history, list(history))
    assert [ids(answer) for answer in answers.values()] == [[], [], ["mild"], ["mild", "steep"]]


def test_not_lasting_is_known_only_when_a_day_without_is_known(opened):
    rules = opened(pack([rule("well", All((Not(LOW), Leaf("fit", "==", True))), shape="athlete")], "deload"))
    history = {day: {**facts, "fit": True} for day, facts in days([None, True, True, False]).items()}
    answers = rules.decide_days("deload", history, list(history))
    assert [bool(answer) for answer in answers.values()] == [False, False, False, True]
    # On the third day the first is unknown, so nobody can say that HRV has not been low for three days.
