"""CONTRIBUTING.md and the runbooks name commands, files and settings; all of them must exist."""

import re
from pathlib import Path

import click
import pytest

from shared.ops.settings import PREFIX, Settings
from tandem.cli import tandem

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "deploy" / "runbooks").glob("*.md"))]
FOLDERS = ("services/", "shared/", "tandem/", "rules/", "deploy/", "tests/")


def quoted(document: Path) -> list[str]:
    """What stands in backticks, on one line or over a break."""
    return [" ".join(text.split()) for text in re.findall(r"`([^`]+)`", document.read_text(encoding="utf-8"))]


def identify(document: Path) -> str:
    return document.stem


@pytest.mark.parametrize("document", DOCUMENTS, ids=identify)
def test_files_it_names_exist(document: Path) -> None:
    named = [text for text in quoted(document) if text.startswith(FOLDERS) and not re.search(r"[<*\s]", text)]
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=identify)
def test_commands_it_names_exist(document: Path) -> None:
    unknown = []
    for text in quoted(document):
        if text.startswith("tandem "):
            command: click.Command | None = tandem
            for word in re.findall(r"(?<= )[a-z]+\b", text):
                if isinstance(command, click.Group):
                    command = command.get_command(click.Context(command), word)
            if command is None:
                unknown.append(text)
    assert unknown == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=identify)
def test_targets_it_names_exist(document: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    assert {text.split()[1] for text in quoted(document) if text.startswith("make ")} <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=identify)
def test_settings_it_names_exist(document: Path) -> None:
    named = {name for text in quoted(document) for name in re.findall(rf"\b{PREFIX}[A-Z_]+", text)}
    assert {name for name in named if name.removeprefix(PREFIX).lower() not in Settings.model_fields} == set()


def test_something_of_each_is_named() -> None:
    everything = [text for document in DOCUMENTS for text in quoted(document)]
    for beginning in ("tandem rules ", "make ", "services/", PREFIX):
        assert any(text.startswith(beginning) for text in everything), beginning
