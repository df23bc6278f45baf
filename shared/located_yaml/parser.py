"""YAML 1.2 text to a tree with places. Never recursive, never a library's exception text.

Scalars are resolved here: only true/false, null and numbers are more than text, so ``off``, ``no`` and dates stay as
written. Anchors, aliases, tags and depth beyond any real rule file are refused before they can cost anything.
"""

import re
from collections.abc import Iterator

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from shared.located_yaml.nodes import ListNode, MapNode, Node, ScalarNode
from shared.located_yaml.quick_parser import sound_tree
from shared.located_yaml.scalars import resolved
from shared.rules.errors import Mistakes
from shared.rules.model import Position

MAX_DEPTH = 32
MAX_BYTES = 256 * 1024

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def parse_yaml(raw: bytes, file: str, mistakes: Mistakes) -> Node | None:
    """The document's tree, or None with the reason in ``mistakes``."""
    text = _decoded(raw, file, mistakes)
    if text is None:
        return None
    deep = _too_deep(text, file)
    if deep is not None:
        mistakes.add(deep, f"nested deeper than {MAX_DEPTH} levels; a rule file never needs that")
        return None
    sound = sound_tree(text, file, MAX_DEPTH)
    if sound is not None:
        return sound
    try:
        return _tree(YAML(typ="safe", pure=True).parse(text), file, mistakes)
    except MarkedYAMLError as error:
        place, message = _explained(error, text, file)
        mistakes.add(place, message)
    except (YAMLError, ValueError, IndexError, AttributeError, AssertionError, RecursionError):
        # The parser's own slips on hostile text; it gives no place for them.
        mistakes.add(Position(file, 1, 1), "this is not readable YAML")
    return None


def _decoded(raw: bytes, file: str, mistakes: Mistakes) -> str | None:
    start = Position(file, 1, 1)
    if len(raw) > MAX_BYTES:
        mistakes.add(start, f"the file is {len(raw) // 1024} KiB; a rule file is at most {MAX_BYTES // 1024} KiB")
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        mistakes.add(Position(file, line, column), "this is not UTF-8 text; save the file as UTF-8")
        return None
    odd = _FORBIDDEN.search(text)
    if odd is not None:
        mistakes.add(
            _place(text, odd.start(), file), f"a control character (U+{ord(odd[0]):04X}): this is not a text file"
        )
        return None
    if not text.strip():
        mistakes.add(start, "the file is empty; start with 'dialect: tandem-rules/1'")
        return None
    return text


def _place(text: str, offset: int, file: str) -> Position:
    line_start = text.rfind("\n", 0, offset) + 1
    return Position(file, text.count("\n", 0, offset) + 1, offset - line_start + 1)


def _too_deep(text: str, file: str) -> Position | None:
    """Where brackets pile up. The parser looks far ahead inside brackets, so this must come before it."""
    depth = 0
    for match in re.finditer(r"[\[{\]}]", text):
        depth = depth + 1 if match[0] in "[{" else max(0, depth - 1)
        if depth > 4 * MAX_DEPTH:
            return _place(text, match.start(), file)
    return None


def _last_open_bracket(text: str) -> int | None:
    open_: list[int] = []
    for match in re.finditer(r"[\[{\]}]", text):
        if match[0] in "[{":
            open_.append(match.start())
        elif open_:
            open_.pop()
    return open_[-1] if open_ else None


def _tree(events: Iterator[Event], file: str, mistakes: Mistakes) -> Node | None:
    root: Node | None = None
    documents = 0
    # Per open collection: its place, whether in braces, whether it is a mapping, and the nodes read so far.
    open_: list[tuple[Position, bool, bool, list[Node]]] = []
    for event in events:
        mark = event.start_mark
        at = Position(file, mark.line + 1, mark.column + 1)
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                mistakes.add(at, "a second document starts here ('---'); one pack per file")
                return None
            continue
        if isinstance(event, AliasEvent):
            mistakes.add(at, "'*' starts an alias, which rule files do not have; put quotes around the text")
            return None
        if getattr(event, "anchor", None) is not None:
            mistakes.add(at, "'&' starts an anchor, which rule files do not have; put quotes around the text")
            return None
        if isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent) and _tagged(event):
            mistakes.add(at, "'!' starts a tag, which rule files do not have; put quotes around the text")
            return None
        node: Node
        if isinstance(event, SequenceStartEvent | MappingStartEvent):
            if len(open_) >= MAX_DEPTH:
                mistakes.add(at, f"nested deeper than {MAX_DEPTH} levels; a rule file never needs that")
                return None
            open_.append((at, bool(event.flow_style), isinstance(event, MappingStartEvent), []))
            continue
        if isinstance(event, ScalarEvent):
            node = _scalar(event, at)
        elif isinstance(event, SequenceEndEvent | MappingEndEvent):
            began, braces, is_map, nodes = open_.pop()
            node = _mapping(began, braces, nodes, mistakes) if is_map else ListNode(tuple(nodes), began)
        else:
            continue
        if open_:
            open_[-1][3].append(node)
        else:
            root = node
    if root is None or (isinstance(root, ScalarNode) and root.omitted):
        mistakes.add(Position(file, 1, 1), "the file is empty; start with 'dialect: tandem-rules/1'")
        return None
    return root


