"""The pages for coaches do what they say: every command is typed, the reference is what the code writes."""

import re
from pathlib import Path

import pytest

from shared.rules.authoring.reference_page import reference_page
from shared.rules.reading.loader import load_packs
from shared.rules.reading.outcome_values import OUTCOME_VALUES
from shared.rules.vocabulary import FEATURES
from tandem.offline.shipped_rules import shipped_rules
from tests.unit.docs.typed_page import ROOT, typed

REFERENCE = ROOT / "docs" / "reference" / "rules.md"
PAGES = [ROOT / "docs" / "how-to" / name for name in ("edit-a-rule.md", "write-a-tenant-pack.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_the_page_prints_what_the_page_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = 0
    for one in typed(page, tmp_path):
        commands += 1
        assert _told(one.printed) == _told(one.shown), f"{one.command}\n{one.printed}"
    assert commands >= 5


def _told(text: str) -> list[str]:
    """The lines that a page promises: not how large a pack is or where in it a rule stands, nor where the planner puts
    the sessions of the week ahead, which is for the planner's own tests to say."""
    text = re.sub(r"\([0-9a-f]{12}\)", "(hash)", text)
    text = re.sub(r"\d+ (rules|settings|decisions|examples)", r"N \1", text)
    text = re.sub(r"for \d+ of \d+ athletes", "for N athletes", text)
    text = re.sub(r"(base/\w+\.yaml):\d+:\d+", r"\1", text)
    planned = re.compile(r"examples/athletes/\S+\.yaml|  week of .*, as planned|    \S+ moves from .*")
    return [line for line in text.splitlines() if not planned.fullmatch(line)]


def test_the_reference_page_is_what_the_code_writes() -> None:
    written = REFERENCE.read_text(encoding="utf-8")
    assert written == reference_page(load_packs(shipped_rules())), "run: tandem rules reference --write " + str(
        REFERENCE.relative_to(ROOT)
    )


def test_the_reference_page_names_every_feature_outcome_value_and_setting() -> None:
    rows = set(re.findall(r"^\| `([a-z0-9_]+)` \|", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE))
    settings = {name for pack in load_packs(shipped_rules()).values() for name in pack.settings}
    values = {name for declared in OUTCOME_VALUES.values() for name in declared}
    assert (set(FEATURES) | settings | values) - rows == set()


def test_the_link_to_the_how_to_leads_somewhere() -> None:
    for page in (REFERENCE, *PAGES):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
