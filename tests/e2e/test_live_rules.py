"""A coach saves a rule file while the services run: the next answers follow it, a broken file changes nothing."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import eventlet
import pytest

from shared.rules.evaluation.durable_process import __file__ as engine_file
from tandem.runtime.embedded import Embedded
from tests.contract.commands import RULES

WAIT_S = 30.0
"""Far more than the two seconds that a saved file needs: how long it takes is measured elsewhere, not asserted here."""
SQUATS_THEN_LONG_RUN = {
    "athlete": "a1",
    "sessions": [
        {"id": "squats", "start": "2026-03-09T07:00:00Z", "duration_min": 60, "kind": "lift", "region": "lower",
         "effort": "heavy"},
        {"id": "long", "start": "2026-03-10T08:30:00Z", "duration_min": 90, "kind": "run", "type": "long"},
    ],
}  # fmt: skip


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


@pytest.fixture
def tandem(tmp_path: Path, rules: Path) -> Iterator[Embedded]:
    with Embedded(tmp_path, rules) as running:
        assert running.tell("acme", "athlete.put", {"athlete": "a1", "timezone": "UTC"}).outcome == "accepted"
        running.settle()
        yield running


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        if time.monotonic() > deadline:
            return False
        eventlet.sleep(0.05)
    return True


def check(tandem: Embedded) -> dict[str, Any]:
    return dict(tandem.ask("acme", "scheduling.check-week", SQUATS_THEN_LONG_RUN))


def thirty_hours(rules: Path) -> None:
    file = rules / "base" / "sequencing.yaml"
    before, rule, after = file.read_text().partition("- id: heavy-lower-near-long-run")
    after = after.replace("less than 24 h", "less than 30 h", 1)
    after = after.replace("start: Sat 08:00", "start: Sat 14:00", 2)
    file.write_text(before + rule + after)


def test_a_saved_file_decides_and_a_broken_one_changes_nothing(tandem: Embedded, rules: Path) -> None:
    assert check(tandem)["verdict"] == "accepted"
    original = (rules / "base" / "sequencing.yaml").read_text()
    thirty_hours(rules)
    assert eventually(lambda: check(tandem)["verdict"] == "refused")
    (violation,) = check(tandem)["violations"]
    assert (violation["rule"], violation["limit"]["gap_hours"]) == ("heavy-lower-near-long-run", 30)

    (rules / "base" / "sequencing.yaml").write_text(original.replace("less than 24 h", "less than 24 parsecs", 1))
    book = tandem._book
    assert book is not None
    assert eventually(lambda: bool(book.errors()))
    assert any("parsecs" in str(error) and "sequencing.yaml:" in str(error) for error in book.errors())
    assert check(tandem)["violations"] == [violation], "the last good pack goes on deciding"

    (rules / "base" / "sequencing.yaml").write_text(original)
    assert eventually(lambda: check(tandem)["verdict"] == "accepted")


def test_decisions_of_the_services_come_from_the_engines_worker_process(tandem: Embedded) -> None:
    book = tandem._book
    assert book is not None
    before = book.for_tenant("acme").engine_statistics()
    check(tandem)
    after = book.for_tenant("acme").engine_statistics()
    assert after.evaluator == "durable-rules"
    assert after.decisions > before.decisions
    assert (after.fallbacks, after.mismatches) == (0, 0)
    command = Path(f"/proc/{after.worker_pid}/cmdline").read_bytes().split(b"\0")
    assert engine_file.encode() in command
