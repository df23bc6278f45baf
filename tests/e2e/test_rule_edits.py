"""A coach changes one number in a rule file: the next answer and the hash change, and nothing else is deployed."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.contract.commands import RULES, tandem

ATHLETE: dict[str, Any] = {"id": "a1", "timezone": "UTC"}
TEMPLATE = {
    "run_minutes": 240, "long_run_minutes": 90, "quality_runs": 1, "lifts": 3, "lower_sets": 16, "upper_sets": 18,
}  # fmt: skip
SQUATS = {
    "id": "squats", "start": "2026-03-09T07:00:00Z", "duration_min": 60, "kind": "lift", "region": "lower",
    "effort": "heavy",
}  # fmt: skip
LONG_RUN = {"id": "long", "start": "2026-03-10T09:00:00Z", "duration_min": 90, "kind": "run", "type": "long"}


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


def edit(rules: Path, pack: str, old: str, new: str, rule: str = "") -> None:
    """Replace the first ``old`` after ``rule``, as a person with an editor would."""
    file = rules / "base" / f"{pack}.yaml"
    text = file.read_text()
    start = text.index(rule)
    assert old in text[start:], f"{file} has no {old!r} after {rule!r}"
    file.write_text(text[:start] + text[start:].replace(old, new, 1))


def answer(command: str, rules: Path, document: dict[str, Any], *options: str) -> dict[str, Any]:
    file = rules.parent / "athlete.json"
    file.write_text(json.dumps({"athlete": ATHLETE, **document}))
    return tandem(command, str(file), "--json", "--rules", str(rules), *options).json


def hashes(answered: dict[str, Any], pack: str) -> set[str]:
    found = {decided["hash"] for decided in answered["decided_by"] if decided["pack"] == f"base.{pack}"}
    assert found, f"no decision by base.{pack}: {answered['decided_by']}"
    return found


def test_sequencing(rules: Path) -> None:
    document = {"week": {"start": "2026-03-09", "sessions": [SQUATS, LONG_RUN]}}
    before = answer("check", rules, document)
    edit(rules, "sequencing", "gap: less than 24 h", "gap: less than 25 h", rule="id: heavy-lower-near-long-run")
    edit(rules, "sequencing", "start: Sat 08:00", "start: Sat 09:00", rule="name: exactly 24 h is fine")
    after = answer("check", rules, document)
    assert before["verdict"] == "accepted"
    assert after["verdict"] == "accepted", "25 h exactly are enough"
    closer = {**LONG_RUN, "start": "2026-03-10T08:30:00Z"}
    (violation,) = answer("check", rules, {"week": {"start": "2026-03-09", "sessions": [SQUATS, closer]}})["violations"]
    assert violation["rule"] == "heavy-lower-near-long-run"
    assert violation["limit"]["gap_hours"] == 25


def test_sequencing_hash(rules: Path) -> None:
    closer = {**LONG_RUN, "start": "2026-03-10T07:30:00Z"}
    document = {"week": {"start": "2026-03-09", "sessions": [SQUATS, closer]}}
    before = answer("check", rules, document)
    edit(rules, "sequencing", "gap: less than 24 h", "gap: less than 25 h", rule="id: heavy-lower-near-long-run")
    edit(rules, "sequencing", "start: Sat 08:00", "start: Sat 09:00", rule="name: exactly 24 h is fine")
    after = answer("check", rules, document)
    assert [v["limit"]["gap_hours"] for v in (*before["violations"], *after["violations"])] == [24, 25]
    assert hashes(before, "sequencing").isdisjoint(hashes(after, "sequencing"))


def test_deload(rules: Path) -> None:
    document = {"season": {"start": "2026-03-02", "weeks": 6, "week_template": TEMPLATE}}
    before = answer("season", rules, document)
    edit(rules, "deload", "sets: -45 %", "sets: -50 %", rule="id: every-fourth-week")
    after = answer("season", rules, document)
    assert [w["weeks"][3]["upper_sets"] for w in (before, after)] == [pytest.approx(9.9), pytest.approx(9.0)]
    assert hashes(before, "deload").isdisjoint(hashes(after, "deload"))
    assert hashes(before, "deload") == {
        d["hash"] for d in before["weeks"][3]["decided_by"] if d["pack"] == "base.deload"
    }


def test_recovery(rules: Path) -> None:
    document = {"wellness": [{"date": "2026-03-09", "sleep_hours": 6, "mood": 3, "stress": 4}]}
    before = answer("readiness", rules, document)
    edit(rules, "recovery", "volume_factor: 0.8", "volume_factor: 0.7", rule="id: gate-reduced-on-one-low-factor")
    edit(rules, "recovery", "volume_factor: 0.8", "volume_factor: 0.7", rule="id: gate-reduced-under-67")
    after = answer(
        "readiness", rules, {"wellness": [{"date": "2026-03-09", "sleep_hours": 5.9, "mood": 3, "stress": 4}]}
    )
    assert (before["gate"]["volume_factor"], after["gate"]["volume_factor"]) == (0.8, 0.7)
    assert hashes(before, "recovery").isdisjoint(hashes(after, "recovery"))


def test_a_setting_of_the_recovery_pack(rules: Path) -> None:
    document = {"wellness": [{"date": "2026-03-09", "sleep_hours": 7, "fatigue": 4}]}
    before = answer("readiness", rules, document)
    edit(rules, "recovery", "value: 8", "value: 9", rule="sleep_full_hours")
    after = answer("readiness", rules, document)
    assert (before["score"], after["score"]) == (
        pytest.approx((2 * 75 + 50) / 3),
        pytest.approx((2 * (50 + 50 / 3) + 50) / 3),
    )
    assert hashes(after, "recovery")


def test_periodization(rules: Path) -> None:
    document = {
        "season": {"start": "2026-03-02", "weeks": 8, "week_template": TEMPLATE},
        "goals": [{"id": "g", "kind": "strength", "class": "A", "date": "2026-04-10", "lift": "squat"}],
    }
    before = answer("season", rules, document)
    edit(rules, "periodization", "at most 70 %", "at most 60 %", rule="id: strength-test-week")
    after = answer("season", rules, document)
    assert [w["weeks"][5]["run_minutes"] for w in (before, after)] == [pytest.approx(168), pytest.approx(144)]
    assert hashes(before, "periodization").isdisjoint(hashes(after, "periodization"))


def test_advice(rules: Path) -> None:
    document = {
        "after_lift": {
            "lift": {"kind": "lift", "region": "lower", "effort": "heavy"},
            "run": {"kind": "run", "type": "easy", "duration_min": 40, "gap_hours": 0, "can_separate": False},
        }
    }
    before = answer("advice", rules, document)
    edit(rules, "advice", "max_minutes: 20,", "max_minutes: 25,", rule="id: stacked-minutes-balanced")
    after = answer("advice", rules, document)
    assert (before["answer"], before["max_minutes"], after["max_minutes"]) == ("shorten", 20, 25)
    assert hashes(before, "advice").isdisjoint(hashes(after, "advice"))


def test_a_number_that_breaks_an_example_refuses_the_pack_and_says_which(rules: Path) -> None:
    edit(rules, "sequencing", "gap: less than 24 h", "gap: less than 25 h", rule="id: heavy-lower-near-long-run")
    (rules.parent / "athlete.json").write_text(json.dumps({"athlete": ATHLETE, "week": {"start": "2026-03-09"}}))
    ran = tandem("check", str(rules.parent / "athlete.json"), "--json", "--rules", str(rules))
    assert ran.exit_code == 2
    assert "exactly 24 h is fine" in ran.stderr
    assert "sequencing.yaml:" in ran.stderr
