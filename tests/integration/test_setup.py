"""deploy/setup.sh on machines that have, lack or have the wrong things, played by small programs on its PATH."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What the script needs of any Debian, without the servers and compilers that this machine may have.
BASICS = ["awk", "cat", "chmod", "dirname", "env", "grep", "mktemp", "printf", "rm", "sh", "sleep", "tail"]


class Machine:
    """A project folder and a PATH of its own."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.programs = folder / "bin"
        self.log = folder / "log"
        (self.project / "deploy").mkdir(parents=True)
        self.programs.mkdir()
        for name in ("deploy/setup.sh", "requirements.lock", "pyproject.toml"):
            shutil.copy(ROOT / name, self.project / name)
        for name in BASICS:
            found = shutil.which(name)
            assert found, f"{name} is missing on this machine"
            (self.programs / name).symlink_to(found)

    def has(self, name: str, script: str) -> Path:
        """Puts a program on the PATH; what it is called with ends up in ``calls``."""
        program = self.programs / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.log}"\n{script}\n', encoding="utf-8")
        program.chmod(0o755)
        return program

    def has_python(self, version: str, name: str = "python3") -> None:
        """The Python that runs this test, which takes itself for another version."""
        numbers = tuple(map(int, version.split(".")))
        claim = f"import platform, sys; sys.version_info = {numbers}; platform.python_version = lambda: '{version}'"
        self.has(name, f'exec "{sys.executable}" -c "{claim}; exec(sys.argv[2])" "$@"')

    def is_set_up(self) -> None:
        """As after a finished set-up with the Python that runs this test."""
        programs = self.project / ".venv" / "bin"
        programs.mkdir(parents=True)
        tandem = programs / "tandem"
        tandem.write_text("#!/bin/sh\n", encoding="utf-8")
        tandem.chmod(0o755)
        self.venv_python()
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        self.stamp("installed-lock", f"{version}-{self.digest('requirements.lock')}")
        self.stamp("installed-project", self.digest("pyproject.toml"))

    def venv_python(self, script: str = "") -> None:
        """The virtual environment's Python: this test's own, after ``script``."""
        python = self.project / ".venv" / "bin" / "python"
        python.write_text(f'#!/bin/sh\n{script}\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        python.chmod(0o755)

    def logs_pip(self, more: str = "") -> None:
        """pip installs nothing but is noted in ``calls`` with what the compiler would be told."""
        self.has("cc", "")
        noted = f'echo "pip $* CPPFLAGS=${{CPPFLAGS:-}} CC=${{CC:-}}" >> "{self.log}"'
        self.venv_python(f'if [ "$2" = pip ]; then {noted}; exit; fi\n{more}')

    def stamp(self, name: str, value: str) -> None:
        (self.project / ".venv" / name).write_text(value, encoding="utf-8")

    def digest(self, name: str) -> str:
        return hashlib.sha256((self.project / name).read_bytes()).hexdigest()

    def set_up(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(self.project / "deploy" / "setup.sh"), *arguments],
            env={"PATH": str(self.programs), "HOME": str(self.project), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def calls(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_nothing_is_done_or_said_when_all_is_there(machine: Machine) -> None:
    machine.is_set_up()
    done = machine.set_up()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("version", ["3.15.0", "3.10.13", "3.9.18"])
def test_another_python_is_told_which_ones_will_do(machine: Machine, version: str) -> None:
    machine.has_python(version)
    done = machine.set_up()
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("setup: Tandem needs Python 3.11, 3.12, 3.13 or 3.14")
    assert f"found: {version}" in line
    assert not (machine.project / ".venv").exists()


@pytest.mark.parametrize("version", ["3.11.2", "3.12.1", "3.13.5", "3.14.10"])
@pytest.mark.parametrize("versioned", [True, False])
def test_each_supported_python_is_let_in_and_only_a_compiler_is_missed(
    machine: Machine, version: str, versioned: bool
) -> None:
    if versioned:
        machine.has_python("3.15.0")
    minor = version.rpartition(".")[0]
    machine.has_python(version, f"python{minor}" if versioned else "python3")
    done = machine.set_up()
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("setup: missing: ")
    assert "gcc libc6-dev (to make the virtual environment and to compile durable-rules)" in line


def test_a_python_named_by_hand_must_suit_too(machine: Machine) -> None:
    machine.is_set_up()
    machine.has_python("3.15.0")
    done = machine.set_up(PYTHON=str(machine.programs / "python3"))
    assert done.returncode == 1
    assert "found: 3.15.0" in done.stderr


def test_missing_servers_are_named_in_a_line_where_nothing_can_be_installed(machine: Machine) -> None:
    machine.is_set_up()
    done = machine.set_up("test")
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("setup: missing: ")
    assert "Get it with: sudo apt-get install" in line
    assert line.endswith("prometheus")


def test_root_has_them_installed_after_a_line_about_it(machine: Machine) -> None:
    machine.is_set_up()
    machine.has("id", "echo 0")
    machine.has("apt-get", "")
    done = machine.set_up("test")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("setup: installing with apt: ")
    update, install = [call for call in machine.calls() if call.startswith("apt-get")]
    assert update == "apt-get update -q"
    assert install.startswith("apt-get install -q -y --no-install-recommends ")
    assert install.endswith("prometheus")


def test_sudo_is_used_only_where_it_asks_for_nothing(machine: Machine) -> None:
    machine.is_set_up()
    machine.has("id", "echo 1000")
    machine.has("apt-get", "")
    machine.has("sudo", "exit 1")
    done = machine.set_up("test")
    assert "setup: missing: " in done.stderr
    machine.has("sudo", '[ "$1" = -n ] || exec "$@"')
    done = machine.set_up("test")
    assert done.stdout.startswith("setup: installing with apt: ")
    assert any(call.startswith("apt-get install") for call in machine.calls())


def test_a_failing_apt_shows_what_it_said(machine: Machine) -> None:
    machine.is_set_up()
    machine.has("id", "echo 0")
    machine.has("apt-get", 'echo "E: Unable to locate package"; exit 100')
    done = machine.set_up("test")
    assert "E: Unable to locate package" in done.stderr
    assert "setup: apt could not install: " in done.stderr


def test_the_demo_needs_no_server(machine: Machine) -> None:
    machine.is_set_up()
    machine.has("id", "echo 0")
    machine.has("apt-get", "")
    machine.set_up()
    assert machine.calls() == []


@pytest.mark.parametrize("stale", ["installed-lock", "installed-project"])
def test_an_interrupted_or_outdated_set_up_is_finished(machine: Machine, stale: str) -> None:
    machine.is_set_up()
    (machine.project / ".venv" / stale).unlink()
    machine.logs_pip()
    done = machine.set_up()
    assert done.returncode == 0, done.stderr
    assert "install --no-deps --no-build-isolation --editable ." in machine.calls()[-1]
    assert machine.set_up().stdout == ""


def test_the_engine_is_compiled_apart_under_the_name_that_python_kept(machine: Machine) -> None:
    machine.is_set_up()
    (machine.project / ".venv" / "installed-lock").unlink()
    machine.logs_pip()
    done = machine.set_up(CPPFLAGS="-DOWN", CC="cc -O1")
    assert done.returncode == 0, done.stderr
    _, packages, engine, *_ = machine.calls()
    assert "engine.lock" not in packages and "CPPFLAGS=-DOWN CC=cc -O1" in packages
    assert "--require-hashes" in engine and "--no-cache-dir" in engine and "engine.lock" in engine
    assert engine.endswith("CPPFLAGS=-DOWN -DPyEval_CallObject=PyObject_CallObject CC=cc -O1")
    apart = (machine.project / ".venv" / "engine.lock").read_text()
    assert apart.startswith("durable-rules==2.0.28 ") and apart.count("==") == apart.count("--hash=sha256:") == 1
    whole = (ROOT / "requirements.lock").read_text()
    rest = (machine.project / ".venv" / "packages.lock").read_text()
    assert rest == whole[re.search("(?m)^[a-z0-9]", whole).start() :].replace(apart, "")


def test_an_engine_that_cannot_be_imported_is_compiled_anew(machine: Machine) -> None:
    machine.is_set_up()
    broken = machine.project / "broken"
    broken.touch()
    fails = f'[ ! -e {broken} ] || {{ echo "ImportError: undefined symbol" >&2; exit 1; }}'
    fails = f'case "$*" in *durable_rules_engine*) {fails} ;; esac'
    machine.logs_pip(fails)
    done = machine.set_up()
    assert done.returncode == 1
    assert done.stdout == "setup: the rules engine durable-rules cannot be imported: compiling it anew\n"
    assert done.stderr.startswith("setup: durable-rules was compiled for Python 3.")
    assert done.stderr.endswith(" but cannot be imported: ImportError: undefined symbol\n")
    machine.logs_pip(fails.replace("exit 1", f"rm {broken}; exit 1"))
    assert machine.set_up().returncode == 0
    assert [call for call in machine.calls() if "engine.lock" in call] == machine.calls()[-2:]


def test_a_failing_pip_is_shown_without_its_remarks_about_the_machine(machine: Machine) -> None:
    machine.is_set_up()
    (machine.project / ".venv" / "installed-lock").unlink()
    machine.venv_python(
        'if [ "$2" = pip ]; then echo "WARNING: Location ignored"; echo "ERROR: No space left"; exit 1; fi'
    )
    machine.has("cc", "")
    done = machine.set_up()
    assert done.returncode == 1
    assert "ERROR: No space left" in done.stderr
    assert "WARNING" not in done.stderr
    assert not (machine.project / ".venv" / "installed-lock").exists()


def test_make_lists_its_targets() -> None:
    # The test itself may run under make, whose flags would be inherited.
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}
    done = subprocess.run(
        ["make", "help"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    told = {line.split()[1] for line in done.stdout.splitlines()}
    phony = " ".join(re.findall(r"^\.PHONY:(.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)).split()
    assert {"help", "setup", "demo", "test", "lint"} <= told
    assert told == {name for name in phony if name != "setup-test"}
