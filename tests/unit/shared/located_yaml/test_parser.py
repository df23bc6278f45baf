"""One reader for rule files and athlete files: what a scalar is, and what is refused, is the same in both."""

import json
from pathlib import Path
from unittest import mock

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.located_yaml import parser
from shared.located_yaml.json_parser import parse_json
from shared.located_yaml.nodes import ListNode, MapNode, Mistake, Node, ScalarNode, plain
from shared.located_yaml.parser import MAX_DEPTH, MAX_MISTAKES, parse_yaml, read_yaml
from shared.located_yaml.scalars import whole
from shared.rules.reading.rule_files import RULE_FILE
from tandem.athlete_file.source import ATHLETE_FILE

KINDS = pytest.mark.parametrize("kind", [RULE_FILE, ATHLETE_FILE], ids=lambda kind: kind.noun)
RULES = Path(__file__).parents[4] / "rules"


def tree_of(text: str | bytes, kind=ATHLETE_FILE) -> tuple[Node | None, list[Mistake]]:
    mistakes: list[Mistake] = []
    raw = text if isinstance(text, bytes) else text.encode()
    return read_yaml(raw, "a.yaml", kind, mistakes), mistakes


@KINDS
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("010", 10.0), ("1e3", 1000.0), ("+5", 5.0), ("5.", 5.0), (".5", 0.5), ("-0", 0.0), ("1" * 41, float("1" * 41)),
        ("1_000", "1_000"), ("0x1f", "0x1f"), ("0o17", "0o17"), ("1:30", "1:30"), ("06:00", "06:00"), ("٣", "٣"),
        ("2026-03-02", "2026-03-02"), ("2026-03-02T07:00:00Z", "2026-03-02T07:00:00Z"),
        ("no", "no"), ("on", "on"), ("y", "y"), ("true", True), ("False", False), ("tRUE", "tRUE"),
        ("~", None), ("null", None), ("Null", None), ("", None), ("none", "none"),
        ("'010'", "010"), ('"true"', "true"), ("!!str 5", "5"), ("1e308", 1e308), ("<<", "<<"), ("=", "="),
    ],
)  # fmt: skip
def test_a_scalar_is_what_the_core_schema_says(kind, written: str, value: object) -> None:
    root, mistakes = tree_of(f"a: {written}\n", kind)
    assert not mistakes and isinstance(root, MapNode)
    node = root.pairs[0][1]
    assert isinstance(node, ScalarNode)
    assert (node.value, type(node.value)) == (value, type(value))


@KINDS
@pytest.mark.parametrize(
    ("text", "line", "column", "code", "message"),
    [
        ("a: .inf\n", 1, 4, "finite_number", "a number must be finite, not .inf; put quotes around it"),
        ("a: -.INF\n", 1, 4, "finite_number", "a number must be finite, not -.INF"),
        ("a: [.nan]\n", 1, 5, "finite_number", "a number must be finite, not .nan"),
        ("a: 1e999\n", 1, 4, "finite_number", "a number must be finite, not 1e999"),
        ("a: " + "9" * 400 + "\n", 1, 4, "finite_number", "a number must be finite, not 999"),
        ("a: &x 1\n", 1, 4, "anchor", "'&' starts an anchor, which {}s do not have; put quotes around the text"),
        ("a: *x\n", 1, 4, "alias", "'*' starts an alias, which {}s do not have; put quotes around the text"),
        ("a: !x 1\n", 1, 4, "tag", "'!' starts the tag '!x', which {}s do not have; put quotes around the text"),
        ("a: !!int 1\n", 1, 4, "tag", "'!' starts the tag 'tag:yaml.org,2002:int', which {}s do not have"),
        ("[a, b]: 1\n", 1, 1, "key", "a name is expected here, not a list or table"),
        ("a: 1\n---\nb: 2\n", 2, 1, "documents", "a second document starts here ('---'); one {}, one document"),
        ("", 1, 1, "empty", "the file is empty; start with '"),
        ("# only\n", 1, 1, "empty", "the file is empty; start with '"),
        ("a: [b\n", 1, 4, "yaml", "this bracket is never closed"),
        ("a: b\u2028c\n", 1, 5, "unseen", "a character that does not show (U+2028); take it away"),
        ("a: b\ufeff\n", 1, 5, "unseen", "a character that does not show (U+FEFF); take it away"),
        ("a: \x07\n", 1, 4, "binary", "a control character (U+0007): this is not a text file"),
        (b"a: \x00\n", 1, 4, "binary", "a control character (U+0000): this is not a text file"),
        (b"a: 1\n\xc3\xa9: \xff\n", 2, 4, "binary", "this is not UTF-8 text: byte 0xff stands here; save the file as"),
        ("a: 1\n".encode("utf-16"), 1, 1, "encoding", "this is UTF-16; save it as UTF-8"),
        ("- " * 40 + "a\n", 1, 65, "too_deep", "nested deeper than 32 levels; no {} needs that"),
    ],
)  # fmt: skip
def test_what_is_refused_is_told_with_its_place_and_its_cure(
    kind, text: str | bytes, line: int, column: int, code: str, message: str
) -> None:
    mistakes = tree_of(text, kind)[1]
    assert len(mistakes) == 1, mistakes
    at, told_code, told = mistakes[0]
    assert (at.line, at.column, told_code) == (line, column, code)
    assert told.startswith(message.format(kind.noun))


