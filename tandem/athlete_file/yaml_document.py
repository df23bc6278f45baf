"""YAML text into plain values with the place of each, from the parser's events and without recursion.

Scalars follow the YAML 1.2 core schema, so ``06:00``, ``no`` and ``2026-03-02`` stay text. Aliases, tags and further
documents are refused: an athlete file has no need of them, and aliases can blow a small file up to any size.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml  # type: ignore[import-untyped]

from tandem.athlete_file.places import BadFile, Document, Mark, Place, child_pointer

MAX_LEVELS = 32
_PARSER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_INTEGER = re.compile(r"[-+]?[0-9]{1,40}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WORDS |= {".nan": math.nan, ".NaN": math.nan, ".NAN": math.nan}
_WORDS |= {sign + word: math.copysign(math.inf, -1 if sign == "-" else 1)
           for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")}  # fmt: skip


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    into: dict[str, Any] | list[Any]
    pointer: str
    key: str | None = None
    key_mark: Mark | None = None
    seen: dict[str, Mark] = field(default_factory=dict)


def parse_yaml(text: str, file: str) -> Document:
    """Parse ``text``; raises ``BadFile`` when it is no YAML at all, else lists the problems in the document."""
    document = Document(file)
    try:
        _Builder(document).run(text)
    except yaml.MarkedYAMLError as error:
        mark = _mark(error.problem_mark or error.context_mark)
        document.problem(mark, "", "yaml", _syntax_message(error))
        raise BadFile(document.problems) from None
    except yaml.YAMLError as error:
        document.problem(Mark(1, 1), "", "yaml", f"no YAML: {error}")
        raise BadFile(document.problems) from None
    return document


def scalar(text: str) -> Any:
    """A plain scalar by the YAML 1.2 core schema (without octal and hexadecimal)."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


class _Builder:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._stack: list[_Open] = []
        self._documents = 0

    def run(self, text: str) -> None:
        for event in yaml.parse(text, Loader=_PARSER):
            mark = _mark(event.start_mark)
            if isinstance(event, yaml.ScalarEvent):
                self._take_scalar(event, mark)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open(event, mark)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._stack.pop()
            elif isinstance(event, yaml.AliasEvent):
                self._place(None, mark)
                self._problem(mark, "alias", f"'*{event.anchor}': aliases are not used here; write the value out")
            elif isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    self._document.problem(
                        mark, "", "documents", "a second document begins here; one file, one athlete"
                    )
                    raise BadFile(self._document.problems)

    def _take_scalar(self, event: Any, mark: Mark) -> None:
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.into, dict) and top.key is None:
            self._take_key(top, event.value, mark)
            return
        tagged = event.tag not in (None, "!", "tag:yaml.org,2002:str")
        quoted = not event.implicit[0]
        self._place(event.value if quoted or tagged else scalar(event.value), mark)
        if tagged:
            self._problem(mark, "tag", f"tag '{event.tag}' is not used here; write the plain value")

    def _take_key(self, top: _Open, key: str, mark: Mark) -> None:
        if key in top.seen:
            first = top.seen[key].line
            pointer = child_pointer(top.pointer, key)
            self._document.problem(mark, pointer, "duplicate_key", f"'{key}' is already given on line {first}")
        top.seen.setdefault(key, mark)
        top.key, top.key_mark = key, mark

    def _open(self, event: Any, mark: Mark) -> None:
        if len(self._stack) >= MAX_LEVELS:
            self._document.problem(mark, "", "too_deep", f"nested deeper than {MAX_LEVELS} levels")
            raise BadFile(self._document.problems)
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.into, dict) and top.key is None:
            self._document.problem(mark, top.pointer, "key", "a key is a word, not a list or a mapping")
            raise BadFile(self._document.problems)
        into: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        pointer = self._place(into, mark)
        if event.tag is not None:
            self._document.problem(mark, pointer, "tag", f"tag '{event.tag}' is not used here; write the plain value")
        self._stack.append(_Open(into, pointer))

    def _place(self, value: Any, mark: Mark) -> str:
        """Put ``value`` where it belongs; returns its pointer."""
        if not self._stack:
            self._document.value = value
            self._document.places[""] = Place(mark)
            return ""
        top = self._stack[-1]
        if isinstance(top.into, list):
            pointer = child_pointer(top.pointer, len(top.into))
            top.into.append(value)
            self._document.places[pointer] = Place(mark)
            return pointer
        key = top.key if top.key is not None else ""
        pointer = child_pointer(top.pointer, key)
        top.into.setdefault(key, value)
        self._document.places.setdefault(pointer, Place(mark, top.key_mark))
        top.key = None
        return pointer

    def _problem(self, mark: Mark, code: str, message: str) -> None:
        self._document.problem(mark, self._stack[-1].pointer if self._stack else "", code, message)


def _mark(mark: Any) -> Mark:
    return Mark(1, 1) if mark is None else Mark(mark.line + 1, mark.column + 1)


def _syntax_message(error: yaml.MarkedYAMLError) -> str:
    message = f"broken YAML: {error.problem or error.context}"
    if error.problem and error.context:
        begun = f", begun on line {error.context_mark.line + 1}" if error.context_mark else ""
        message += f" ({error.context}{begun})"
    return message
