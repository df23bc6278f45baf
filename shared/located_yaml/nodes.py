"""A file as a tree that remembers where everything stands, and the mistakes met while it was read."""

from collections.abc import Iterator
from typing import Any, NamedTuple

ScalarValue = str | float | bool


class Position(NamedTuple):
    """Where in its file a thing stands; lines and columns from 1."""

    file: str
    line: int
    column: int


class Mistake(NamedTuple):
    """What keeps a text from being read. ``code`` names the kind of mistake for machines."""

    at: Position
    code: str
    message: str


class ScalarNode(NamedTuple):
    """``value`` by the YAML 1.2 core schema, every number a float; ``text`` as written; ``omitted``: nothing was."""

    value: ScalarValue | None
    text: str
    at: Position
    omitted: bool = False


class ListNode(NamedTuple):
    items: tuple["Node", ...]
    at: Position


class MapNode(NamedTuple):
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


def described(node: Node) -> str:
    """What stands there, in a person's words."""
    if isinstance(node, ScalarNode):
        return "nothing" if node.value is None else f"'{node.text}'"
    return "a list" if isinstance(node, ListNode) else "a table of 'name: value'"


def given_twice(name: ScalarNode, first: ScalarNode) -> str:
    """What to say of a name that stands in its table a second time."""
    return f"'{name.text}' is already given on line {first.at.line}; keep one"
