"""The run after the lift: the founding documents' decision tree, its numbers, its fuel, and a coach's edit of it."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.scheduling.domain.advice import Advice, advise
from shared.contract.sessions import Effort, Mode, Region, RunType
from shared.contract.words import Intensity, Priority
from shared.messages.validation import InvalidInput
from shared.messages.values import AfterLift, Profile
from shared.rules.decisions import Rules
from shared.rules.lifecycle.rule_book import open_rules

RULES_DIR = Path(__file__).resolve().parents[4] / "rules"
HARD: tuple[RunType, ...] = ("tempo", "threshold", "intervals", "hills", "race")


@pytest.fixture(scope="module")
def rules() -> Iterator[Rules]:
    with open_rules(RULES_DIR, evaluator="reference") as opened:
        yield opened


def after(lift: str, run: str, minutes: float = 30, **more: Any) -> AfterLift:
    """``lift`` like "lower heavy", ``run`` a run type or a mode."""
    region, effort = lift.split()
    wished = {"kind": "other", "mode": run} if run in Mode.__args__ else {"kind": "run", "type": run}
    return AfterLift.model_validate(
        {
            "lift": {"kind": "lift", "region": region, "effort": effort},
            "run": {**wished, "duration_min": minutes, **more},
        }
    )


def athlete(priority: Priority = "balanced", **more: Any) -> Profile:
    return Profile(timezone="Europe/Berlin", priority=priority, **more)


def told(rules: Rules, asked: AfterLift, priority: Priority = "balanced", gate: Intensity | None = None) -> Advice:
    return advise(asked, athlete(priority), rules, gate)


class TestEasyRunsAtOnce:
    @pytest.mark.parametrize(
        ("priority", "minutes", "answer"),
        [
            ("strength", 15, "go"),
            ("strength", 16, "shorten"),
            ("hypertrophy", 20, "shorten"),
            ("hypertrophy", 21, "separate"),
            ("balanced", 20, "go"),
            ("balanced", 30, "shorten"),
            ("balanced", 31, "separate"),
            ("endurance", 30, "go"),
            ("endurance", 31, "separate"),
        ],
    )
    def test_have_their_cap_by_priority(self, rules: Rules, priority: Priority, minutes: float, answer: str) -> None:
        assert told(rules, after("lower heavy", "easy", minutes), priority).answer == answer

    def test_are_shortened_to_the_cap_where_they_cannot_be_separated(self, rules: Rules) -> None:
        advice = told(rules, after("full moderate", "recovery", 45, can_separate=False))
        assert (advice.answer, advice.max_minutes) == ("shorten", 20)

    def test_need_six_hours_when_they_are_longer(self, rules: Rules) -> None:
        assert told(rules, after("lower heavy", "easy", 45)).gap_hours == 6
        assert told(rules, after("lower heavy", "easy", 45, gap_hours=5.9)).answer == "separate"
        assert told(rules, after("lower heavy", "easy", 45, gap_hours=6)).answer == "go"

    @pytest.mark.parametrize("effort", Effort.__args__)
    def test_are_fine_after_an_upper_lift(self, rules: Rules, effort: str) -> None:
        advice = told(rules, after(f"upper {effort}", "easy", 60), "strength")
        assert (advice.answer, advice.max_minutes, advice.gap_hours) == ("go", None, None)


class TestHardAndLongRuns:
    @pytest.mark.parametrize("run", HARD)
    @pytest.mark.parametrize(
        ("lift", "needed"),
        [("lower max", 48), ("full max", 48), ("lower heavy", 12), ("full light", 12), ("upper max", 6)],
    )
    def test_keep_their_gap(self, rules: Rules, run: RunType, lift: str, needed: float) -> None:
        close = told(rules, after(lift, run, 40, gap_hours=needed - 0.1))
        assert (close.answer, close.gap_hours) == ("separate", needed)
        far = told(rules, after(lift, run, 40, gap_hours=needed))
        assert (far.answer, far.gap_hours) == ("go", None)

    def test_a_long_run_keeps_24_hours_from_heavy_legs(self, rules: Rules) -> None:
        assert told(rules, after("lower heavy", "long", 90, gap_hours=23)).gap_hours == 24
        assert told(rules, after("lower heavy", "long", 90, gap_hours=24)).answer == "go"

    def test_are_swapped_where_they_cannot_be_separated(self, rules: Rules) -> None:
        advice = told(rules, after("lower heavy", "intervals", 45, can_separate=False))
        assert advice.answer == "swap"
        assert advice.instead is not None
        assert "easy run" in advice.instead

    def test_different_muscles_are_the_next_best(self, rules: Rules) -> None:
        assert told(rules, after("upper heavy", "tempo", 40, can_separate=False)).answer == "go"


class TestRecovery:
    def test_limited_carries_one_modality(self, rules: Rules) -> None:
        assert told(rules, after("upper light", "easy", 20), gate="easy").answer == "swap"

    def test_reduced_carries_no_hard_run(self, rules: Rules) -> None:
        asked = after("upper heavy", "intervals", 40, gap_hours=8)
        assert told(rules, asked, gate="full").answer == "go"
        assert told(rules, asked, gate="reduced").answer == "swap"

    @pytest.mark.parametrize("mode", Mode.__args__)
    @pytest.mark.parametrize("gate", [None, "full", "reduced", "easy"])
    def test_active_recovery_is_always_allowed(self, rules: Rules, mode: Mode, gate: Intensity | None) -> None:
        assert told(rules, after("lower max", mode, 60, can_separate=False), gate=gate).answer == "go"


class TestFuel:
    @pytest.mark.parametrize(("mass", "target"), [(50.0, 20.0), (80.0, 24.0), (150.0, 40.0), (None, None)])
    def test_protein_after_lifting_follows_body_mass_within_20_to_40_g(
        self, rules: Rules, mass: float | None, target: float | None
    ) -> None:
        advice = advise(after("upper light", "easy", 20), athlete(body_mass_kg=mass), rules)
        assert advice.as_json()["fuel"]["after_lift"]["protein_g"] == {"from": 20, "to": 40, "target": target}

    def test_a_short_easy_run_needs_none(self, rules: Rules) -> None:
        assert "before_run" not in told(rules, after("lower heavy", "easy", 20)).fuel

    def test_easy_cardio_after_lifting_takes_15_to_30_g_carbohydrate(self, rules: Rules) -> None:
        before = told(rules, after("lower heavy", "easy", 30), "endurance").as_json()["fuel"]["before_run"]
        assert before["carb_g"] == {"from": 15, "to": 30, "target": None}

    def test_muscle_first_back_to_back_eats_between_the_two(self, rules: Rules) -> None:
        before = told(rules, after("upper heavy", "easy", 30), "hypertrophy").as_json()["fuel"]["before_run"]
        assert (before["protein_g"]["from"], before["protein_g"]["to"]) == (20, 40)
        assert (before["carb_g"]["from"], before["carb_g"]["to"]) == (30, 60)

    def test_a_hard_second_session_takes_more(self, rules: Rules) -> None:
        fuel = advise(after("lower heavy", "tempo", 40, gap_hours=9), athlete(body_mass_kg=80), rules).as_json()["fuel"]
        assert (fuel["before_run"]["carb_g"]["from"], fuel["before_run"]["carb_g"]["to"]) == (20, 60)
        assert fuel["until_run"]["carb_g_per_hour"] == {"from": 40, "to": 96, "target": None}


class TestUnknown:
    def test_region_and_effort_are_taken_for_the_worst_and_said_so(self, rules: Rules) -> None:
        asked = AfterLift.model_validate(
            {"lift": {"kind": "lift"}, "run": {"kind": "run", "type": "intervals", "duration_min": 40}}
        )
        advice = advise(asked, None, rules)
        assert (advice.answer, advice.gap_hours) == ("separate", 12)
        assert advice.why[:2] == (
            "the lift's region is unknown: taken for the full body",
            "the lift's effort is unknown: taken for heavy",
        )

    def test_every_mistake_is_told_at_once(self, rules: Rules) -> None:
        asked = AfterLift.model_validate(
            {"lift": {"kind": "run", "type": "easy"}, "run": {"kind": "run", "duration_min": 40}}
        )
        with pytest.raises(InvalidInput) as wrong:
            advise(asked, None, rules)
        assert [problem.pointer for problem in wrong.value.problems] == ["/lift/kind", "/run/type"]

    def test_a_lift_is_no_run(self, rules: Rules) -> None:
        asked = AfterLift.model_validate({"lift": {"kind": "lift"}, "run": {"kind": "lift", "duration_min": 40}})
        with pytest.raises(InvalidInput, match="not a lift"):
            advise(asked, None, rules)


def test_every_question_has_an_answer_a_reason_and_a_rule(rules: Rules) -> None:
    everything = itertools.product(
        Region.__args__,
        Effort.__args__,
        RunType.__args__,
        Priority.__args__,
        (0.0, 6.0, 12.0, 50.0),
        (None, True, False),
    )
    for region, effort, run, priority, gap, separable in everything:
        advice = told(rules, after(f"{region} {effort}", run, 40, gap_hours=gap, can_separate=separable), priority)
        assert advice.answer in ("go", "shorten", "separate", "swap")
        assert advice.why
        assert advice.decided_by
        if separable is False:
            assert advice.answer != "separate"


def test_the_contracts_fields_are_there(rules: Rules) -> None:
    assert {"answer", "max_minutes", "gap_hours", "why", "fuel", "decided_by"} <= set(
        told(rules, after("lower heavy", "easy")).as_json()
    )


def test_a_coachs_number_changes_the_answer_and_the_hash(rules: Rules, tmp_path: Path) -> None:
    shutil.copytree(RULES_DIR, tmp_path / "rules")
    path = tmp_path / "rules" / "base" / "advice.yaml"
    old = "max_minutes: 20, max_minutes_most: 30"
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, "max_minutes: 35, max_minutes_most: 40"))
    with open_rules(tmp_path / "rules", evaluator="reference") as edited:
        before, changed = (told(chosen, after("lower heavy", "easy", 30)) for chosen in (rules, edited))
    assert (before.answer, changed.answer) == ("shorten", "go")
    assert before.decided_by[0].hash != changed.decided_by[0].hash
