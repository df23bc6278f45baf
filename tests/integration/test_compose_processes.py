"""What docker-compose.yml starts, as plain processes: same commands, same environment, a real broker and database.

Only where a container would find its neighbours by name, the test's own addresses stand instead.
"""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.broker import Broker
from tests.compose import ROOT, read_compose
from tests.platform import PlatformClient
from tests.postgres import Postgres
from tests.processes import ServiceProcess

SERVICES = read_compose()["services"]
FOUR = ["load", "recovery", "periodization", "scheduling"]
ATHLETE = {"athlete": "a1", "timezone": "Europe/Berlin", "priority": "balanced", "level": "intermediate"}


def environment(service: str, broker: Broker, database: str) -> dict[str, str]:
    """The service's environment with this machine's addresses."""
    addresses = {
        "broker:5672": f"127.0.0.1:{broker.port}",
        "broker:15672": "127.0.0.1:9",  # this node has no management API
        "database:5432/tandem": database.partition("@")[2],
        "/srv/tandem/rules": str(ROOT / "rules"),
    }
    variables = dict(SERVICES[service]["environment"])
    # Four containers may all use one port; four processes of one machine may not.
    del variables["TANDEM_METRICS_PORT"]
    for container, here in addresses.items():
        variables = {name: value.replace(container, here) for name, value in variables.items()}
    return variables


@dataclass
class Deployment:
    broker: Broker
    processes: dict[str, ServiceProcess]
    migrated: str

    def metrics(self, service: str) -> dict[str, float]:
        """Series that carry this service's label, e.g. ``tandem_messages_accepted_total{key=athlete.put}``."""
        families = text_string_to_metric_families(self.processes[service].metrics())
        return {
            f"{sample.name}{{{sample.labels.get('key', '')}}}": sample.value
            for family in families
            for sample in family.samples
            if sample.labels.get("service") == service
        }

    def log(self, service: str) -> list[str]:
        return self.processes[service].log.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def deployment(broker: Broker, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("compose")
    database = postgres.new_database()
    for user, password, tags in (("tandem", "tandem", "administrator"), ("acme", "acme", "none")):
        broker.control("add_user", user, password)
        broker.control("set_user_tags", user, tags)
        broker.control("set_permissions", user, ".*", ".*", ".*")
    migrated = subprocess.run(
        [sys.executable, "-m", "tandem", *SERVICES["migrate"]["command"]],
        env={"PATH": "/usr/bin:/bin", **environment("migrate", broker, database)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert migrated.returncode == 0, migrated.stderr
    processes = {
        service: ServiceProcess(
            folder, "tandem", tuple(SERVICES[service]["command"]), environment(service, broker, database)
        )
        for service in FOUR
    }
    try:
        for process in processes.values():
            process.start(timeout=60)
        yield Deployment(broker, processes, migrated.stdout)
    finally:
        for process in processes.values():
            process.kill()


def test_the_migrations_ran_for_all_four(deployment: Deployment) -> None:
    assert [line.partition(":")[0] for line in deployment.migrated.splitlines()] == FOUR


@pytest.mark.parametrize("service", FOUR)
def test_the_container_health_check_is_content(deployment: Deployment, service: str) -> None:
    _, _, _, program = SERVICES[service]["healthcheck"]["test"]
    here = program.replace(
        SERVICES[service]["environment"]["TANDEM_METRICS_PORT"], str(deployment.processes[service].port)
    )
    assert subprocess.run([sys.executable, "-c", here], timeout=30, check=False).returncode == 0


@pytest.mark.parametrize("service", FOUR)
def test_it_is_alive_and_says_what_readiness_means(deployment: Deployment, service: str) -> None:
    address = f"http://127.0.0.1:{deployment.processes[service].port}"
    with urllib.request.urlopen(f"{address}/healthz", timeout=10) as answer:
        assert json.load(answer) == {"status": "alive"}
    with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
        said = json.load(answer)
    assert said["status"] == "ready"
    assert said["checks"]


def test_a_platforms_commands_are_counted_and_logged_without_health_values(deployment: Deployment) -> None:
    platform = PlatformClient(deployment.broker.uri, "acme", "acme", "acme")
    try:
        platform.listen()
        assert platform.tell("athlete.put", ATHLETE)["type"].endswith(".accepted.v1")
        morning = {"athlete": "a1", "date": "2026-03-01", "rmssd_ms": 61.23456, "resting_hr": 48}
        assert platform.tell("recovery.record-wellness", morning)["type"].endswith(".accepted.v1")
        refused = platform.tell("recovery.record-wellness", {**morning, "resting_hr": -7654})
        assert refused["type"].endswith(".rejected.v1")
    finally:
        platform.close()
    counted = deployment.metrics("recovery")
    assert counted["tandem_messages_accepted_total{recovery.record-wellness}"] == 1
    assert counted["tandem_messages_rejected_total{recovery.record-wellness}"] == 1
    assert counted["tandem_messages_consumed_total{recovery.record-wellness}"] == 2
    assert counted["tandem_broker_connected{}"] == 1
    for service in FOUR:
        text = "\n".join(deployment.log(service))
        assert "61.23456" not in text
        assert "7654" not in text


def test_a_planned_week_is_counted_as_solved_and_decided(deployment: Deployment) -> None:
    platform = PlatformClient(deployment.broker.uri, "acme", "acme", "acme")
    session = {"id": "p1", "duration_min": 60, "kind": "lift", "region": "lower", "effort": "heavy"}
    try:
        platform.listen()
        platform.tell("athlete.put", {**ATHLETE, "athlete": "a2"})
        platform.tell("scheduling.plan-week", {"athlete": "a2", "week_start": "2099-01-05", "sessions": [session]})
        asked = {"athlete": "a2", "week_start": "2099-01-05"}
        assert platform.tell("scheduling.get-week", asked)["data"]["status"] == "planned"
    finally:
        platform.close()
    page = deployment.processes["scheduling"].metrics()
    assert 'tandem_weeks_solved_total{optimal="yes",outcome="planned"} 1.0' in page
    assert 'tandem_week_solve_seconds_count{outcome="planned"} 1.0' in page
    assert 'tandem_decisions_total{decision="week-planned",service="scheduling"} 1.0' in page
    assert "tandem_rule_evaluations_total{" in page


@pytest.mark.parametrize("service", FOUR)
def test_every_line_of_its_log_is_json(deployment: Deployment, service: str) -> None:
    lines = [json.loads(line) for line in deployment.log(service)]
    assert lines
    assert [line for line in lines if not {"event", "level", "timestamp"} <= line.keys()] == []


def test_stopping_is_clean_and_in_time(deployment: Deployment) -> None:
    """Last, because nothing runs after it."""
    for process in deployment.processes.values():
        process.terminate()
    assert {service: process.wait() for service, process in deployment.processes.items()} == dict.fromkeys(FOUR, 0)
    assert [json.loads(deployment.log(service)[-1])["event"] for service in FOUR] == ["stopped"] * 4