@KINDS
def test_a_file_larger_than_its_kind_needs_is_not_read(kind) -> None:
    (mistake,) = tree_of(b"a" * (kind.max_bytes + 1), kind)[1]
    assert mistake.code == "too_large" and f"no {kind.noun} needs" in mistake.message


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffa: 1\nb: x\n",
        "a: 1\r\nb: x\r\n",
        "a: 1\rb: x\r",
        "---\na: 1\nb: x\n...\n",
        "%YAML 1.2\n---\na: 1\nb: x\n",
    ],
)
def test_a_byte_order_mark_other_line_ends_and_document_marks_change_nothing(text: str) -> None:
    root, mistakes = tree_of(text)
    assert not mistakes and root is not None and plain(root) == {"a": 1.0, "b": "x"}
    assert isinstance(root, MapNode) and root.pairs[1][1].at.column == 4
    assert root.pairs[1][1].at.line - root.pairs[0][1].at.line == 1


def test_a_name_given_twice_stands_in_the_tree_twice() -> None:
    root, mistakes = tree_of("a: 1\na: 2\n")
    assert not mistakes and isinstance(root, MapNode) and list(root.keys()) == ["a", "a"]


def test_reading_ends_after_a_hundred_mistakes() -> None:
    root, mistakes = tree_of("- &a 1\n" * 5_000)
    assert root is None and len(mistakes) == MAX_MISTAKES


def test_a_whole_number_keeps_its_last_digit() -> None:
    assert whole("12345678901234567890") == 12345678901234567890
    assert [whole(text) for text in ("1.0", "1e3", "x", "1" * 41)] == [None] * 4


def test_the_shipped_packs_are_the_same_tree_without_libyaml() -> None:
    for path in sorted((RULES / "base").glob("*.yaml")):
        tree, mistakes = tree_of(path.read_bytes(), RULE_FILE)
        with mock.patch.object(parser, "_LOADER", yaml.SafeLoader):
            assert tree_of(path.read_bytes(), RULE_FILE) == (tree, mistakes)
        assert tree is not None and not mistakes


SOUND = """\
id: x
words: {hard run: {any: [{kind: run, type: [tempo, race]}]}, b: }
rules:
  - id: gap   # a comment
    title: 'six hours'
    when: {first: any lift, gap: less than 6 h}
    because: >
      The lift
      suffers.
"""
BITS = st.sampled_from(
    ["{", "}", "[", "]", ":", ": ", "- ", "\n", "\n  ", "'", '"', "#", "&a ", "*a", "!!int ", "|", ">", "%", "@",
     ",", "---\n", "...\n", "~", "null", "1e400", ".inf", "\x00", "<<: ", "gap", "0x1F", "ünï", "=", "`"]
)  # fmt: skip
CUTS = st.tuples(st.integers(0, len(SOUND)), st.integers(0, 12), BITS)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CUTS, max_size=3))
def test_what_both_parsers_read_is_the_same_tree(cuts: list[tuple[int, int, str]]) -> None:
    text = SOUND
    for at, length, bit in cuts:
        text = text[:at] + bit + text[at + length :]
    with_libyaml, mistakes = tree_of(text)
    with mock.patch.object(parser, "_LOADER", yaml.SafeLoader):
        without, told = tree_of(text)
    if with_libyaml is not None and without is not None and not mistakes and not told:
        assert plain(with_libyaml) == plain(without)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["C"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc/~", max_size=3), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(values)
def test_json_and_yaml_of_the_same_values_are_the_same_tree_of_values(value: object) -> None:
    text = json.dumps(value)
    mistakes: list[Mistake] = []
    from_json = parse_json(text, "a.json", mistakes)
    from_yaml = parse_yaml(text, "a.yaml", ATHLETE_FILE, mistakes)
    assert from_json is not None and not [one for one in mistakes if one.code != "yaml"]
    if from_yaml is not None:
        assert plain(from_json) == plain(from_yaml)


def test_json_has_the_same_places_and_depth_as_yaml() -> None:
    text = '{"a": [1, {"b": "c"}],\n "d": true}'
    assert parse_json(text, "x", []) == parse_yaml(text, "x", ATHLETE_FILE, [])
    mistakes: list[Mistake] = []
    assert parse_json("[" * (MAX_DEPTH + 1), "x", mistakes) is None
    assert (mistakes[0].code, mistakes[0].at.column) == ("too_deep", MAX_DEPTH + 1)
    assert isinstance(parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH, "x", []), ListNode)
