"""Strict JSON text into plain values with the place of each (RFC 8259; no NaN, no duplicate names)."""

import bisect
import json
import re
from typing import Any

from tandem.athlete_file.places import BadFile, Document, Mark, Place, child_pointer
from tandem.athlete_file.yaml_document import MAX_LEVELS

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[-+]?[A-Za-z_][A-Za-z_0-9]*")
_STRINGS = json.JSONDecoder()
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_MAX_INTEGER_DIGITS = 40


def parse_json(text: str, file: str) -> Document:
    """Parse ``text``; raises ``BadFile`` where it stops being JSON."""
    document = Document(file)
    scanner = _Scanner(text, document)
    end = scanner.skip(scanner.value(scanner.skip(0), "", None, 0, document.__setattr__, "value"))
    if end != len(text):
        raise scanner.broken(end, "nothing may follow the document")
    return document


class _Scanner:
    def __init__(self, text: str, document: Document) -> None:
        self._text = text
        self._document = document
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def skip(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return match.end() if match else at

    def value(self, at: int, pointer: str, key: Mark | None, level: int, put: Any, name: Any) -> int:
        """Scan the value at offset ``at``, hand it to ``put(name, value)``; returns the offset after it."""
        self._document.places.setdefault(pointer, Place(self._mark(at), key))
        first = self._text[at : at + 1]
        if first in ("{", "["):
            if level >= MAX_LEVELS:
                self._document.problem(self._mark(at), "", "too_deep", f"nested deeper than {MAX_LEVELS} levels")
                raise BadFile(self._document.problems)
            into: dict[str, Any] | list[Any] = {} if first == "{" else []
            put(name, into)
            return (
                self._object(at, pointer, level, into)
                if isinstance(into, dict)
                else self._array(at, pointer, level, into)
            )
        if first == '"':
            value, end = self._string(at)
        else:
            value, end = self._plain(at)
        put(name, value)
        return end

    def _object(self, at: int, pointer: str, level: int, into: dict[str, Any]) -> int:
        keys: dict[str, Mark] = {}
        at = self.skip(at + 1)
        if self._text[at : at + 1] == "}":
            return at + 1
        while True:
            if self._text[at : at + 1] != '"':
                raise self.broken(at, "expected a name in double quotes")
            mark = self._mark(at)
            key, end = self._string(at)
            if key in keys:
                message = f"'{key}' is already given on line {keys[key].line}"
                self._document.problem(mark, child_pointer(pointer, key), "duplicate_key", message)
            keys.setdefault(key, mark)
            end = self.skip(end)
            if self._text[end : end + 1] != ":":
                raise self.broken(end, f"expected ':' after \"{key}\"")
            end = self.value(self.skip(end + 1), child_pointer(pointer, key), mark, level + 1, into.setdefault, key)
            at = self.skip(end)
            if self._text[at : at + 1] == "}":
                return at + 1
            if self._text[at : at + 1] != ",":
                raise self.broken(at, "expected ',' or '}'")
            at = self.skip(at + 1)

    def _array(self, at: int, pointer: str, level: int, into: list[Any]) -> int:
        at = self.skip(at + 1)
        if self._text[at : at + 1] == "]":
            return at + 1
        while True:
            index = len(into)
            at = self.skip(self.value(at, child_pointer(pointer, index), None, level + 1, into.insert, index))
            if self._text[at : at + 1] == "]":
                return at + 1
            if self._text[at : at + 1] != ",":
                raise self.broken(at, "expected ',' or ']'")
            at = self.skip(at + 1)

    def _string(self, at: int) -> tuple[str, int]:
        try:
            value, end = _STRINGS.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            raise self.broken(error.pos, error.msg[0].lower() + error.msg[1:]) from None
        return str(value), end

    def _plain(self, at: int) -> tuple[Any, int]:
        number = _NUMBER.match(self._text, at)
        if number:
            whole = number.group(2) is None and number.group(3) is None
            digits = number.group()
            return (int(digits) if whole and len(digits) <= _MAX_INTEGER_DIGITS else float(digits)), number.end()
        word = _WORD.match(self._text, at)
        if word and word.group() in _WORDS:
            return _WORDS[word.group()], word.end()
        if word and word.group().lstrip("+-").lower() in ("nan", "inf", "infinity"):
            raise self.broken(at, f"{word.group()} is no JSON; numbers are finite, leave an unknown value out")
        raise self.broken(at, "expected a value" if at < len(self._text) else "the text ends where a value is due")

    def broken(self, at: int, message: str) -> BadFile:
        self._document.problem(self._mark(at), "", "json", f"broken JSON: {message}")
        return BadFile(self._document.problems)

    def _mark(self, at: int) -> Mark:
        line = bisect.bisect_right(self._line_starts, at)
        return Mark(line, at - self._line_starts[line - 1] + 1)
