"""JSON from strangers: read quickly where it is sound, refused with a reason where it is not, and never differently."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.messages import json_text
from shared.messages.json_text import canonical, read_json
from shared.messages.validation import InvalidInput

TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
PIECES = ("{", "}", "[", "]", ":", ",", '"', '"a"', '":"', "1", "-0", "1e400", "NaN", "null", " ", "\n", "\\", "é")


def outcome(read: Any, body: bytes) -> Any:
    try:
        return read(body)
    except InvalidInput as refused:
        return [problem.code for problem in refused.problems]


def as_json(value: Any, spaced: bool, escaped: bool) -> bytes:
    separators = (" , ", " : ") if spaced else (",", ":")
    return json.dumps(value, separators=separators, ensure_ascii=escaped).encode()


@given(PLAIN, st.booleans(), st.booleans())
def test_a_sound_document_is_what_python_reads(value: Any, spaced: bool, escaped: bool) -> None:
    body = as_json(value, spaced, escaped)
    if "\\u0000" in body.decode():
        assert outcome(read_json, body) == ["text_invalid"]
    else:
        assert repr(read_json(body)) == repr(json.loads(body))


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example('{"a":":x","a":1}')
@example('{"a":1,"a":":x"}')
@example('{"a" :1,"a":1}')
@example('{"a":{"b":1,"b":1}}')
@example('{"":1,"":1}')
@example('{"a":1e400}')
@example("[1,]")
def test_any_text_is_read_or_refused_as_by_the_close_look(text: str) -> None:
    body = text.encode()
    assert repr(outcome(read_json, body)) == repr(outcome(json_text._read_closely, body))


def test_what_is_sound_needs_no_close_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "_read_closely", None)
    body = b'{"start": "2026-03-02T06:30:00+01:00", "laps": [{"seconds": 278.5, "where": ":"}], "note": "\xc3\xa9"}'
    assert read_json(body)["laps"] == [{"seconds": 278.5, "where": ":"}]


@pytest.mark.parametrize("body", ['{"a":1,"a":2}', '{"a" : 1, "b": {"x": ":", "x": 1}}', '{"\\u0061": 1, "a": 1}'])
def test_a_name_written_twice_is_refused(body: str) -> None:
    assert outcome(read_json, body.encode()) == ["duplicate_name"]


@given(st.dictionaries(TEXT, PLAIN, max_size=5), st.randoms(use_true_random=False))
@example({"b": 2**70, "a": {"d": 1, "c": 2**70}}, None)
def test_equal_documents_are_equal_text_in_any_order(document: dict[str, Any], chance: Any) -> None:
    names = list(document)
    if chance is not None:
        chance.shuffle(names)
    shuffled = {name: document[name] for name in names}
    assert canonical(shuffled) == canonical(document)
    assert json.loads(canonical(document)) == document
    assert list(json.loads(canonical(document))) == sorted(document)
