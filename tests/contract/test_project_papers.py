"""What stands around the code: changelog, decision records, hooks for a commit, templates for issues and changes."""

import re
import shlex
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.contract.documents import ROOT, headings, links, read

CHANGELOG = read(ROOT / "CHANGELOG.md")
DECISIONS = ROOT / "docs" / "adr"
RECORDS = sorted(DECISIONS.glob("[0-9]*.md"))
HOOKS = yaml.safe_load(read(ROOT / ".pre-commit-config.yaml"))
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md"))


def test_the_changelog_ends_where_the_project_stands() -> None:
    versions = re.findall(r"(?m)^## \[(.+?)\](?: - (\S+))?$", CHANGELOG)
    assert len(versions) == len(re.findall(r"(?m)^## ", CHANGELOG))
    assert versions[0] == ("Unreleased", "")
    released = [(tuple(map(int, number.split("."))), date.fromisoformat(on)) for number, on in versions[1:]]
    assert released == sorted(released, reverse=True)
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    assert versions[1][0] == project["version"]


def test_the_changelog_has_the_usual_kinds_of_change() -> None:
    kinds = set(re.findall(r"(?m)^### (.+)$", CHANGELOG))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_decisions_are_numbered_and_listed() -> None:
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))
    assert len(RECORDS) >= 10
    assert [link for link in links(read(DECISIONS / "README.md")) if link.endswith(".md")] == [
        record.name for record in RECORDS
    ]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_decision_says_why_and_what_would_reverse_it(record: Path) -> None:
    text = read(record)
    title, *parts = headings(text)
    assert title.startswith(f"{int(record.name[:4])}. ")
    assert parts == ["Why", "Decision", "Price", "What would reverse it"]
    assert re.search(r"(?m)^(Accepted|Superseded by .+) \d{4}-\d{2}-\d{2}", text)
    assert len(text.splitlines()) <= 45


def test_a_commit_is_checked_without_a_network_and_as_lint_does() -> None:
    assert {repository["repo"] for repository in HOOKS["repos"]} == {"local"}
    commands = [shlex.split(hook["entry"]) for repository in HOOKS["repos"] for hook in repository["hooks"]]
    assert [command[0] for command in commands if not (ROOT / command[0]).exists()] == []
    linted = re.findall(r"\$\(BIN\)/(\S+)", re.search(r"(?ms)^lint:.*?\n\n", read(ROOT / "Makefile"))[0])  # type: ignore[index]
    assert {f".venv/bin/{tool}" for tool in linted} <= {command[0] for command in commands}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.stem)
def test_a_template_has_a_name_and_says_whom_it_is_for(template: Path) -> None:
    _, head, body = read(template).split("---\n", 2)
    assert {"name", "about", "labels"} <= set(yaml.safe_load(head))
    assert "**" in body


def test_there_is_a_template_for_each_need() -> None:
    assert {template.stem for template in TEMPLATES} == {"bug", "rule", "feature"}
