"""A rule file as a tree that remembers where everything stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.rules.model import Position, Scalar


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """``value`` by YAML 1.2 core rules (a date stays text); ``text`` as written; ``omitted``: nothing was written."""

    value: Scalar | None
    text: str
    at: Position
    omitted: bool = False


@dataclass(frozen=True, slots=True)
class ListNode:
    items: tuple["Node", ...]
    at: Position


@dataclass(frozen=True, slots=True)
class MapNode:
    """Pairs in file order, doubled keys included; ``braces``: written as ``{a: 1, b: 2}``."""

    pairs: tuple[tuple[ScalarNode, "Node"], ...]
    at: Position
    braces: bool = False

    def get(self, key: str) -> "Node | None":
        for name, node in self.pairs:
            if name.text == key:
                return node
        return None

    def keys(self) -> Iterator[str]:
        return (name.text for name, _ in self.pairs)


Node = ScalarNode | ListNode | MapNode


def plain(node: Node) -> Any:
    """The tree without its places: dicts, lists, scalars. Depth is bounded by the parser."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return {name.text: plain(value) for name, value in node.pairs}


def told(node: Node) -> str:
    """What stands there, in a person's words."""
    if isinstance(node, ScalarNode):
        return "nothing" if node.value is None else f"'{node.text}'"
    return "a list" if isinstance(node, ListNode) else "a table of 'name: value'"
