"""Lint findings are exact: each kind on the smallest pack that shows it, and none on a sound one."""

import itertools
from time import process_time

import pytest

from shared.rules.authoring.lint import lint, lint_tenant
from shared.rules.authoring.situations import situations
from shared.rules.evaluation.reference_evaluator import holds
from shared.rules.model import All, AnyOf, Leaf, Not
from shared.rules.vocabulary import FEATURES, features_of
from tests.unit.shared.rules.rule_texts import GAP_RULE, mistakes_of, only_pack, pack_text

SOURCE = "  source: common sense\n"
BOUNDARY = """\
    - name: six hours
      first: {kind: lift, region: lower, effort: heavy, end: Mon 08:00}
      then: {kind: run, type: easy, duration: 40 min, start: Mon 14:00}
      expect: ok
"""
SOUND = GAP_RULE + BOUNDARY + SOURCE
TENANT = 'id: acme.sequencing\nversion: "1.0.0"\nextends: base.sequencing@1\noverride:\n  gap: '


def _codes(rules: str) -> list[tuple[str, str]]:
    return [(finding.rule, finding.code) for finding in lint(only_pack(pack_text(rules)))]


def _second(*changes: tuple[str, str]) -> str:
    rule = SOUND.replace("id: gap", "id: other")
    for old, new in changes:
        assert old in rule
        rule = rule.replace(old, new)
    return rule


def test_a_sound_rule_has_no_findings() -> None:
    assert _codes(SOUND) == []


def test_a_threshold_without_an_example_on_it_and_a_missing_source() -> None:
    assert _codes(GAP_RULE) == [("gap", "no-boundary-example"), ("gap", "no-source")]


def test_a_rule_that_can_never_fire() -> None:
    dead = _second(("gap: less than 6 h", "gap: at least 30 h, same day: true"), ("violates", "ok"))
    assert _codes(dead) == [("other", "never-fires")]


def test_a_hard_rule_inside_another_is_redundant() -> None:
    inner = _second(("first: any lift", "first: {kind: lift, region: lower}"))
    assert _codes(SOUND + inner) == [("other", "redundant")]


def test_a_soft_rule_inside_a_hard_one_is_shadowed_and_one_beyond_it_is_not() -> None:
    soft = _second(("severity: hard", "severity: soft"))
    assert _codes(SOUND + soft) == [("other", "shadowed")]
    wider = _second(("severity: hard", "severity: soft"), ("less than 6 h", "less than 8 h"), ("14:00", "16:00"))
    assert _codes(SOUND + wider) == []


def test_an_allow_rule_that_allows_nothing() -> None:
    allow = _second(("forbid: true", "allow: true"), ("  severity: hard\n", ""))
    codes = _codes(SOUND + allow)
    assert ("other", "allow-without-effect") in codes


def test_what_a_tenant_does_to_the_base() -> None:
    base = only_pack(pack_text(SOUND))

    def findings(override: str) -> list[str]:
        return [finding.code for finding in lint_tenant(base, only_pack(pack_text(SOUND), TENANT + override))]

    assert findings("{off: true, because: x}\n") == ["switched-off"]
    assert findings("{when: {gap: less than 5 h}, because: x}\n") == ["loosened"]
    assert findings("{severity: soft, because: x}\n") == ["loosened"]
    assert findings("{when: {gap: less than 7 h}, because: x}\n") == []
    assert findings("{because: x}\n") == ["changes-nothing"]


def test_situations_tell_apart_all_that_a_condition_tells_apart() -> None:
    """Against a dense grid: every combination of answers found there is among the situations, and no other."""
    condition = All(
        (
            AnyOf((Leaf("runs", "<", 2.0), Leaf("runs", ">=", 5.0))),
            Not(Leaf("easy_share", ">", 0.8)),
            Leaf("priority", "==", "strength"),
        )
    )
    parts = [Leaf("runs", "<", 2.0), Leaf("runs", ">=", 5.0), Leaf("easy_share", ">", 0.8), condition]
    grid = itertools.product([n / 2 for n in range(16)], [n / 20 for n in range(21)], ["strength", "balanced"])
    dense = {
        tuple(holds(part, {"runs": runs, "easy_share": share, "priority": priority}) for part in parts)
        for runs, share, priority in grid
    }
    found = [tuple(holds(part, facts) for part in parts) for facts in situations([condition], "week")]
    assert set(found) == dense
    assert len(found) <= 12


def test_situations_of_a_pair_are_consistent_sessions() -> None:
    for facts in situations([Leaf("first_type", "==", "long"), Leaf("then_effort", "==", "max")], "pair"):
        assert ("first_type" in facts) is (facts["first_kind"] == "run")
        assert ("then_effort" in facts) is (facts["then_kind"] == "lift")
        assert not (facts["same_day"] is True and float(facts["gap_hours"] or 0) >= 24)


def test_rules_with_too_many_situations_are_said_to_be_so_and_soon() -> None:
    features = [name for name in features_of("athlete") if FEATURES[name].type == "number"][:20]
    asked = ", ".join(f"{name}: at least 0.5" for name in features)
    shown = ", ".join(f"{name}: 1" for name in features)
    rules = "".join(
        f"- id: {name}\n  title: A rule about everything\n  when: {{athlete: {{{asked}}}}}\n"
        f"  gate: {{intensity: easy}}\n  because: It is so.\n  source: nobody\n"
        f"  examples:\n    - {{name: all high, athlete: {{{shown}}}, expect: fires}}\n"
        for name in ("one", "two")
    )
    began = process_time()
    assert [(found.rule, found.code) for found in lint(only_pack(pack_text(rules, "recovery")))] == [
        ("one", "too-wide"),
        ("two", "too-wide"),
    ]
    assert process_time() - began < 5.0


@pytest.mark.parametrize(
    ("change", "how"),
    [
        ("mode: warn", "mode enforce becomes warn"),
        ("when: {gap: less than 4 h}", "gap: 6 h becomes 4 h"),
        ("unless: {first: {key: true}}", "looks at: first key yes"),
    ],
)
def test_a_loosened_rule_is_told_with_what_was_loosened(change: str, how: str) -> None:
    header = 'id: acme.sequencing\nversion: "1.0.0"\nextends: base.sequencing@1\n'
    base = only_pack(pack_text())
    tenant = only_pack(pack_text(), f"{header}override:\n  gap: {{{change}, because: x}}\n")
    (finding,) = lint_tenant(base, tenant)
    assert finding.code == "loosened"
    assert finding.message.startswith("a hard rule of the base is loosened for the tenant: " + how)


def test_an_empty_override_is_a_slip() -> None:
    text = 'id: acme.sequencing\nversion: "1.0.0"\nextends: base.sequencing@1\noverride:\n  gap: {}\n'
    (mistake,) = mistakes_of(pack_text(), text)
    assert "the override changes nothing; say what shall differ" in mistake.message
