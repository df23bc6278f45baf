"""No alert is shipped that nobody has seen fire: ``make alerts`` knows how to break what each is about."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.alerts.catalogue import PROOFS
from tests.alerts.shorter import (
    MIN_FOR_S,
    MIN_WINDOW_S,
    SHIPPED,
    shipped_alerts,
    shortened,
    shorter,
    write_configuration,
)
from tests.processes import ROOT

RUNBOOKS = ROOT / "deploy" / "runbooks"


def test_every_alert_has_a_real_fault_that_fires_it() -> None:
    proven = {alert for proof in PROOFS for alert in proof.alerts}
    assert proven == set(shipped_alerts())
    assert [proof.alert for proof in PROOFS if not proof.fault] == []


@pytest.mark.parametrize(("alert", "step"), [step for proof in PROOFS for step in proof.steps.items()])
def test_what_ends_it_stands_in_its_runbook(alert: str, step: str) -> None:
    page = (RUNBOOKS / f"{alert}.md").read_text(encoding="utf-8")
    assert " ".join(step.split()) in " ".join(page.replace("`", "").split())


@pytest.mark.parametrize(
    ("deployed", "tried"), [("10m", "5s"), ("1h", "30s"), ("1h30m", "45s"), ("1d", "720s"), ("1m", f"{MIN_FOR_S}s")]
)
def test_times_are_shorter_but_never_too_short_to_be_measured(deployed: str, tried: str) -> None:
    assert shorter(deployed, MIN_FOR_S) == tried


def test_nothing_but_times_is_changed() -> None:
    expression = 'increase(x{a="5m"}[15m]) > 60 or (x unless x offset 15m) or max_over_time(y[1h:1m]) > 1'
    rule = {"alert": "A", "expr": expression, "for": "5m", "labels": {"severity": "warning"}}
    window = f"{MIN_WINDOW_S}s"
    tried = f'increase(x{{a="5m"}}[{window}]) > 60 or (x unless x offset {window}) or max_over_time(y[30s:1m]) > 1'
    whole = shortened({"groups": [{"name": "g", "rules": [rule]}]})
    assert whole == {"groups": [{"name": "g", "rules": [{**rule, "expr": tried, "for": "2s"}]}]}


def test_prometheus_takes_the_shorter_configuration(tmp_path: Path) -> None:
    program = shutil.which("promtool")
    assert program, "promtool is missing; get it with: sudo apt-get install prometheus"
    file = write_configuration(tmp_path, tmp_path / "targets.json", "127.0.0.1:15692")
    (tmp_path / "targets.json").write_text("[]")
    done = subprocess.run(
        [program, "check", "config", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    deployed = (SHIPPED / "prometheus.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"job_name: (\S+)", file.read_text())) == set(re.findall(r"job_name: (\S+)", deployed))
