"""Prometheus' configuration and alerts, checked by Prometheus' own promtool."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics import MetricWrapperBase
from ruamel.yaml import YAML

from shared.ops import metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
RUNBOOKS = DEPLOY / "runbooks"
ALERT_FILES = sorted((PROMETHEUS / "alerts").glob("*.yml"))
ALERT_TESTS = sorted((PROMETHEUS / "tests").glob("*.test.yml"))


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    assert program, "promtool is missing; get it with: sudo apt-get install prometheus"
    return subprocess.run(
        [program, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, timeout=120, check=False
    )


def read(file: Path) -> Any:
    return YAML(typ="safe").load(file)


def alerts() -> list[dict[str, Any]]:
    groups = [group for file in ALERT_FILES for group in read(file)["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def test_the_configuration_is_valid() -> None:
    done = promtool("check", "config", "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(ALERT_FILES)} rule files found" in done.stdout


@pytest.mark.parametrize("file", ALERT_TESTS, ids=lambda file: file.stem)
def test_alerts_fire_when_they_should_and_only_then(file: Path) -> None:
    done = promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_would_notice_a_wrong_threshold(tmp_path: Path) -> None:
    alert = (PROMETHEUS / "alerts" / "messages.yml").read_text(encoding="utf-8")
    test = (PROMETHEUS / "tests" / "messages.test.yml").read_text(encoding="utf-8")
    (tmp_path / "alerts").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "alerts/messages.yml").write_text(alert.replace("> 60\n", "> 6000\n"), encoding="utf-8")
    (tmp_path / "tests/messages.test.yml").write_text(test, encoding="utf-8")
    assert promtool("test", "rules", str(tmp_path / "tests/messages.test.yml")).returncode != 0


def test_every_alert_is_tried() -> None:
    tried = {
        expectation["alertname"]
        for file in ALERT_TESTS
        for test in read(file)["tests"]
        for expectation in test["alert_rule_test"]
        if expectation["exp_alerts"]
    }
    assert tried == {alert["alert"] for alert in alerts()}


def test_every_alert_leads_to_its_runbook_and_back() -> None:
    linked = {alert["alert"]: alert["annotations"]["runbook_url"] for alert in alerts()}
    assert linked == {name: f"deploy/runbooks/{name}.md" for name in linked}
    assert {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"} == set(linked)


def test_every_alert_says_how_bad_it_is() -> None:
    assert {alert["alert"] for alert in alerts() if alert["labels"]["severity"] not in {"critical", "warning"}} == set()


def test_alerts_and_runbooks_speak_of_metrics_that_exist() -> None:
    exported = {
        family.name
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
        for family in metric.describe()
    }
    spoken = {
        name
        for text in [
            *(alert["expr"] for alert in alerts()),
            *(file.read_text("utf-8") for file in RUNBOOKS.glob("*.md")),
        ]
        for name in re.findall(r"\btandem_[a-z_]+", text)
    } - {"tandem_service"}
    assert spoken
    assert {name for name in spoken if re.sub(r"_(total|bucket|sum|count)$", "", name) not in exported} == set()
