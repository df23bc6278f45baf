"""``tandem db``, ``serve``, ``up`` and ``doctor`` as an operator calls them, without a broker."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("load", "recovery", "periodization", "scheduling")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")}
    return {
        **clean,
        "TANDEM_DATABASE_URL": f"sqlite:///{tmp_path}/{{service}}.sqlite3",
        "TANDEM_AMQP_URI": f"amqp://guest:guest@127.0.0.1:{_closed_port()}//",
        "TANDEM_RULES_ENGINE": "reference",
        "TANDEM_METRICS_PORT": "0",
        "TANDEM_DRAIN_SECONDS": "1",
    }


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tandem(*arguments: str, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tandem", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_the_databases_are_upgraded_once_and_then_found_current(environment: dict[str, str]) -> None:
    before = tandem("db", "check", "load", env=environment)
    assert before.returncode == 1 and "run: tandem db upgrade" in before.stderr
    for _ in range(2):
        upgraded = tandem("db", "upgrade", env=environment)
        assert upgraded.returncode == 0 and upgraded.stderr == ""
        assert [line.partition(":")[0] for line in upgraded.stdout.splitlines()] == list(SERVICES)
    after = tandem("db", "check", env=environment)
    assert after.returncode == 0 and after.stdout == upgraded.stdout


def test_a_database_that_is_away_is_no_mistake_of_ours(environment: dict[str, str]) -> None:
    away = f"postgresql://x:s3cret@127.0.0.1:{_closed_port()}/x"
    for command in ("upgrade", "check"):
        done = tandem("db", command, "load", env={**environment, "TANDEM_DATABASE_URL": away})
        assert done.returncode == 1 and "the database does not answer, or refuses: connection to" in done.stderr
        assert "mistake" not in done.stderr and "s3cret" not in done.stderr


def test_a_service_does_not_start_on_old_tables(environment: dict[str, str]) -> None:
    done = tandem("serve", "load", env=environment)
    assert done.returncode == 1 and "run: tandem db upgrade" in done.stderr


def test_when_one_service_ends_all_end(environment: dict[str, str]) -> None:
    done = tandem("up", env=environment)
    assert done.returncode == 1 and "stopping the others" in done.stderr


def test_up_starts_four_processes_and_leaves_none_behind(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "tandem", "up", "--upgrade"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        announced = [next(line for line in running.stderr if f"{service}: process" in line) for service in SERVICES]
        processes = [int(line.split("process ")[1].split(",")[0]) for line in announced]
        for process in processes:
            os.kill(process, 0)
        next(line for line in running.stderr if "no connection to the broker" in line)
        running.send_signal(signal.SIGTERM)
        running.stderr.read()
        running.wait(timeout=60)
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


@pytest.mark.parametrize("arguments", [("serve", "lod"), ("serve",), ("db", "upgrade", "lod"), ("db", "downgrade")])
def test_wrong_arguments_end_with_2(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    assert tandem(*arguments, env=environment).returncode == 2


def test_every_wrong_setting_is_told_and_ends_with_2(environment: dict[str, str]) -> None:
    wrong = {**environment, "TANDEM_LOG_LEVL": "info", "TANDEM_METRICS_PORT": "-1"}
    done = tandem("serve", "load", env=wrong)
    assert done.returncode == 2
    assert "did you mean TANDEM_LOG_LEVEL?" in done.stderr and "TANDEM_METRICS_PORT" in done.stderr


def test_the_doctor_says_what_is_there_and_what_to_do(environment: dict[str, str]) -> None:
    done = tandem("doctor", "--json", env=environment)
    assert done.returncode == 0, done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["Python"]["state"] == "ok" and checks["rule packs"]["state"] == "ok"
    assert checks["broker"]["state"] == "optional" and "docker compose up" in checks["broker"]["todo"]
    assert checks["databases"]["todo"].endswith("tandem db upgrade")
    assert "guest:guest" not in done.stdout
    table = tandem("doctor", env=environment)
    assert table.returncode == 0 and "○ broker" in table.stdout


def test_the_doctor_fails_where_the_rules_are_broken(environment: dict[str, str], tmp_path: Path) -> None:
    done = tandem("doctor", "--rules", str(tmp_path), "--json", env=environment)
    assert done.returncode == 1
    (packs,) = [check for check in json.loads(done.stdout)["checks"] if check["name"] == "rule packs"]
    assert packs["state"] == "missing" and packs["todo"]
