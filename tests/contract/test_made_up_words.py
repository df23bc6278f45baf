"""A closed list stands in one place: a kind of session and an item of the morning that are added there work throughout.

The tree is copied and its contract gets the kind ``climb`` and the item ``calmness``; the shipped recovery pack gets
the numbers that both ask for, and a tenant rules about them. A copy of a list that was left somewhere would not know
them.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADDED = {
    "shared/contract/sessions.py": [
        (r"^Kind = Literal\[(.*)\]$", r'Kind = Literal[\1, "climb"]'),
        (
            r"^(SESSION_KINDS: .* = {)$",
            r"""\1
    "climb": SessionKind(
        tags=("effort",),
        part="other",
        graded_by="effort",
        demand={"light": "easy", "moderate": "easy", "heavy": "hard", "max": "hard"},
    ),""",
        ),
    ],
    "shared/contract/wellness.py": [
        (
            r"^(    aches: Annotated\[bool.*)$",
            r"""    calmness: Annotated[int, _answer("higher", "calmness")] | None = None
\1""",
        ),
    ],
    "rules/base/recovery.yaml": [
        (
            r"^(  default_effort:\n    value:)$",
            r"\1\n      climb: {light: 3, moderate: 4, heavy: 7, max: 8, unstated: 4}",
        ),
        (r"^(  factor_weights:\n    value:)$", r"\1\n      calmness: 0.03"),
    ],
}
"""By file a pattern, which must fit once, and what stands there in the copied tree."""
TENANTS_RULES = {
    "sequencing": """\
dialect: tandem-rules/1
id: acme.sequencing
version: "1.0.0"
extends: base.sequencing@1
rules:
  - id: no-hard-climb-before-a-long-run
    title: No hard climb within 20 h before a long run
    severity: hard
    when: {first: {kind: climb, effort: [heavy, max]}, then: long run, gap: less than 20 h}
    forbid: true
    because: Legs that climbed for hours run badly.
    examples:
      - name: a climb in the evening before
        first: {kind: climb, effort: heavy, end: Sat 18:30}
        then: {kind: run, type: long, start: Sun 08:00}
        expect: violates
      - name: a climb in the morning before
        first: {kind: climb, effort: heavy, end: Sat 11:00}
        then: {kind: run, type: long, start: Sun 08:00}
        expect: ok
""",
    "recovery": """\
dialect: tandem-rules/1
id: acme.recovery
version: "1.0.0"
extends: base.recovery@1
rules:
  - id: gate-easy-when-restless
    title: A restless morning keeps the day easy
    when: {athlete: {calmness: at most 2, calmness_score: less than 50}}
    gate: {intensity: easy, volume_factor: 0.5, limiting_factor: calmness, reason: a restless morning}
    because: Who is restless overdoes it.
    examples:
      - name: restless
        athlete: {calmness: 1, calmness_score: 0}
        expect: fires
      - name: calm as ever
        athlete: {calmness: 4, calmness_score: 100}
        expect: silent
""",
}
CLIMB_AU = 90 * 7
"""Minutes times the pack's effort for a heavy climb: none is stated, and there is no other history."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What ``made_up_words`` heard in the copied tree."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("services", "shared", "tandem", "rules"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "tests").mkdir()
    for name in ("__init__.py", "random_athletes.py", "service_and_file.py"):
        shutil.copy(ROOT / "tests" / name, tree / "tests" / name)
    for name, changes in ADDED.items():
        text = (tree / name).read_text(encoding="utf-8")
        for pattern, after in changes:
            text, times = re.subn(pattern, after, text, flags=re.MULTILINE)
            assert times == 1, f"{name}: {pattern}"
        (tree / name).write_text(text, encoding="utf-8")
    (tree / "rules" / "tenants" / "acme").mkdir(parents=True)
    for kind, pack in TENANTS_RULES.items():
        (tree / "rules" / "tenants" / "acme" / f"{kind}.yaml").write_text(pack, encoding="utf-8")
    answers = tree / "answers.json"
    script = Path(__file__).with_name("made_up_words.py")
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(answers)],
        cwd=tree, env={"PYTHONPATH": str(tree), "PATH": ""}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-6000:]
    heard: dict[str, Any] = json.loads(answers.read_text(encoding="utf-8"))
    assert heard["code"] == str(tree), "another tree was asked"
    return heard


