"""What ``told_features`` declares is what the platform's own questions hold: no rule waits for an answer in vain."""

from datetime import date
from pathlib import Path

import pytest

from services.periodization.domain import deload_facts
from shared.rules.athlete_facts import athlete_facts
from shared.rules.authoring.lint import lint
from shared.rules.authoring.supplied_features import SUPPLIED
from shared.rules.model import Leaf
from shared.rules.vocabulary import FEATURES
from tandem.offline.pipeline import open_offline_athlete
from tandem.offline.shipped_rules import shipped_rules
from tests.unit.shared.rules.packs import pack, rule

RUNNER = Path(__file__).parents[5] / "examples" / "athletes" / "runner-who-lifts.yaml"


def test_every_feature_is_told_to_some_kind() -> None:
    assert frozenset().union(*SUPPLIED.values()) == FEATURES.keys()


def test_the_questions_about_days_and_seasons_hold_what_is_declared() -> None:
    who = set(athlete_facts(None))
    with open_offline_athlete(RUNNER, rules_dir=shipped_rules(), clock=lambda: date(2026, 1, 1)) as athlete:
        day = athlete.day_history()[athlete.on]
        asked = [question for week in athlete.season().asked.values() for question in week]
        recovery = set(athlete.readiness().day_facts()) | who
    deload = {name for kind, facts in asked if kind == "deload" for name in facts} | set(deload_facts(day, {})) | who
    periodization = {name for kind, facts in asked if kind == "periodization" for name in facts}
    assert recovery == SUPPLIED["recovery"]
    assert deload & FEATURES.keys() == SUPPLIED["deload"]
    assert periodization == SUPPLIED["periodization"]


@pytest.mark.parametrize(("kind", "found"), [("recovery", ["never-told"]), ("advice", [])])
def test_lint_finds_a_rule_that_asks_what_its_kind_is_never_told(kind: str, found: list[str]) -> None:
    deaf = rule("deaf", Leaf("lift_region", "==", "lower"), shape="athlete", severity="advice", source=None)
    findings = [one for one in lint(pack([deaf], kind)) if one.code != "no-source"]  # type: ignore[arg-type]
    assert [one.code for one in findings] == found
    assert all("a recovery rule is never told 'lift_region'; advice rules are" in one.message for one in findings)
