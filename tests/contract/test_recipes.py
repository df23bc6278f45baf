"""What CONTRIBUTING.md names is there: files, names in files, commands."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
QUOTED = sorted(set(re.findall(r"`([^`\n]+(?:\n[^`\n]+)?)`", TEXT)))
PATHS = [one for one in QUOTED if re.fullmatch(r"[\w.-]+(/[\w.-]+)*(/|\.(py|yaml|yml|md|toml|sh|json))", one)]
NAMES = sorted(set(re.findall(r"`(\w+)`\s+(?:of|in)\s+`([\w/]+\.py)`", TEXT)))
DOTTED = [one for one in QUOTED if re.fullmatch(r"(shared|services|tandem|tests)(\.\w+)+", one)]
COMMANDS = [one for one in QUOTED if one.startswith("tandem ")]


def test_something_is_named() -> None:
    assert len(PATHS) > 20 and len(NAMES) >= 7 and len(COMMANDS) > 2


@pytest.mark.parametrize("path", PATHS)
def test_a_file_that_is_named_is_there(path: str) -> None:
    inside_a_service = [ROOT / "services" / "load" / path, ROOT / path]
    assert any(place.exists() for place in inside_a_service)


@pytest.mark.parametrize(("name", "path"), NAMES)
def test_a_name_that_is_said_to_stand_in_a_file_stands_there(name: str, path: str) -> None:
    source = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"^\s*((class|def) {name}\b|{name}\b.*=)", source, re.MULTILINE)


@pytest.mark.parametrize("dotted", DOTTED)
def test_a_name_with_its_module_is_there(dotted: str) -> None:
    module, _, name = dotted.rpartition(".")
    assert hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_named_is_one(command: str) -> None:
    from click.testing import CliRunner

    from tandem.cli import tandem

    words = [word for word in re.split(r"\s+", command.split(">")[0])[1:] if re.fullmatch(r"[a-z-]+", word)]
    ran = CliRunner().invoke(tandem, [*(word for word in words if not word.startswith("--")), "--help"])
    assert ran.exit_code == 0, ran.output
    assert all(word in ran.output for word in words if word.startswith("--"))
