"""YAML text to a tree with places: libyaml's events, without recursion and without a library's exception text.

Where PyYAML was built without libyaml, its parser in Python gives the same events, twenty times slower. Anchors,
aliases, tags, further documents and depth beyond any real file are refused before they can cost anything.
"""

import re
from collections.abc import Callable
from typing import Any

import yaml

from shared.located_yaml.collector import gc_paused
from shared.located_yaml.nodes import ListNode, MapNode, Mistake, Node, Position, ScalarNode, ScalarValue
from shared.located_yaml.scalars import NotFinite, resolved
from shared.located_yaml.slips import explained
from shared.located_yaml.text import FileKind, decoded, position_at

MAX_DEPTH = 32
MAX_MISTAKES = 100
"""After so many nothing more is read: a file of anchors alone would fill memory with messages."""

_EXPLAINED_CHARACTERS = 256 * 1024
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNSEEN = re.compile("[\x85\u2028\u2029\ufeff]")
"""What YAML 1.2 takes for text and libyaml for the end of a line or of nothing."""
_TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")


class _Unreadable(Exception):
    """No tree can be made; the mistake that says why is told already."""


def read_yaml(raw: bytes, file: str, kind: FileKind, mistakes: list[Mistake]) -> Node | None:
    """The document's tree, or None with the reason in ``mistakes``; a tree may have mistakes, too."""
    text = decoded(raw, file, kind, mistakes)
    return None if text is None else parse_yaml(text, file, kind, mistakes)


@gc_paused()
def parse_yaml(text: str, file: str, kind: FileKind, mistakes: list[Mistake]) -> Node | None:
    """As ``read_yaml``, of decoded text."""
    unseen = _UNSEEN.search(text)
    if unseen is not None:
        message = f"a character that does not show (U+{ord(unseen[0]):04X}); take it away"
        mistakes.append(Mistake(position_at(text, unseen.start(), file), "unseen", message))
        return None
    try:
        parser = _LOADER(text)
        try:
            root = _tree(parser.get_event, file, kind, mistakes)
        finally:
            parser.dispose()
    except _Unreadable:
        return None
    except yaml.MarkedYAMLError as error:
        place, message = explained(_better_placed(error, text), text, file)
        mistakes.append(Mistake(place, "yaml", message))
        return None
    except (yaml.YAMLError, ValueError):  # The parser's own slips on hostile text; it gives no place for them.
        mistakes.append(Mistake(Position(file, 1, 1), "yaml", "this is not readable YAML"))
        return None
    if root is None or (isinstance(root, ScalarNode) and root.omitted):
        mistakes.append(Mistake(Position(file, 1, 1), "empty", kind.empty()))
        return None
    return root


def _tree(next_event: Callable[[], Any], file: str, kind: FileKind, mistakes: list[Mistake]) -> Node | None:
    root: list[Node] = []
    nodes = root
    open_: list[tuple[Any, list[Node]]] = []
    documents = 0
    scalar_event = yaml.ScalarEvent
    while (type_ := type(event := next_event())) is not yaml.StreamEndEvent:
        if type_ is scalar_event:
            text, mark = event.value, event.start_mark
            at = Position(file, mark.line + 1, mark.column + 1)
            if event.anchor is not None or event.tag is not None:
                _refuse_anchor_or_tag(event, at, kind, mistakes)
            value: ScalarValue | None = text
            if event.implicit[0] and not event.style:
                try:
                    value = resolved(text)
                except NotFinite:
                    value = None
                    message = f"a number must be finite, not {text[:40]}; put quotes around it if it is a text"
                    mistakes.append(Mistake(at, "finite_number", message))
            nodes.append(ScalarNode(value, text, at, text == "" and value is None))
        elif type_ is yaml.MappingStartEvent or type_ is yaml.SequenceStartEvent:
            if event.anchor is not None or event.tag is not None:
                _refuse_anchor_or_tag(event, _at(event, file), kind, mistakes)
            if len(open_) >= MAX_DEPTH:
                message = f"nested deeper than {MAX_DEPTH} levels; no {kind.noun} needs that"
                mistakes.append(Mistake(_at(event, file), "too_deep", message))
                raise _Unreadable
            open_.append((event, nodes))
            nodes = []
        elif type_ is yaml.MappingEndEvent or type_ is yaml.SequenceEndEvent:
            began, outer = open_.pop()
            outer.append(_collection(began, nodes, file, mistakes))
            nodes = outer
        elif type_ is yaml.AliasEvent:
            message = f"'*' starts an alias, which {kind.noun}s do not have; put quotes around the text"
            at = _at(event, file)
            mistakes.append(Mistake(at, "alias", message))
            nodes.append(ScalarNode(None, "", at))
        elif type_ is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                message = f"a second document starts here ('---'); one {kind.noun}, one document"
                mistakes.append(Mistake(_at(event, file), "documents", message))
                raise _Unreadable
        if len(mistakes) >= MAX_MISTAKES:
            raise _Unreadable
    return root[0] if root else None


def _better_placed(error: yaml.MarkedYAMLError, text: str) -> yaml.MarkedYAMLError:
    """What the parser in Python says of the same text: it stumbles nearer to the slip. It is slow on a long one."""
    if len(text) <= _EXPLAINED_CHARACTERS:
        try:
            for _ in yaml.parse(text, Loader=yaml.SafeLoader):
                pass
        except yaml.MarkedYAMLError as better:
            # Of tabs it is stricter than libyaml, which took this one.
            return error if "\\t" in str(better.problem) else better
        except (yaml.YAMLError, ValueError):
            return error
    return error


def _collection(began: Any, nodes: list[Node], file: str, mistakes: list[Mistake]) -> Node:
    at = _at(began, file)
    if type(began) is yaml.SequenceStartEvent:
        return ListNode(tuple(nodes), at)
    pairs: list[tuple[ScalarNode, Node]] = []
    for name, value in zip(nodes[::2], nodes[1::2], strict=True):
        if type(name) is ScalarNode:
            pairs.append((name, value))
        else:
            mistakes.append(Mistake(name.at, "key", "a name is expected here, not a list or table"))
    return MapNode(tuple(pairs), at, bool(began.flow_style))


def _refuse_anchor_or_tag(event: Any, at: Position, kind: FileKind, mistakes: list[Mistake]) -> None:
    if event.anchor is not None:
        what, code, starts = "an anchor", "anchor", "&"
    elif event.tag not in _TEXT_TAGS:
        what, code, starts = f"the tag '{event.tag[:80]}'", "tag", "!"
    else:
        return
    message = f"'{starts}' starts {what}, which {kind.noun}s do not have; put quotes around the text"
    mistakes.append(Mistake(at, code, message))


def _at(event: Any, file: str) -> Position:
    return Position(file, event.start_mark.line + 1, event.start_mark.column + 1)
