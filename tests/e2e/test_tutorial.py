"""The tutorial's commands are typed as they stand, and the reference names every field that there is."""

import re
import shlex
from pathlib import Path

import pytest

from shared.messages.validation import field_names, models_at
from tandem.athlete_file import AthleteFile
from tandem.cli import main

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "your-first-athlete-file.md"
REFERENCE = ROOT / "docs" / "reference" / "athlete-file.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL)


def typed(command: str) -> list[str]:
    program, *arguments = shlex.split(command)
    assert program == ".venv/bin/tandem"
    return [str(ROOT / argument) if argument.startswith("examples/") else argument for argument in arguments]


def test_every_command_of_the_tutorial_works_on_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (document,) = blocks("yaml")
    (tmp_path / "ada.yaml").write_text(document, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shown = {}
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    for command in commands:
        with pytest.raises(SystemExit) as stop:
            main(typed(command))
        told = capsys.readouterr()
        assert not stop.value.code and told.err == "", command
        shown[command] = told.out
    assert len(shown) == 5
    assert "provisional" in shown[".venv/bin/tandem load ada.yaml"]
    assert "limited by sleep" in shown[".venv/bin/tandem readiness ada.yaml"]
    assert "lift lower heavy" in shown[".venv/bin/tandem week ada.yaml"]


def test_the_reference_names_every_field_in_its_section() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^\| `(\w+)` \| (.*)$", text, re.MULTILINE))
    assert set(sections) == set(field_names(AthleteFile))
    for section, row in sections.items():
        for model in models_at(AthleteFile, [section]) or models_at(AthleteFile, [section, 0]):
            assert [name for name in field_names(model) if f"`{name}`" not in row] == [], section
