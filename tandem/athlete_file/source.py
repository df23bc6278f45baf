"""Reads a file's text, and says what is wrong when it is no text."""

import re
from pathlib import Path

from tandem.athlete_file.places import FIRST_CHARACTER, BadFile, FileProblem, Mark

MAX_BYTES = 16 * 1024 * 1024
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_text(path: Path) -> str:
    """The text of the UTF-8 file at ``path``, without a byte order mark; raises ``BadFile``."""
    name = str(path)
    try:
        if path.is_dir():
            raise _bad(name, "is_directory", "is a directory; name an athlete file (YAML or JSON)")
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _bad(name, "not_found", "no such file" + _similar(path)) from None
    except OSError as error:
        raise _bad(name, "unreadable", f"cannot be read: {error.strerror or error}") from None
    if len(raw) > MAX_BYTES:
        raise _bad(name, "too_large", f"is larger than {MAX_BYTES // 2**20} MiB, which no athlete file needs")
    return decode(raw, name)


def decode(raw: bytes, name: str) -> str:
    """UTF-8 text of ``raw``; ``name`` is the file named in the problems."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _bad(name, "encoding", "is UTF-16; save it as UTF-8")
    if b"\x00" in raw[:8192]:
        raise _bad(name, "binary", "is a binary file; an athlete file is YAML or JSON text")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        mark = mark_at(raw[: error.start].decode("utf-8", "replace"), None)
        message = f"is no UTF-8 text: byte 0x{raw[error.start]:02x} stands here (a binary file, or another encoding?)"
        raise _bad(name, "binary", message, mark) from None
    if not text.strip():
        raise _bad(name, "empty", "is empty; an athlete file begins with 'athlete: {id: ..., timezone: ...}'")
    control = _NOT_TEXT.search(text)
    if control:
        message = f"control character U+{ord(control.group()):04X}; an athlete file is YAML or JSON text"
        raise _bad(name, "binary", message, mark_at(text, control.start()))
    return text


def mark_at(text: str, offset: int | None) -> Mark:
    """Line and column of ``offset`` in ``text`` (``None`` = its end)."""
    before = text if offset is None else text[:offset]
    return Mark(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _similar(path: Path) -> str:
    import difflib

    folder = path.parent
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {folder / near[0]}?" if near else ""


def _bad(name: str, code: str, message: str, mark: Mark = FIRST_CHARACTER) -> BadFile:
    return BadFile([FileProblem(name, mark.line, mark.column, "", code, message)])
