"""docker-compose.yml, checked without a Docker engine: its form, and that what it names exists."""

import copy
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from shared.ops.settings import read_settings
from tests.compose import ROOT, read_compose

SCHEMA = json.loads((ROOT / "tests" / "data" / "compose.schema.json").read_text(encoding="utf-8"))
COMPOSE = read_compose()
SERVICES: dict[str, Any] = COMPOSE["services"]
FOUR = ["load", "recovery", "periodization", "scheduling"]
OURS = ["migrate", "declare", *FOUR]


def errors(document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(SCHEMA).iter_errors(document)]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_file_has_the_form_of_a_compose_file() -> None:
    assert errors(COMPOSE) == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (["services", "load", "comand"], ["serve", "load"]),
        (["services", "load", "command"], "serve load; rm -rf /"),
        (["services", "load", "environment", "TANDEM_METRICS_PORT"], 9464),
        (["services", "load", "depends_on", "broker", "condition"], "healthy"),
        (["services", "broker", "ports"], ["5672:5672"]),
        (["services", "broker", "healthcheck", "interval"], "ten seconds"),
        (["version"], "3.9"),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_in_its_form_is_noticed(path: list[str], wrong: Any) -> None:
    document = copy.deepcopy(COMPOSE)
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = wrong
    assert errors(document) != []


def test_it_starts_everything_that_the_product_is_made_of() -> None:
    assert set(SERVICES) == {"broker", "database", "prometheus", *OURS}


@pytest.mark.parametrize("service", FOUR)
def test_each_service_serves_itself(service: str) -> None:
    assert SERVICES[service]["command"] == ["serve", service]


@pytest.mark.parametrize("service", OURS)
def test_its_settings_are_settings_of_ours(service: str) -> None:
    settings = read_settings(SERVICES[service]["environment"])
    assert settings.metrics_host == "0.0.0.0"
    assert settings.amqp_uri.startswith("amqp://tandem:tandem@broker:5672/")
    assert settings.database_url_of("load").startswith("postgresql+psycopg2://tandem_services:")


def test_only_the_migrations_know_the_owner_of_the_tables() -> None:
    known = {service: read_settings(SERVICES[service]["environment"]).database_owner_url for service in OURS}
    assert [service for service, owner in known.items() if owner] == ["migrate"]


def test_only_who_looks_after_the_broker_is_its_administrator() -> None:
    known = {service: read_settings(SERVICES[service]["environment"]).management_url for service in OURS}
    assert [service for service, address in known.items() if address] == ["declare", "periodization"]


@pytest.mark.parametrize("service", OURS)
def test_a_stopping_service_has_time_to_finish(service: str) -> None:
    grace = int(SERVICES[service]["stop_grace_period"].removesuffix("s"))
    assert grace > read_settings(SERVICES[service]["environment"]).drain_seconds


@pytest.mark.parametrize("service", OURS)
def test_it_runs_with_nothing_it_does_not_need(service: str) -> None:
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert SERVICES[service]["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_what_it_waits_for_exists_and_can_become_true(service: str) -> None:
    for name, wish in SERVICES[service].get("depends_on", {}).items():
        awaited = SERVICES[name]
        if wish["condition"] == "service_healthy":
            assert awaited["healthcheck"]["test"]
        elif wish["condition"] == "service_completed_successfully":
            assert awaited["restart"] == "no"


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_what_it_mounts_exists(service: str) -> None:
    for mount in SERVICES[service].get("volumes", []):
        source = mount.partition(":")[0]
        if source.startswith("."):
            assert (ROOT / source).exists(), source
            assert mount.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


def test_passwords_come_from_the_environment() -> None:
    passwords = {"BROKER_PASSWORD": "b1", "DATABASE_PASSWORD": "d1", "SERVICES_PASSWORD": "s1"}
    filled = read_compose(passwords)["services"]
    assert filled["broker"]["environment"]["RABBITMQ_DEFAULT_PASS"] == "b1"
    assert filled["database"]["environment"]["POSTGRES_PASSWORD"] == "d1"
    for service in OURS:
        assert ":b1@broker" in filled[service]["environment"]["TANDEM_AMQP_URI"]
        assert ":s1@database" in filled[service]["environment"]["TANDEM_DATABASE_URL"]
    assert ":d1@database" in filled["migrate"]["environment"]["TANDEM_DATABASE_OWNER_URL"]


def test_prometheus_looks_at_every_service() -> None:
    jobs = YAML(typ="safe").load(ROOT / "deploy" / "prometheus" / "prometheus.yml")["scrape_configs"]
    tandem = next(job for job in jobs if job["job_name"] == "tandem")
    (found,) = tandem["dns_sd_configs"]
    assert found["names"] == FOUR
    assert {read_settings(SERVICES[service]["environment"]).metrics_port for service in FOUR} == {found["port"]}


@pytest.mark.parametrize("service", FOUR)
def test_the_health_check_asks_for_readiness(service: str) -> None:
    kind, python, flag, program = SERVICES[service]["healthcheck"]["test"]
    assert (kind, python, flag) == ("CMD", "python", "-c")
    port = read_settings(SERVICES[service]["environment"]).metrics_port
    assert f"http://127.0.0.1:{port}/readyz" in program
    # Nobody listens here, and the program says so with its exit code.
    unheard = program.replace(str(port), "1")
    assert subprocess.run([sys.executable, "-c", unheard], capture_output=True, timeout=30, check=False).returncode == 1


def test_what_the_image_copies_exists_and_reaches_the_builder() -> None:
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")
    let_in = (ROOT / "deploy" / "docker" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [source for line in re.findall(r"(?m)^COPY (.+) \S+$", dockerfile) for source in line.split()]
    assert copied
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert [source for source in copied if f"!{source.removeprefix('./')}" not in let_in] == []


def test_the_image_holds_every_file_of_the_product(tmp_path: Path) -> None:
    """Builds the wheel as the Dockerfile does; migrations and data files are easily forgotten in one."""
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
        + ["--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path), str(checkout(tmp_path))],
        capture_output=True,
        timeout=240,
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in product_files() if name not in held} == set()


def product_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "tandem", "services", "shared"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def checkout(folder: Path) -> Path:
    """A copy of what git knows, so that the build leaves nothing in the work tree."""
    source = folder / "source"
    for name in ["pyproject.toml", "LICENSE", "README.md", *product_files()]:
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    return source
