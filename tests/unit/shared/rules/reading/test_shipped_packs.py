"""The shipped packs: whole, linted, with sources, described by the schema that editors use."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.contract.words import PACK_KINDS, PackKind
from shared.located_yaml.nodes import plain
from shared.rules.authoring.json_schema import rule_file_schema
from shared.rules.authoring.lint import LintFinding, lint
from shared.rules.errors import Mistakes
from shared.rules.reading.loader import load, load_packs, read_tree
from shared.rules.rule_texts import RuleText
from tests.unit.shared.rules.rule_texts import DELOAD_RULE, GAP_RULE, pack_text

RULES = Path(__file__).parents[5] / "rules"
BASE = sorted((RULES / "base").glob("*.yaml"))


def _tree(raw: bytes) -> Any:
    node = read_tree(RuleText("pack.yaml", raw), Mistakes())
    assert node is not None
    return plain(node)


@cache
def _validator() -> Draft202012Validator:
    schema = rule_file_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@cache
def _findings(kind: PackKind) -> tuple[LintFinding, ...]:
    return lint(load_packs(RULES)[kind])


def test_all_five_kinds_are_there_and_nothing_is_remarked() -> None:
    loaded = load(RULES)
    assert set(loaded.packs) == set(PACK_KINDS)
    assert loaded.remarks == ()


@pytest.mark.parametrize("kind", PACK_KINDS)
def test_nothing_is_dead_redundant_or_shadowed_and_every_threshold_has_an_example_on_it(kind: PackKind) -> None:
    assert [str(finding) for finding in _findings(kind)] == []


def test_every_rule_has_a_source() -> None:
    assert [rule.id for pack in load_packs(RULES).values() for rule in pack.rules if not rule.source] == []


def test_the_schema_beside_the_packs_is_the_generated_one() -> None:
    written = (RULES / "schema" / "tandem-rules-1.schema.json").read_text(encoding="utf-8")
    assert written == json.dumps(rule_file_schema(), indent=2, ensure_ascii=False) + "\n", (
        "run: tandem rules schema --write rules/schema/tandem-rules-1.schema.json"
    )


@pytest.mark.parametrize("path", BASE, ids=lambda path: path.name)
def test_the_schema_accepts_the_shipped_packs(path: Path) -> None:
    errors = [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(_tree(path.read_bytes()))]
    assert errors == []
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=../schema/")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("severity: hard", "severity: hrad", GAP_RULE),
        ("severity: hard", "severty: hard", GAP_RULE),
        ("forbid: true", "forbid: false", GAP_RULE),
        ("expect: violates", "expect: breaks", GAP_RULE),
        ("type: easy", "type: easi", GAP_RULE),
        ("weeks_since_deload: at", "weeks_since_delod: at", DELOAD_RULE),
        ("sets: -45 %", "sts: -45 %", DELOAD_RULE),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses_for_structure(old: str, new: str, rule: str) -> None:
    kind = "deload" if rule is DELOAD_RULE else "sequencing"
    assert _validator().is_valid(_tree(pack_text(rule, kind).encode()))
    assert not _validator().is_valid(_tree(pack_text(rule.replace(old, new), kind).encode()))
