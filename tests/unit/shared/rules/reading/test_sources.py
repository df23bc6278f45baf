"""The list of sources: what it must say, and that what the shipped rules and documents cite stands in it."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from shared.rules.errors import RuleFileErrors
from shared.rules.reading.loader import load_packs
from shared.rules.reading.sources import citations, read_sources, unlisted
from tandem.cli import tandem
from tandem.offline.shipped_rules import shipped_rules

SCIENCE = Path(__file__).parents[5] / "docs" / "explanation" / "science.md"


def test_every_citation_of_the_base_is_listed_and_every_entry_says_what_it_found() -> None:
    listed = read_sources(shipped_rules())
    packs = load_packs(shipped_rules()).values()
    assert unlisted(packs, listed) == []
    assert {one.key for one in citations(packs)} >= {"Coaching practice", "Bosquet 2007", "Frandsen 2025"}
    for key, one in listed.items():
        assert one.found.endswith("."), key
        assert str(one.year) in key or key == "Coaching practice"


def test_coaching_practice_alone_is_no_more_than_practice() -> None:
    packs = load_packs(shipped_rules()).values()
    sources = [one.source for pack in packs for one in [*pack.rules, *pack.settings.values()] if one.source]
    assert len(sources) > 70
    assert [source for source in sources if re.fullmatch(r"Coaching practice(?! \(practice\)).*", source)] == []


def test_every_sentence_that_explains_the_science_names_a_listed_source() -> None:
    text = SCIENCE.read_text(encoding="utf-8")
    part = text.split("## What lies behind the rules")[1].split("\n## ")[0].split("each.\n", 1)[1]
    listed = read_sources(shipped_rules())
    sentences = re.findall(r"[^.]+(?:\.\d[^.]*)*\.", re.sub(r"\*\*[^*]+\*\*", "", re.sub(r"\s+", " ", part)))
    assert len(sentences) > 15
    for sentence in sentences:
        cited = re.search(r"\(([^()]+ \d{4})\)", sentence)
        assert cited and cited[1] in listed, sentence


def test_a_slip_in_the_list_is_told_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text("Foster 2001: {title: A, authors: B, year: soon, published: C, found: D}\n")
    with pytest.raises(RuleFileErrors) as told:
        read_sources(tmp_path)
    assert str(told.value).endswith("sources.yaml:1:43: 'year' of 'Foster 2001' is a year, like 2016")


def test_rules_check_remarks_what_the_base_cites_and_the_list_lacks(tmp_path: Path) -> None:
    import shutil

    rules = tmp_path / "rules"
    shutil.copytree(shipped_rules(), rules)
    pack = rules / "base" / "sequencing.yaml"
    pack.write_text(pack.read_text(encoding="utf-8").replace("Stöggl 2015", "Stögl 2015"), encoding="utf-8")
    result = CliRunner().invoke(tandem, ["rules", "check", "--rules", str(rules)])
    assert result.exit_code == 0
    assert "cites 'Stögl 2015', which sources.yaml does not list; did you mean 'Stöggl 2015'?" in result.stdout


def test_rules_sources_lists_what_rests_on_each() -> None:
    result = CliRunner().invoke(tandem, ["rules", "sources"])
    assert result.exit_code == 0
    assert "doi:10.1136/bjsports-2024-109380" in result.stdout
    assert "base.sequencing/long-run-jump" in result.stdout
    assert "not in the list" not in result.stdout