def test_climbs_count_for_the_load_by_the_packs_effort(told: dict[str, Any]) -> None:
    load = told["services"]["load"]
    assert load == {**told["file"]["load"], "provisional": True, "decided_by": load["decided_by"]}
    combined = load["streams"]["combined"]
    # Today is not over and has no session yet: 2 climbs in the 6 known days of 7, and 9 in the 27 known days of 28.
    assert combined["acute"] == pytest.approx(2 * CLIMB_AU / 6)
    assert combined["chronic"] == pytest.approx(9 * CLIMB_AU / 27)
    assert load["streams"]["run"]["acute"] == load["streams"]["lift"]["acute"] == 0


def test_calmness_is_a_factor_of_readiness_and_a_tenants_rule_asks_for_it(told: dict[str, Any]) -> None:
    for readiness in (told["services"]["readiness"], told["file"]["readiness"]):
        (factor,) = [one for one in readiness["factors"] if one["name"] == "calmness"]
        assert factor == {
            "name": "calmness", "value": factor["value"], "baseline": 4, "low": factor["low"],
            "high": None, "score": factor["score"], "weight": 0.03, "status": "ok",
        }  # fmt: skip
        assert readiness["limiting_factor"] == "calmness"
        assert readiness["gate"]["intensity"] == "easy"
        assert readiness["gate"]["rules"] == ["gate-reduced-on-one-low-factor", "gate-easy-when-restless"]
        assert [one["rule"] for one in readiness["decided_by"] if one["pack"] == "acme.recovery"] == [
            "gate-reduced-on-one-low-factor", "gate-easy-when-restless",
        ]  # fmt: skip


def test_the_gate_eases_todays_climb(told: dict[str, Any]) -> None:
    (climb,) = told["services"]["this_week"]["sessions"]
    assert climb["changed"] is True
    assert (climb["kind"], climb["effort"], climb["duration_min"]) == ("climb", "heavy", 45)


def test_a_tenants_rule_forbids_a_climb_before_a_long_run(told: dict[str, Any]) -> None:
    for verdict in (told["services"]["check"], told["file"]["check"]):
        assert verdict["verdict"] == "refused"
        assert [one["rule"] for one in verdict["violations"]] == ["no-hard-climb-before-a-long-run"]


def test_the_planner_keeps_them_apart(told: dict[str, Any]) -> None:
    for week in (told["services"]["week"], told["file"]["week"]):
        assert week["status"] == "planned"
        climb, run = (next(one for one in week["sessions"] if one["id"] == name) for name in ("climb", "long"))
        assert (climb["kind"], climb["effort"]) == ("climb", "heavy")
        assert not climb["start"] < run["start"] < climb["start"][:8] + "12T05"
    assert told["services"]["week"]["sessions"] == told["file"]["week"]["sessions"]


def test_editors_and_platforms_are_told_of_both(told: dict[str, Any]) -> None:
    definitions = told["rule_schema"]["$defs"]
    assert "any climb" in definitions["sessions"]["anyOf"][0]["examples"]
    assert {"calmness", "calmness_score"} <= definitions["athlete-features"]["properties"].keys()
    messages = told["asyncapi"]["components"]["messages"]
    assert "calmness" in messages["recovery-record-wellness"]["payload"]["properties"]
    assert "climb" in messages["load-record-session"]["payload"]["properties"]["kind"]["enum"]
    assert "climb" in messages["event-load-session-scored"]["payload"]["properties"]["kind"]["enum"]
