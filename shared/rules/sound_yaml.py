"""The quick way for sound files: libyaml's events, about twenty times faster than the parser in Python.

It builds the same tree or none at all. At the least doubt (a mistake, an alias, a missing value, a character that the
two parsers see differently) the careful parser decides and explains; without libyaml it always does.
"""

import re

import yaml  # type: ignore[import-untyped]  # nameko brings it; its type stubs would be one more dependency

from shared.rules.model import Position
from shared.rules.nodes import ListNode, MapNode, Node, ScalarNode
from shared.rules.scalars import resolved

_LOADER = getattr(yaml, "CLoader", None)
_DOUBTFUL = re.compile("[\t\r\x85\u2028\u2029\ufeff]|^%|^---|^\\.\\.\\.", re.MULTILINE)


def sound_tree(text: str, file: str, max_depth: int) -> Node | None:
    """The document's tree, or None when the careful parser has to look at it."""
    if _LOADER is None or _DOUBTFUL.search(text):
        return None
    try:
        return _tree(text, file, max_depth)
    except (yaml.YAMLError, ValueError):
        return None


def _tree(text: str, file: str, max_depth: int) -> Node | None:
    root: Node | None = None
    open_: list[tuple[Position, bool, bool, list[Node]]] = []
    for event in yaml.parse(text, Loader=_LOADER):
        if getattr(event, "anchor", None) is not None or getattr(event, "tag", None) is not None:
            return None
        at = Position(file, event.start_mark.line + 1, event.start_mark.column + 1)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            unquoted = bool(event.implicit[0]) and event.style in (None, "")
            if unquoted and event.value == "":
                return None
            node = ScalarNode(resolved(event.value) if unquoted else event.value, event.value, at)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(open_) >= max_depth:
                return None
            open_.append((at, bool(event.flow_style), isinstance(event, yaml.MappingStartEvent), []))
            continue
        elif isinstance(event, yaml.CollectionEndEvent):
            began, braces, is_map, nodes = open_.pop()
            if not is_map:
                node = ListNode(tuple(nodes), began)
            else:
                names = [name for name in nodes[::2] if isinstance(name, ScalarNode)]
                if 2 * len(names) != len(nodes):
                    return None
                node = MapNode(tuple(zip(names, nodes[1::2], strict=True)), began, braces)
        else:
            continue
        if open_:
            open_[-1][3].append(node)
        else:
            root = node
    return root
