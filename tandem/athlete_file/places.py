"""Where in a file a value stands, and problems that point there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Mark(NamedTuple):
    """Line and column, both counted from 1."""

    line: int
    column: int


FIRST_CHARACTER = Mark(1, 1)


class Place(NamedTuple):
    """A value's own mark, and that of its key when it stands in a mapping."""

    value: Mark
    key: Mark | None = None


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


@dataclass(slots=True)
class Document:
    """What a parser made of a file: plain JSON values, each value's place, and the problems met on the way."""

    file: str
    value: Any = None
    places: dict[str, Place] = field(default_factory=dict)
    problems: list[FileProblem] = field(default_factory=list)

    def problem(self, mark: Mark, pointer: str, code: str, message: str) -> None:
        self.problems.append(FileProblem(self.file, mark.line, mark.column, pointer, code, message))

    def mark_of(self, pointer: str, *, prefer_key: bool = False) -> Mark:
        """The mark of the value at ``pointer``, or of the nearest thing around it when it is not in the file."""
        while True:
            place = self.places.get(pointer)
            if place is not None:
                return place.key if prefer_key and place.key is not None else place.value
            if not pointer:
                return FIRST_CHARACTER
            pointer, prefer_key = pointer.rpartition("/")[0], False


def child_pointer(pointer: str, key: str | int) -> str:
    """RFC 6901: the pointer of a member of the value at ``pointer``."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
