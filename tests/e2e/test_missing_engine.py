"""Every command that decides says when durable-rules cannot be imported, and how to mend it; what it answers stays."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ATHLETE = "examples/athletes/check-collision.yaml"
LINE = (
    "tandem: durable-rules cannot be imported: undefined symbol: PyEval_CallObject; "
    "the reference evaluator decides alone; make setup compiles it (apt install gcc python3-dev)\n"
)


@pytest.fixture
def sound() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")}


@pytest.fixture
def broken(tmp_path: Path, sound: dict[str, str]) -> dict[str, str]:
    """As where it was compiled for another Python: what stands first on the path fails as it is imported."""
    for module in ("durable", "durable_rules_engine"):
        (tmp_path / f"{module}.py").write_text("raise ImportError('undefined symbol: PyEval_CallObject')")
    nobody = "amqp://guest:guest@127.0.0.1:9//"
    return {**sound, "PYTHONPATH": str(tmp_path), "TANDEM_METRICS_PORT": "0", "TANDEM_AMQP_URI": nobody}


def tandem(command: str, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "tandem", *command.split()]
    return subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    "command",
    [
        f"load {ATHLETE}",
        f"readiness {ATHLETE}",
        f"season {ATHLETE}",
        f"week {ATHLETE}",
        f"advice {ATHLETE}",
        f"rules explain {ATHLETE}",
        f"rules impact rules rules {ATHLETE}",
        "rules test",
        "rules status",
    ],
)
def test_a_deciding_command_says_it_once(broken: dict[str, str], command: str) -> None:
    done = tandem(command, broken)
    assert done.stderr.count(LINE) == 1
    assert "Traceback" not in done.stderr


def test_the_answer_stays_the_same(broken: dict[str, str], sound: dict[str, str]) -> None:
    with_engine, without = tandem(f"check {ATHLETE} --json", sound), tandem(f"check {ATHLETE} --json", broken)
    assert (without.returncode, without.stdout) == (with_engine.returncode, with_engine.stdout)
    assert (without.stderr, with_engine.stderr) == (LINE, "")


def test_who_chose_the_reference_hears_nothing(broken: dict[str, str]) -> None:
    assert tandem(f"check {ATHLETE}", {**broken, "TANDEM_RULES_ENGINE": "reference"}).stderr == ""


def test_the_demo_says_it(broken: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tandem", "demo", "--out", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, env=broken, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as playing:
        assert playing.stderr is not None
        line = playing.stderr.readline()
        playing.kill()
    assert line.decode() == LINE


def test_the_doctor_names_the_cure_and_who_decides(broken: dict[str, str]) -> None:
    done = tandem("doctor --json", broken)
    assert (done.returncode, done.stderr) == (0, "")
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    engine = checks["rules engine"]
    assert engine["state"] == "optional"
    assert engine["found"] == "durable-rules cannot be imported: undefined symbol: PyEval_CallObject"
    assert engine["todo"].startswith("make setup compiles it (apt install gcc python3-dev); until then")
    assert checks["rule packs"]["found"].endswith(", decided by reference")


def test_a_service_says_it_as_it_starts(broken: dict[str, str], tmp_path: Path) -> None:
    env = {**broken, "TANDEM_DATABASE_URL": f"sqlite:///{tmp_path}/{{service}}.sqlite3"}
    assert tandem("db upgrade scheduling", env).returncode == 0
    command = [sys.executable, "-m", "tandem", "serve", "scheduling"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as serving:
        assert serving.stdout is not None
        line = next(line for line in serving.stdout if b"the rule engine is missing" in line)
        serving.kill()
    told = json.loads(line)
    assert told["level"] == "error"
    assert "tandem: " + told["problem"] + "\n" == LINE
