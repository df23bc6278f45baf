"""Recovery rules that are not for everybody, or ask for what has lasted, are decided like any other."""

from pathlib import Path

import pytest

from services.recovery.domain import ReadinessInputs, assess_readiness, days_looked_back, readiness_history
from shared.rules.athlete_facts import athlete_facts
from shared.rules.lifecycle.rule_book import open_rules
from tests.unit.services.recovery.conftest import RULES as RULES_DIR
from tests.unit.services.recovery.conftest import TODAY, mornings

RULES = """
dialect: tandem-rules/1
kind: recovery
id: base.recovery
version: "9.0.0"
SETTINGS
rules:
  - id: sore-for-days
    title: Legs that stay sore keep the day easy
    when: {athlete: {soreness: at least 4, for: at least 3 days}}
    for athletes: {priority: strength}
    gate: {intensity: easy, volume_factor: 0.5, reason: sore for days}
    because: A test says so.
    examples:
      - {name: three days, athlete: {priority: strength, soreness: 4}, held: {soreness: 3}, expect: fires}
"""


@pytest.mark.parametrize(
    ("priority", "days_sore", "gate"), [("strength", 3, "easy"), ("strength", 2, "full"), ("endurance", 3, "full")]
)
def test_soreness_that_lasted_gates_a_strength_athlete_only(
    tmp_path: Path, priority: str, days_sore: int, gate: str
) -> None:
    shipped = (RULES_DIR / "base" / "recovery.yaml").read_text(encoding="utf-8")
    settings = shipped[shipped.index("settings:") : shipped.index("\nrules:")]
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "recovery.yaml").write_text(RULES.replace("SETTINGS", settings).lstrip(), encoding="utf-8")
    inputs = ReadinessInputs(
        on=TODAY,
        wellness=mornings(days_sore, soreness=4),
        who={**athlete_facts(None), "priority": priority},
    )
    with open_rules(tmp_path, evaluator="reference") as rules:
        assert days_looked_back(rules) == 2
        assert assess_readiness(inputs, rules).gate.intensity == gate
        assert readiness_history(inputs, [TODAY], rules)[TODAY].gate.intensity == gate
