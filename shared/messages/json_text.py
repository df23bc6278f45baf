"""Reads JSON from strangers: bounded size and depth, no NaN, no duplicate names, every refusal with its place."""

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

import orjson
from pydantic_core import from_json, to_json

from shared.messages.validation import InvalidInput, Problem

MAX_BYTES = 256 * 1024
PAGE_BYTES = 128 * 1024
"""Of the items of one answer; the rest comes when it is asked for."""
MAX_DEPTH = 32

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_OPENING = frozenset(b"[{")
_UNREAD = object()


def read_json(body: bytes, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """``body`` (UTF-8) as plain values; raises InvalidInput with one problem about the whole document."""
    if len(body) > max_bytes:
        _refuse("too_large", f"{len(body)} bytes, and at most {max_bytes} are taken")
    if _deeper_than(body, max_depth):
        _refuse("too_deep", f"nested deeper than {max_depth} levels")
    value = _read_quickly(body)
    return _read_closely(body) if value is _UNREAD else value


def page(items: Iterable[Any], limit: int | None = None, at_most: int = PAGE_BYTES) -> tuple[list[Any], int]:
    """The first items, at most ``limit`` and as many as ``at_most`` bytes hold, but one at least; and how many."""
    told: list[Any] = []
    size = 0
    for item in items:
        size += len(canonical(item))
        if told and (size > at_most or len(told) == limit):
            break
        told.append(item)
    return told, len(told)


def canonical(value: Any) -> bytes:
    """``value`` as JSON text; equal documents, however their names are ordered, are equal text."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a whole number of more than 64 bits
        return to_json(_with_sorted_names(value))


def _read_quickly(body: bytes) -> Any:
    """A sound document, as most are; _UNREAD where there may be something to refuse.

    A name that is written twice is gone from what was read, and with it a colon: without escapes, all other colons are
    written as they were read.
    """
    if b"\\" in body:
        return _UNREAD
    try:
        value = from_json(body, allow_inf_nan=False)
        written = orjson.dumps(value)
    except (ValueError, TypeError):
        return _UNREAD
    return value if written.count(b":") == body.count(b":") else _UNREAD


def _read_closely(body: bytes) -> Any:
    """The same, and where it is refused, why."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse("not_utf8", f"not UTF-8 text: byte {error.start} is {body[error.start]:#04x}")
    try:
        value = _DECODER.decode(text)
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


def _with_sorted_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_sorted_names(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_with_sorted_names(inner) for inner in value]
    return value


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


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object)
