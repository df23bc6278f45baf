"""Subtle defects that lint sees, each beside its sound counterpart, in which it sees nothing."""

import pytest

from shared.rules.authoring.lint import lint
from tests.unit.shared.rules.rule_texts import only_pack, pack_text

PAIR = "{first: any run, then: any lift, gap: less than %s}"
IN_WEEK = "{week: {runs: at least 1}}"
OUTCOMES = {
    "sequencing": "forbid: true",
    "recovery": "gate: {intensity: easy}",
    "periodization": "set: {priority: strength}",
    "deload": "deload: {sets: -40 %, for: 7 days}",
}


def _rule(name: str, when: str, outcome: str, severity: str | None = None, unless: str | None = None) -> str:
    shape = next(shape for shape in ("first", "week", "athlete", "season") if when.startswith("{" + shape))
    example = f"{shape}: {{}}, expect: silent"
    if shape == "first":
        rowing = "{kind: other, mode: row}"
        example = f"first: {rowing}, then: {rowing}, gap_hours: 300, same_day: false, expect: ok"
    lines = [f"id: {name}", f"title: {name}", f"when: {when}", outcome, "because: x", "source: x"]
    lines += [f"severity: {severity}"] if severity else []
    lines += [f"unless: {unless}"] if unless else []
    lines.append(f"examples: [{{name: {name}, {example}}}]")
    return "- " + "\n  ".join(lines) + "\n"


def _found(kind: str, *rules: str) -> list[tuple[str, str]]:
    findings = lint(only_pack(pack_text("".join(rules), kind)))
    return [(one.rule, one.code) for one in findings if one.code != "no-boundary-example"]


@pytest.mark.parametrize(
    ("kind", "defect", "sound"),
    [
        ("sequencing", "{week: {rest_days: more than 7}}", "{week: {rest_days: more than 6}}"),
        ("sequencing", "{week: {runs: between 2.2 and 2.8}}", "{week: {runs: between 2.2 and 3.1}}"),
        ("sequencing", "{week: {easy_share: more than 100 %}}", "{week: {easy_share: at least 100 %}}"),
        ("recovery", "{athlete: {score: less than 0}}", "{athlete: {score: at most 0}}"),
        ("recovery", "{athlete: {mood: at least 5.5}}", "{athlete: {mood: at least 5}}"),
    ],
)
def test_a_rule_about_what_cannot_be_never_fires(kind: str, defect: str, sound: str) -> None:
    severity = "hard" if kind == "sequencing" else None
    assert _found(kind, _rule("r", defect, OUTCOMES[kind], severity)) == [("r", "never-fires")]
    assert _found(kind, _rule("r", sound, OUTCOMES[kind], severity)) == []


def test_the_amount_that_cannot_be_is_named() -> None:
    pack = only_pack(pack_text(_rule("r", "{week: {rest_days: more than 7}}", "forbid: true", "hard")))
    assert lint(pack)[0].message.endswith(": 'rest_days' is a whole number from 0 to 7")


@pytest.mark.parametrize(("least", "found"), [(3, [("b", "contradictory")]), (2, [])])
def test_two_requirements_that_no_week_can_meet(least: int, found: list[tuple[str, str]]) -> None:
    one = _rule("a", IN_WEEK, f"require: {{lift_sessions: at least {least}}}", "hard")
    other = _rule("b", IN_WEEK, "require: {lift_sessions: at most 2}", "hard")
    assert _found("sequencing", one, other) == found


@pytest.mark.parametrize(("least", "found"), [(24, [("b", "contradictory")]), (30, [])])
def test_two_bans_that_leave_no_gap(least: int, found: list[tuple[str, str]]) -> None:
    one = _rule("a", PAIR % "24 h", "forbid: true", "hard")
    other = _rule("b", f"{{first: any run, then: any lift, gap: at least {least} h}}", "forbid: true", "hard")
    assert _found("sequencing", one, other) == found


@pytest.mark.parametrize(("hours", "found"), [("6 h", [("b", "redundant")]), ("8 h", [])])
def test_a_soft_rule_that_says_the_same_again(hours: str, found: list[tuple[str, str]]) -> None:
    rules = [_rule("a", PAIR % "6 h", "forbid: true", "soft"), _rule("b", PAIR % hours, "forbid: true", "soft")]
    assert _found("sequencing", *rules) == found


@pytest.mark.parametrize(
    ("kind", "when", "outcome", "wider", "outdoing", "found"),
    [
        ("recovery", "{athlete: {score: at most 33}}", "gate: {intensity: reduced}",
         "{athlete: {score: at most 50}}", "gate: {intensity: easy}", [("a", "shadowed")]),
        ("recovery", "{athlete: {score: at most 33}}", "gate: {intensity: easy}",
         "{athlete: {score: at most 50}}", "gate: {intensity: reduced}", []),
        ("periodization", "{season: {race_week: true}}", "set: {priority: strength}",
         "{season: {race_week: true}}", "set: {priority: endurance}", [("a", "shadowed")]),
        ("periodization", "{season: {race_week: true}}", "set: {priority: strength}",
         "{season: {race_week: true, phase: race}}", "set: {priority: endurance}", []),
        ("deload", "{athlete: {weeks_since_deload: at least 4}}", "deload: {sets: -30 %, for: 7 days}",
         "{athlete: {weeks_since_deload: at least 3}}", "deload: {sets: -40 %, for: 7 days}", [("a", "shadowed")]),
        ("deload", "{athlete: {weeks_since_deload: at least 4}}", "deload: {sets: -50 %, for: 7 days}",
         "{athlete: {weeks_since_deload: at least 3}}", "deload: {sets: -40 %, for: 7 days}", []),
    ],
)  # fmt: skip
def test_a_rule_that_another_always_outdoes(
    kind: str, when: str, outcome: str, wider: str, outdoing: str, found: list[tuple[str, str]]
) -> None:
    assert _found(kind, _rule("a", when, outcome), _rule("b", wider, outdoing)) == found
