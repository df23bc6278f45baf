"""The pages name commands, files, make targets and settings and link to each other; all of it must exist."""

import re
from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from shared.ops.settings import PREFIX, Settings
from tandem.cli import tandem
from tests.contract.documents import ROOT, broken_links, links, name_of, pages, quoted, read

FOLDERS = (
    ".ci/",
    "benchmarks/",
    "deploy/",
    "docs/",
    "examples/",
    "rules/",
    "services/",
    "shared/",
    "tandem/",
    "tests/",
)
MADE_BY_OPERATORS = "rules/tenants/"
NOT_IN_SETTINGS = {
    "TANDEM_FUZZ_SECONDS",  # read by `make fuzz`
}

every_page = pytest.mark.parametrize("page", pages(), ids=name_of)
every_page_of_today = pytest.mark.parametrize(
    "page", [page for page in pages() if page.name != "CHANGELOG.md"], ids=name_of
)
"""The changelog also names what is gone."""


@every_page
def test_its_links_lead_to_files_and_headings(page: Path) -> None:
    assert broken_links(read(page), page) == []


@every_page_of_today
def test_files_it_names_exist(page: Path) -> None:
    named = [text for text in quoted(read(page)) if text.startswith(FOLDERS) and not re.search(r"[<>*{}\s]", text)]
    named = [text.partition(":")[0] for text in named if not text.startswith(MADE_BY_OPERATORS)]
    assert [name for name in named if not (ROOT / name).exists()] == []


@every_page_of_today
def test_commands_it_names_exist(page: Path) -> None:
    commands = [text for text in quoted(read(page)) if text.startswith("tandem ")]
    unknown = [text for text in commands if not _is_command(text.split()[1:])]
    assert unknown == []


@every_page_of_today
def test_modules_it_names_without_a_folder_exist(page: Path) -> None:
    named = {text for text in quoted(read(page)) if re.fullmatch(r"\w+\.py", text)}
    folders = [ROOT / folder for folder in FOLDERS if folder.rstrip("/") in ("services", "shared", "tandem", "tests")]
    assert [name for name in named if not any(any(folder.rglob(name)) for folder in folders)] == []


def _is_command(words: Sequence[str]) -> bool:
    """``tenant forget-rules acme``; ``a|b`` are two commands of one group, and what begins otherwise is an argument."""
    group: click.Command = tandem
    for word in words:
        if not isinstance(group, click.Group) or not re.fullmatch(r"[a-z][a-z|-]*", word):
            return True
        found = [group.get_command(click.Context(group), name) for name in word.split("|")]
        if None in found:
            return False
        group = found[0]
    return True


@every_page_of_today
def test_targets_it_names_exist(page: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    assert {text.split()[1] for text in quoted(read(page)) if re.match(r"make [a-z]", text)} <= targets


@every_page_of_today
def test_settings_it_names_exist(page: Path) -> None:
    named = {
        name for text in quoted(read(page)) for name in re.findall(rf"\b{PREFIX}[A-Z_]+\b", text)
    } - NOT_IN_SETTINGS
    fields = {name: name.removeprefix(PREFIX).lower() for name in named}
    unknown = {
        name
        for name, field in fields.items()
        if field not in Settings.model_fields and field.removesuffix("_file") not in Settings.model_fields
    }
    assert unknown == set()


def test_something_of_each_is_named() -> None:
    everything = [text for page in pages() for text in quoted(read(page))]
    for beginning in ("tandem rules ", "make ", "services/", PREFIX):
        assert any(text.startswith(beginning) for text in everything), beginning
    assert sum(len(links(read(page))) for page in pages()) > 50


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("[a](delivery.md#where-it-ends)", []),
        ("[a](delivery.md#nowhere)", ["delivery.md#nowhere"]),
        ("[a](../not-there.md) [b](../README.md)", ["../not-there.md"]),
        ("[a](../../../outside)", ["../../../outside"]),
        ("[a](https://example.org/x)", []),
        ("# Here\n[a](#here) [b](#there)", ["#there"]),
        ("`[a](not-there)` and\n```\n[b](not-there)\n```\n", []),
    ],
)
def test_a_link_that_leads_nowhere_is_seen(text: str, broken: list[str]) -> None:
    assert broken_links(text, ROOT / "docs" / "explanation" / "page.md") == broken
