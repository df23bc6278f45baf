"""Where in an athlete file a value stands, and problems that point there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

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
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "pointer": self.pointer,
            "code": self.code,
            "message": self.message,
        }


class BadFile(ValueError):
    """A file cannot be used; carries every problem found, in the order in which they stand in the file."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.line, p.column)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class _Member(NamedTuple):
    """A node below another, with the JSON pointer to it; ``key``: its name's node, where it has a name."""

    pointer: str
    node: Node
    key: ScalarNode | None = None


class Document:
    """A file's tree as plain JSON values, and where each of them stands."""

    def __init__(self, file: str, root: Node) -> None:
        self.file = file
        self._root = root
        self._doubled: list[Mistake] = []
        self.value: Any = self._plain(root)

    def position_of(self, pointer: str, *, prefer_key: bool = False) -> Position:
        """Of the value at ``pointer``, or of the nearest thing around it when it is not in the file."""
        member = _Member("", self._root)
        exact = True
        for part in pointer.split("/")[1:]:
            below = next((one for one in _members(member) if one.pointer == f"{member.pointer}/{part}"), None)
            if below is None:
                exact = False
                break
            member = below
        return member.key.at if prefer_key and exact and member.key is not None else member.node.at

    def problems(self, mistakes: Sequence[Mistake]) -> list[FileProblem]:
        """The reader's mistakes, and the names that are given twice."""
        every = (*mistakes, *self._doubled)
        wanted = {mistake.at for mistake in every}
        members = _walk(self._root) if wanted else ()
        pointers = {at: one.pointer for one in members for at in _places(one) if at in wanted}
        return [file_problem(mistake, pointers.get(mistake.at, "")) for mistake in every]

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


def _members(member: _Member) -> Iterator[_Member]:
    node = member.node
    if isinstance(node, MapNode):
        yield from (_Member(child_pointer(member.pointer, key.text), value, key) for key, value in node.pairs)
    elif isinstance(node, ListNode):
        yield from (_Member(child_pointer(member.pointer, at), item) for at, item in enumerate(node.items))


def _walk(root: Node) -> Iterator[_Member]:
    waiting = [_Member("", root)]
    while waiting:
        member = waiting.pop()
        yield member
        waiting.extend(_members(member))


def _places(member: _Member) -> tuple[Position, ...]:
    return (member.node.at,) if member.key is None else (member.node.at, member.key.at)
