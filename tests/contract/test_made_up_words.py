"""A closed list stands in one place: a kind of session and an item of the morning that are added there work throughout.

The tree is copied and its contract gets the kind ``hike`` and the item ``hydration``; the shipped recovery pack gets
the numbers that both ask for, and a tenant rules about them. A copy of a list that was left somewhere would not know
them.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADDED = {
    "shared/contract/sessions.py": [
        ('Kind = Literal["run", "lift", "other"]', 'Kind = Literal["run", "lift", "other", "hike"]'),
        (
            "SESSION_KINDS: Mapping[Kind, SessionKind] = {\n",
            "SESSION_KINDS: Mapping[Kind, SessionKind] = {\n"
            '    "hike": SessionKind(\n'
            '        tags=("effort",),\n'
            '        part="other",\n'
            '        graded_by="effort",\n'
            '        demand={"light": "easy", "moderate": "easy", "heavy": "hard", "max": "hard"},\n'
            "    ),\n",
        ),
    ],
    "shared/contract/wellness.py": [
        (
            "    aches: Annotated[bool",
            '    hydration: Annotated[int, _answer("higher", "hydration")] | None = None\n    aches: Annotated[bool',
        ),
    ],
    "rules/base/recovery.yaml": [
        ("    unit: CR-10\n", "      hike: {light: 3, moderate: 4, heavy: 7, max: 8, unstated: 4}\n    unit: CR-10\n"),
        ("      stress: 0.06\n", "      stress: 0.03\n      hydration: 0.03\n"),
    ],
}  # fmt: skip
TENANTS_RULES = {
    "sequencing": """\
dialect: tandem-rules/1
id: acme.sequencing
version: "1.0.0"
extends: base.sequencing@1
rules:
  - id: no-hard-hike-before-a-long-run
    title: No hard hike within 20 h before a long run
    severity: hard
    when: {first: {kind: hike, effort: [heavy, max]}, then: long run, gap: less than 20 h}
    forbid: true
    because: Legs that walked for hours run badly.
    examples:
      - name: a hike in the evening before
        first: {kind: hike, effort: heavy, end: Sat 18:30}
        then: {kind: run, type: long, start: Sun 08:00}
        expect: violates
      - name: a hike in the morning before
        first: {kind: hike, effort: heavy, end: Sat 11:00}
        then: {kind: run, type: long, start: Sun 08:00}
        expect: ok
""",
    "recovery": """\
dialect: tandem-rules/1
id: acme.recovery
version: "1.0.0"
extends: base.recovery@1
rules:
  - id: gate-easy-when-dry
    title: Hardly anything drunk keeps the day easy
    when: {athlete: {hydration: at most 2, hydration_score: less than 50}}
    gate: {intensity: easy, volume_factor: 0.5, limiting_factor: hydration, reason: hardly anything drunk}
    because: A dry body cools badly.
    examples:
      - name: a glass
        athlete: {hydration: 1, hydration_score: 0}
        expect: fires
      - name: enough
        athlete: {hydration: 4, hydration_score: 100}
        expect: silent
""",
}
HIKE_AU = 90 * 7
"""Minutes times the pack's effort for a heavy hike: none is stated, and there is no other history."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What ``made_up_words`` heard in the copied tree."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("services", "shared", "tandem", "rules"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "tests").mkdir()
    for name in ("__init__.py", "random_athletes.py"):
        shutil.copy(ROOT / "tests" / name, tree / "tests" / name)
    for name, changes in ADDED.items():
        text = (tree / name).read_text(encoding="utf-8")
        for before, after in changes:
            assert text.count(before) == 1, f"{name}: {before!r}"
            text = text.replace(before, after)
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


def test_hikes_count_for_the_load_by_the_packs_effort(told: dict[str, Any]) -> None:
    load = told["services"]["load"]
    assert load == {**told["file"]["load"], "provisional": True, "decided_by": load["decided_by"]}
    combined = load["streams"]["combined"]
    # Today is not over and has no session yet: 2 hikes in the 6 known days of 7, and 9 in the 27 known days of 28.
    assert combined["acute"] == pytest.approx(2 * HIKE_AU / 6)
    assert combined["chronic"] == pytest.approx(9 * HIKE_AU / 27)
    assert load["streams"]["run"]["acute"] == load["streams"]["lift"]["acute"] == 0


def test_hydration_is_a_factor_of_readiness_and_a_tenants_rule_asks_for_it(told: dict[str, Any]) -> None:
    for readiness in (told["services"]["readiness"], told["file"]["readiness"]):
        (factor,) = [one for one in readiness["factors"] if one["name"] == "hydration"]
        assert factor == {
            "name": "hydration", "value": 1, "baseline": 4, "low": factor["low"],
            "high": None, "score": 0, "weight": 0.03, "status": "ok",
        }  # fmt: skip
        assert readiness["limiting_factor"] == "hydration"
        assert readiness["gate"]["intensity"] == "easy"
        assert readiness["gate"]["rules"] == ["gate-reduced-on-one-low-factor", "gate-easy-when-dry"]
        assert [one["rule"] for one in readiness["decided_by"] if one["pack"] == "acme.recovery"] == [
            "gate-reduced-on-one-low-factor", "gate-easy-when-dry",
        ]  # fmt: skip


def test_the_gate_eases_todays_hike(told: dict[str, Any]) -> None:
    (hike,) = told["services"]["this_week"]["sessions"]
    assert hike["changed"] is True
    assert (hike["kind"], hike["effort"], hike["duration_min"]) == ("hike", "heavy", 45)


def test_a_tenants_rule_forbids_a_hike_before_a_long_run(told: dict[str, Any]) -> None:
    for verdict in (told["services"]["check"], told["file"]["check"]):
        assert verdict["verdict"] == "refused"
        assert [one["rule"] for one in verdict["violations"]] == ["no-hard-hike-before-a-long-run"]


def test_the_planner_keeps_them_apart(told: dict[str, Any]) -> None:
    for week in (told["services"]["week"], told["file"]["week"]):
        assert week["status"] == "planned"
        hike, run = (next(one for one in week["sessions"] if one["id"] == name) for name in ("hike", "long"))
        assert (hike["kind"], hike["effort"]) == ("hike", "heavy")
        assert not hike["start"] < run["start"] < hike["start"][:8] + "12T05"
    assert told["services"]["week"]["sessions"] == told["file"]["week"]["sessions"]


def test_editors_and_platforms_are_told_of_both(told: dict[str, Any]) -> None:
    definitions = told["rule_schema"]["$defs"]
    assert "any hike" in definitions["sessions"]["anyOf"][0]["examples"]
    assert {"hydration", "hydration_score"} <= definitions["athlete-features"]["properties"].keys()
    messages = told["asyncapi"]["components"]["messages"]
    assert "hydration" in messages["recovery-record-wellness"]["payload"]["properties"]
    assert "hike" in messages["load-record-session"]["payload"]["properties"]["kind"]["enum"]
    assert "hike" in messages["event-load-session-scored"]["payload"]["properties"]["kind"]["enum"]
