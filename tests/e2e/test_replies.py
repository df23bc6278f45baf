"""Random commands, duplicates, late and early stamps: every reply is true, every effect as a small model says.

``make replies`` does 10,000 steps of it.
"""

from pathlib import Path

import pytest

from shared.bus.routes import APPLIED
from tests.replies.machine import Machine

RULES = Path(__file__).resolve().parents[2] / "rules"


def test_every_reply_is_true_and_every_effect_is_as_the_model_says(tmp_path: Path) -> None:
    machine = Machine(tmp_path, RULES, seed=2)
    machine.run(steps=250, seconds=15)
    assert machine.wrong == []
    assert machine.steps >= 25, "enough to have asked what stands"


def test_a_reply_that_says_applied_whatever_came_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.load.use_cases.record.effect_of", lambda *version: APPLIED)
    machine = Machine(tmp_path, RULES, seed=2)
    machine.run(steps=400, seconds=15)
    assert len(machine.wrong) == 1 and "not {'effect': 'none'" in machine.wrong[0]
