"""Reads JSON from strangers: bounded size and depth, no NaN, no duplicate names, every refusal with its place."""

import json
import re
from operator import itemgetter
from typing import Any, NoReturn

from shared.messages.problems import InvalidInput, Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_OPENING = frozenset(b"[{")
_name_of = itemgetter(0)


def read_json(body: bytes, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH, names_sorted: bool = False) -> Any:
    """``body`` (UTF-8) as plain values; raises InvalidInput with one problem about the whole document.

    ``names_sorted``: every object's names in alphabetical order, so that equal documents are equal text when written.
    """
    if len(body) > max_bytes:
        _refuse("too_large", f"{len(body)} bytes, and at most {max_bytes} are taken")
    if _deeper_than(body, max_depth):
        _refuse("too_deep", f"nested deeper than {max_depth} levels")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse("not_utf8", f"not UTF-8 text: byte {error.start} is {body[error.start]:#04x}")
    try:
        value = (_SORTED if names_sorted else _AS_WRITTEN).decode(text)
    except json.JSONDecodeError as error:
        what = "the document is empty" if not text.strip() else f"not JSON: {error.msg}"
        _refuse("json_invalid", f"{what} (line {error.lineno}, column {error.colno})")
    except ValueError as error:
        if isinstance(error, InvalidInput):
            raise
        _refuse("json_invalid", f"not JSON that can be read: {error}")
    if "\\u" in text:
        _refuse_unstorable_text(value)
    return value


def _deeper_than(body: bytes, limit: int) -> bool:
    """Looks at brackets outside strings only, before anything is built; cheap for any nesting."""
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
    depth = 0
    for bracket in _STRINGS.sub(b"", body).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in _OPENING else -1
        if depth > limit:
            return True
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        _refuse("duplicate_name", f"'{twice[:60]}' is written twice in one object")
    return found


def _sorted_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return _object(sorted(pairs, key=_name_of))


def _refuse_unstorable_text(value: Any) -> None:
    """Half a surrogate pair has no UTF-8 form, and PostgreSQL stores no NUL character."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            _refuse("text_invalid", "a text holds a NUL character or half of a surrogate pair")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _refuse_unstorable_text(name)
            _refuse_unstorable_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse_unstorable_text(inner)


def _refuse_constant(word: str) -> NoReturn:
    _refuse("finite_number", f"a number must be finite, and {word} is not JSON")


def _refuse(code: str, message: str) -> NoReturn:
    raise InvalidInput([Problem("", code, message)])


_AS_WRITTEN = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object)
_SORTED = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_sorted_object)
