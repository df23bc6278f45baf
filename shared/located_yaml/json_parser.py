"""Strict JSON text to the tree that YAML text gives (RFC 8259; no NaN)."""

import bisect
import json
import re

from shared.located_yaml.collector import gc_paused
from shared.located_yaml.nodes import ListNode, MapNode, Mistake, Node, Position, ScalarNode, ScalarValue
from shared.located_yaml.parser import MAX_DEPTH
from shared.located_yaml.scalars import NotFinite, number

_SPACE = re.compile(r"[ \t\n\r]*")
_COLON = re.compile(r"[ \t\n\r]*:[ \t\n\r]*")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[-+]?[A-Za-z_][A-Za-z_0-9]*")
_PLAIN_STRING = re.compile(r'"([^"\\\x00-\x1f]*)"')
_STRINGS = json.JSONDecoder()
_WORDS: dict[str, ScalarValue | None] = {"true": True, "false": False, "null": None}


class _Broken(Exception):
    """Nothing more can be read; the mistake that says why is told already."""


@gc_paused()
def parse_json(text: str, file: str, mistakes: list[Mistake]) -> Node | None:
    """The document's tree, or None with the reason in ``mistakes``; a tree may have mistakes, too."""
    scanner = _Scanner(text, file, mistakes)
    try:
        root, end = scanner.value(scanner.skip(0), 0)
        if scanner.skip(end) != len(text):
            raise scanner.broken(scanner.skip(end), "nothing may follow the document")
    except _Broken:
        return None
    return root


class _Scanner:
    def __init__(self, text: str, file: str, mistakes: list[Mistake]) -> None:
        self._text = text
        self._file = file
        self._mistakes = mistakes
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text)), len(text) + 1]
        self._line = self._line_from = self._line_to = 0

    def skip(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return match.end() if match else at

    def value(self, at: int, level: int) -> tuple[Node, int]:
        """The value at offset ``at``, and the offset after it."""
        first = self._text[at : at + 1]
        if first in ("{", "["):
            if level >= MAX_DEPTH:
                self._mistakes.append(Mistake(self._at(at), "too_deep", f"nested deeper than {MAX_DEPTH} levels"))
                raise _Broken
            return self._object(at, level) if first == "{" else self._array(at, level)
        return self._string(at) if first == '"' else self._plain(at)

    def _object(self, start: int, level: int) -> tuple[MapNode, int]:
        opened = self._at(start)
        pairs: list[tuple[ScalarNode, Node]] = []
        at = self.skip(start + 1)
        while self._text[at : at + 1] != "}" or pairs:
            if self._text[at : at + 1] != '"':
                raise self.broken(at, "expected a name in double quotes")
            name, end = self._string(at)
            colon = _COLON.match(self._text, end)
            if colon is None:
                raise self.broken(self.skip(end), f"expected ':' after \"{name.text}\"")
            value, end = self.value(colon.end(), level + 1)
            pairs.append((name, value))
            at = self.skip(end)
            if self._text[at : at + 1] == "}":
                break
            at = self._after_comma(at, "}")
        return MapNode(tuple(pairs), opened, braces=True), at + 1

    def _array(self, start: int, level: int) -> tuple[ListNode, int]:
        opened = self._at(start)
        items: list[Node] = []
        at = self.skip(start + 1)
        while self._text[at : at + 1] != "]" or items:
            item, end = self.value(at, level + 1)
            items.append(item)
            at = self.skip(end)
            if self._text[at : at + 1] == "]":
                break
            at = self._after_comma(at, "]")
        return ListNode(tuple(items), opened), at + 1

    def _after_comma(self, at: int, closing: str) -> int:
        if self._text[at : at + 1] != ",":
            raise self.broken(at, f"expected ',' or '{closing}'")
        return self.skip(at + 1)

    def _string(self, at: int) -> tuple[ScalarNode, int]:
        plain = _PLAIN_STRING.match(self._text, at)
        if plain is not None:
            return ScalarNode(plain[1], plain[1], self._at(at)), plain.end()
        try:
            value, end = _STRINGS.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            raise self.broken(error.pos, error.msg[0].lower() + error.msg[1:]) from None
        return ScalarNode(value, value, self._at(at)), end

    def _plain(self, at: int) -> tuple[ScalarNode, int]:
        digits = _NUMBER.match(self._text, at)
        if digits:
            try:
                return ScalarNode(number(digits[0]), digits[0], self._at(at)), digits.end()
            except NotFinite:
                message = f"a number must be finite, not {digits[0][:40]}"
                self._mistakes.append(Mistake(self._at(at), "finite_number", message))
                return ScalarNode(None, digits[0], self._at(at)), digits.end()
        word = _WORD.match(self._text, at)
        if word and word[0] in _WORDS:
            return ScalarNode(_WORDS[word[0]], word[0], self._at(at)), word.end()
        if word and word[0].lstrip("+-").lower() in ("nan", "inf", "infinity"):
            raise self.broken(at, f"{word[0]} is no JSON; numbers are finite, leave an unknown value out")
        raise self.broken(at, "expected a value" if at < len(self._text) else "the text ends where a value is due")

    def broken(self, at: int, message: str) -> _Broken:
        self._mistakes.append(Mistake(self._at(at), "json", f"broken JSON: {message}"))
        return _Broken()

    def _at(self, offset: int) -> Position:
        """Nearly always on the line asked about last."""
        if not self._line_from <= offset < self._line_to:
            self._line = bisect.bisect_right(self._line_starts, offset)
            self._line_from, self._line_to = self._line_starts[self._line - 1 : self._line + 1]
        return Position(self._file, self._line, offset - self._line_from + 1)
