"""A wrong column name does not pass mypy: what the stores declare is what their users may say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.documents import ROOT

USES = """
from sqlalchemy import select

from services.load.store import LoadAthleteRow, SessionRow
from services.periodization.store import DayRow
from services.recovery.store import RecoveryAthleteRow
from services.scheduling.store import PlanRow
from shared.db.delivery_tables import InboxRow
from shared.db.rule_tables import ActivationRow


def right(session: SessionRow, plan: PlanRow) -> tuple[float | None, str]:
    select(SessionRow.load, LoadAthleteRow.due_at).where(InboxRow.athlete == "a1", ActivationRow.number > 1)
    session.load = 1.5
    return session.load, plan.digest


def wrong(session: SessionRow, plan: PlanRow, day: DayRow) -> None:
    select(SessionRow.lod)  # wrong attr-defined
    select(SessionRow).where(LoadAthleteRow.tennant == "acme")  # wrong attr-defined
    select(RecoveryAthleteRow.told_spikes)  # wrong attr-defined
    select(InboxRow).where(InboxRow.message == "m1")  # wrong attr-defined
    select(ActivationRow).order_by(ActivationRow.no)  # wrong attr-defined
    session.lod = 1.5  # wrong attr-defined
    session.load = "much"  # wrong assignment
    plan.made_on = plan.pack  # wrong assignment
    day.facts = day.date  # wrong assignment
    day.said_at  # wrong attr-defined
"""


@pytest.mark.timeout(120)
def test_a_wrong_column_name_fails_mypy(tmp_path: Path) -> None:
    file = tmp_path / "uses.py"
    file.write_text(USES, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", str(file)], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.stderr == ""
    found = {
        (int(line), code) for line, code in re.findall(r"(?m)^.*uses\.py:(\d+): error: .*\[([a-z-]+)\]$", ran.stdout)
    }
    marked = {
        (number, line.partition("# wrong ")[2])
        for number, line in enumerate(USES.splitlines(), start=1)
        if "# wrong " in line
    }
    assert len(marked) == 10
    assert found == marked, ran.stdout
