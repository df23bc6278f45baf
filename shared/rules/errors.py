"""Mistakes in rule files: where, which rule, what is wrong and how to mend it. All at once, one message per mistake."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import Final

from shared.located_yaml.nodes import Mistake, Position

MAX_TOLD: Final = 200
"""Mistakes of one load that are told; of the others only how many there are."""
MAX_TOLD_BYTES: Final = 60_000
"""Of all that is told together: it goes into one answer."""
MAX_COMPARED: Final = 100
"""Characters of a word of which the nearest name is looked for."""
MAX_MESSAGE: Final = 600
"""Characters; what somebody made up is quoted in messages, and may be as long as a file."""


@dataclass(frozen=True, slots=True, order=True)
class RuleFileError:
    """One mistake; ``line`` and ``column`` count from 1, ``rule`` is the id of the rule that it stands in."""

    file: str
    line: int
    column: int
    rule: str | None
    message: str

    def __str__(self) -> str:
        named = f"rule {self.rule}: " if self.rule else ""
        return f"{self.file}:{self.line}:{self.column}: {named}{self.message}"

    def as_json(self) -> dict[str, str | int | None]:
        return asdict(self)

    def renamed(self, names: Mapping[str, str]) -> "RuleFileError":
        """With other names for files, in the message too."""
        message = self.message
        for name, other in names.items():
            message = message.replace(name, other)
        return replace(self, file=names.get(self.file, self.file), message=message)


class RuleFileErrors(Exception):
    """The rule files cannot be used; carries the mistakes found, in file order. Nothing was loaded.

    ``more``: how many further ones there are than are told; a last error says so.
    """

    code = "rule_file"

    def __init__(self, errors: Sequence[RuleFileError], more: int = 0) -> None:
        told = sorted(errors, key=lambda e: (e.file, e.line, e.column, e.message))
        if more:
            rest = f"and {more} more mistakes; mend these first"
            told.append(RuleFileError(told[-1].file, told[-1].line, told[-1].column, None, rest))
        self.errors: tuple[RuleFileError, ...] = tuple(told)
        super().__init__("\n".join(str(error) for error in self.errors))

    def renamed(self, names: Mapping[str, str]) -> "RuleFileErrors":
        return _same_errors(type(self), [error.renamed(names) for error in self.errors])

    def __reduce__(self) -> tuple[object, ...]:
        return _same_errors, (type(self), self.errors)


def _same_errors(kind: type[RuleFileErrors], errors: Sequence[RuleFileError]) -> RuleFileErrors:
    """Errors that come from another process."""
    made = kind.__new__(kind)
    made.errors = tuple(errors)
    made.args = ("\n".join(map(str, errors)),)
    return made


class Mistakes:
    """Collects mistakes while a pack is read; ``rule`` names the rule being read.

    The first ``MAX_TOLD`` are kept; of the others only their places, so that they can be counted.
    """

    def __init__(self) -> None:
        self.rule: str | None = None
        self._found: dict[tuple[str, int, int], RuleFileError] = {}
        self._untold: set[tuple[str, int, int]] = set()
        self._bytes = 0

    def add(self, at: Position, message: str) -> None:
        """One message per place: the first one told there is the cause, the rest would be noise."""
        key = (at.file, at.line, at.column)
        if key in self._found:
            return
        if self.is_full:
            self._untold.add(key)
            return
        if len(message) > MAX_MESSAGE:
            message = f"{message[: MAX_MESSAGE // 2]} … {message[-MAX_MESSAGE // 3 :]}"
        self._bytes += len(message.encode(errors="replace"))
        self._found[key] = RuleFileError(at.file, at.line, at.column, self.rule, message)

    @property
    def is_full(self) -> bool:
        """Whether no further mistake is told."""
        return len(self._found) >= MAX_TOLD or self._bytes > MAX_TOLD_BYTES

    def nearest(self, word: str, choices: Iterable[str]) -> str:
        """As ``did_you_mean``, for a mistake that is about to be added; looked for only if that will be told."""
        return "" if self.is_full else did_you_mean(word, choices)

    def add_unreadable(self, mistakes: Iterable[Mistake]) -> None:
        """What the reader of YAML says of a file."""
        for mistake in mistakes:
            self.add(mistake.at, mistake.message)

    def add_all(self, others: "Mistakes") -> None:
        for place, error in others._found.items():
            if self.is_full and place not in self._found:
                self._untold.add(place)
            elif place not in self._found:
                self._bytes += len(error.message.encode(errors="replace"))
                self._found[place] = error
        self._untold |= others._untold

    def __len__(self) -> int:
        return len(self._found) + len(self._untold)

    def all(self) -> tuple[RuleFileError, ...]:
        """Those that are told."""
        return tuple(self._found.values())

    def refuse(self) -> None:
        """Raise what was found so far, if anything was."""
        if self._found:
            raise RuleFileErrors(self.all(), len(self._untold))


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """``"; did you mean 'long run'?"``, or the choices when none is near and they are few."""
    known = sorted(set(choices))
    near = get_close_matches(word[:MAX_COMPARED].lower(), known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    if known and len(known) <= 12:
        return f"; use {one_of(known)}"
    return ""


def one_of(choices: Iterable[str]) -> str:
    words = [f"'{choice}'" for choice in choices]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
