"""Where in an athlete file a value stands, and problems that point there."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from shared.located_yaml.nodes import ListNode, MapNode, Mistake, Node, Position, ScalarNode, given_twice
from shared.located_yaml.scalars import whole


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One mistake in a file. ``pointer`` is the JSON pointer of the field, ``""`` for the whole document."""

    file: str
    line: int
    column: int
    pointer: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class BadFile(ValueError):
    """A file cannot be used; carries every problem found, in the order in which they stand in the file."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.line, p.column)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


_Member = tuple[Node, ScalarNode | None]
"""A value, and its name where it has one."""


class Document:
    """A file's tree as plain JSON values, and where each of them stands."""

    def __init__(self, file: str, root: Node) -> None:
        self.file = file
        self._root = root
        self._doubled: list[Mistake] = []
        self.value: Any = self._plain(root)

    def position_of(self, pointer: str, *, prefer_key: bool = False) -> Position:
        """Of the value at ``pointer``, or of the nearest thing around it when it is not in the file."""
        while pointer not in self._members:
            pointer, prefer_key = pointer.rpartition("/")[0], False
        node, key = self._members[pointer]
        return key.at if prefer_key and key is not None else node.at

    def problems(self, mistakes: Sequence[Mistake]) -> list[FileProblem]:
        """The reader's mistakes, and the names that are given twice."""
        every = (*mistakes, *self._doubled)
        return [file_problem(mistake, self._pointers.get(mistake.at, "")) for mistake in every]

    @cached_property
    def _members(self) -> dict[str, _Member]:
        """Each value by its JSON pointer; of a name given twice the first. A file without mistakes never asks."""
        return dict(reversed([*_walk(self._root)]))

    @cached_property
    def _pointers(self) -> dict[Position, str]:
        return {one.at: pointer for pointer, of in _walk(self._root) for one in of if one is not None}

    def _plain(self, node: Node) -> Any:
        if isinstance(node, ScalarNode):
            if type(node.value) is not float:
                return node.value
            exact = whole(node.text)
            return node.value if exact is None else exact
        if isinstance(node, ListNode):
            return [self._plain(item) for item in node.items]
        table: dict[str, Any] = {}
        for name, value in node.pairs:
            if name.text in table:
                first = next(key for key, _ in node.pairs if key.text == name.text)
                self._doubled.append(Mistake(name.at, "duplicate_key", given_twice(name, first)))
            else:
                table[name.text] = self._plain(value)
        return table


def file_problem(mistake: Mistake, pointer: str = "") -> FileProblem:
    at = mistake.at
    return FileProblem(at.file, at.line, at.column, pointer, mistake.code, mistake.message)


def child_pointer(pointer: str, key: str | int) -> str:
    """RFC 6901: the pointer of a member of the value at ``pointer``."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def _walk(node: Node, pointer: str = "", key: ScalarNode | None = None) -> Iterator[tuple[str, _Member]]:
    """Every value in file order with its JSON pointer. Depth is bounded by the parser."""
    yield pointer, (node, key)
    if isinstance(node, MapNode):
        for name, value in node.pairs:
            yield from _walk(value, child_pointer(pointer, name.text), name)
    elif isinstance(node, ListNode):
        for at, item in enumerate(node.items):
            yield from _walk(item, child_pointer(pointer, at))
