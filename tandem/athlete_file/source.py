"""Reads a file's text, and says what is wrong when it is no text."""

import difflib
from pathlib import Path
from typing import Final

from shared.located_yaml.nodes import Mistake, Position
from shared.located_yaml.text import FileKind, decoded
from tandem.athlete_file.places import BadFile, file_problem

ATHLETE_FILE: Final = FileKind(
    "athlete file", "athlete: {id: ..., timezone: ...}", max_bytes=16 * 1024 * 1024
)  # fmt: skip


def read_text(path: Path) -> str:
    """The text of the UTF-8 file at ``path``, without a byte order mark; raises ``BadFile``."""
    name = str(path)
    try:
        if path.is_dir():
            raise _bad(name, "is_directory", "is a directory; name an athlete file (YAML or JSON)")
        with path.open("rb") as stream:
            raw = stream.read(ATHLETE_FILE.max_bytes + 1)
    except FileNotFoundError:
        raise _bad(name, "not_found", "no such file" + _similar(path)) from None
    except OSError as error:
        raise _bad(name, "unreadable", f"cannot be read: {error.strerror or error}") from None
    mistakes: list[Mistake] = []
    text = decoded(raw, name, ATHLETE_FILE, mistakes)
    if text is None:
        raise BadFile([file_problem(mistake) for mistake in mistakes])
    return text


def _similar(path: Path) -> str:
    folder = path.parent
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {folder / near[0]}?" if near else ""


def _bad(name: str, code: str, message: str) -> BadFile:
    return BadFile([file_problem(Mistake(Position(name, 1, 1), code, message))])
