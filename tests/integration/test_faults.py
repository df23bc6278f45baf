"""The shorter part of ``make faults``: kill -9 at each moment that matters, with the control beside it."""

import subprocess
import sys

from tests.processes import ROOT


def test_nothing_is_lost_or_doubled_by_kills_that_a_stock_consumer_does_not_survive() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.faults", "--short"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=280)
    goals = [line for line in done.stdout.splitlines() if line.startswith("goal ")]
    assert done.returncode == 0, done.stdout + done.stderr
    assert "goal lost 0 0 met" in goals and "goal control-fails yes yes met" in goals
    assert all(goal.endswith(" met") for goal in goals)
