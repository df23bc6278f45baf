"""Mistakes in rule files: where, which rule, what is wrong and how to mend it. All at once, one message per mistake."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches

from shared.located_yaml.nodes import Mistake, Position


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


class RuleFileErrors(Exception):
    """The rule files cannot be used; carries every mistake found, in file order. Nothing was loaded."""

    def __init__(self, errors: Sequence[RuleFileError]) -> None:
        self.errors: tuple[RuleFileError, ...] = tuple(
            sorted(errors, key=lambda e: (e.file, e.line, e.column, e.message))
        )
        super().__init__("\n".join(str(error) for error in self.errors))


class Mistakes:
    """Collects mistakes while a pack is read; ``rule`` names the rule being read."""

    def __init__(self) -> None:
        self.rule: str | None = None
        self._found: dict[tuple[str, int, int], RuleFileError] = {}

    def add(self, at: Position, message: str) -> None:
        """One message per place: the first one told there is the cause, the rest would be noise."""
        key = (at.file, at.line, at.column)
        self._found.setdefault(key, RuleFileError(at.file, at.line, at.column, self.rule, message))

    def add_unreadable(self, mistakes: Iterable[Mistake]) -> None:
        """What the reader of YAML says of a file."""
        for mistake in mistakes:
            self.add(mistake.at, mistake.message)

    def add_all(self, errors: Iterable[RuleFileError]) -> None:
        for error in errors:
            self._found.setdefault((error.file, error.line, error.column), error)

    def __len__(self) -> int:
        return len(self._found)

    def all(self) -> tuple[RuleFileError, ...]:
        return tuple(self._found.values())

    def refuse(self) -> None:
        """Raise everything found so far, if anything was."""
        if self._found:
            raise RuleFileErrors(self.all())


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """``"; did you mean 'long run'?"``, or the choices when none is near and they are few."""
    known = sorted(set(choices))
    near = get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    if known and len(known) <= 12:
        return f"; use {one_of(known)}"
    return ""


def one_of(choices: Iterable[str]) -> str:
    words = [f"'{choice}'" for choice in choices]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