def _tagged(event: ScalarEvent | SequenceStartEvent | MappingStartEvent) -> bool:
    tag = getattr(event, "ctag", None) or getattr(event, "tag", None)
    return tag is not None and str(tag) not in ("", "!", "None")


def _mapping(at: Position, braces: bool, nodes: list[Node], mistakes: Mistakes) -> MapNode:
    pairs: list[tuple[ScalarNode, Node]] = []
    for name, value in zip(nodes[::2], nodes[1::2], strict=True):
        if isinstance(name, ScalarNode):
            pairs.append((name, value))
        else:
            mistakes.add(name.at, "a name is expected here, not a list or table")
    return MapNode(tuple(pairs), at, braces)


def _scalar(event: ScalarEvent, at: Position) -> ScalarNode:
    text = str(event.value)
    written_plain = event.style is None and bool(event.implicit[0])
    if not written_plain:
        return ScalarNode(text, text, at)
    return ScalarNode(resolved(text), text, at, omitted=text == "")


_GLUED_NAME = re.compile(r"^(\s*(?:- )?)([A-Za-z_][\w -]*):([^\s:]\S*)")
_GLUED_DASH = re.compile(r"^(\s*)-([A-Za-z])")
_AFTER_A_QUOTE = re.compile(r"^\s*(?:- )?[\w -]+: +(?:\"[^\"]*\"|'[^']*') *([^\s#])")


def _slip_of_spacing(lines: list[str], at: Position) -> tuple[Position, str] | None:
    """A space that is missing or is none, on the line of the mistake or above it, where YAML only later stumbles."""
    for number in (at.line, at.line - 1):
        line = lines[number - 1] if 1 <= number <= len(lines) else ""
        if "\u00a0" in line:
            column = line.index("\u00a0") + 1
            return Position(at.file, number, column), "a no-break space (U+00A0); write an ordinary space"
        dash = _GLUED_DASH.match(line)
        if dash is not None:
            return Position(at.file, number, dash.end()), "a space is missing after '-'"
        glued = _GLUED_NAME.match(line)
        if glued is not None:
            told = f"a space is missing after ':'; write '{glued[2]}: {glued[3][:40]}'"
            return Position(at.file, number, len(glued[1]) + len(glued[2]) + 1), told
        after = _AFTER_A_QUOTE.match(line)
        if after is not None and number == at.line:
            place = Position(at.file, number, after.start(1) + 1)
            return place, "a text goes on after its closing quote; put quotes around the whole text"
    return None


def _explained(error: MarkedYAMLError, text: str, file: str) -> tuple[Position, str]:
    """The place and, in a coach's words, what the parser stumbled over."""
    mark = error.problem_mark or error.context_mark
    began = error.context_mark
    at = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file, 1, 1)
    opened = Position(file, began.line + 1, began.column + 1) if began else at
    problem = str(error.problem or "")
    lines = text.split("\n")
    line = lines[at.line - 1] if at.line <= len(lines) else ""
    slip = _slip_of_spacing(lines, at)
    if slip is not None:
        return slip
    if "\\t" in problem or line[: at.column].endswith("\t") or line.startswith("\t"):
        return at, "a tab; indent with spaces"
    if "mapping values are not allowed" in problem:
        if ":" in line[: at.column - 1]:
            return at, "a second ': ' on this line; put quotes around a text that holds a colon"
        return at, "the indentation does not fit the lines above; line it up with its neighbours"
    if "flow mapping" in str(error.context or "") or "flow sequence" in str(error.context or ""):
        closing = "}" if "mapping" in str(error.context) else "]"
        return opened, f"this bracket is never closed, or a comma is missing inside; it needs '{closing}'"
    if "stream end" in problem:
        unclosed = _last_open_bracket(text)
        if unclosed is not None:
            return _place(text, unclosed, file), "this bracket is never closed"
    if "quoted scalar" in str(error.context or ""):
        return opened, "this quote is never closed"
    if "could not find expected ':'" in problem:
        return at, "a ':' is missing after the name in the line above, or a quote or bracket is open"
    if "cannot start any token" in problem:
        return at, f"a text cannot start with '{line[at.column - 1 : at.column]}'; put quotes around it"
    if "alias" in problem or "anchor" in problem:
        return at, "'*' and '&' have a meaning of their own in YAML; put quotes around the text"
    if "block mapping" in str(error.context or "") or "block collection" in str(error.context or ""):
        return at, "the indentation does not fit the lines above, or a '-' or name is missing"
    return at, "this is not readable YAML: look for quotes, brackets and indentation here or in the line above"
