"""Bytes to text, and what to say of bytes that are none."""

import codecs
import re
from dataclasses import dataclass

from shared.located_yaml.nodes import Mistake, Position

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")
_LOOKED_AT_FOR_NUL = 8192


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a person calls such a file, how it begins, and how much of it is read."""

    noun: str
    begins: str
    max_bytes: int

    def too_large(self) -> str:
        size = f"{self.max_bytes // 2**20} MiB" if self.max_bytes >= 2**20 else f"{self.max_bytes // 1024} KiB"
        return f"the file is larger than {size}, which no {self.noun} needs"

    def empty(self) -> str:
        return f"the file is empty; start with '{self.begins}'"


def decoded(raw: bytes, file: str, kind: FileKind, mistakes: list[Mistake]) -> str | None:
    """UTF-8 text without its byte order mark, or None with the reason in ``mistakes``."""
    text = _text_of(raw, file, kind)
    if isinstance(text, Mistake):
        mistakes.append(text)
        return None
    return text


def _text_of(raw: bytes, file: str, kind: FileKind) -> str | Mistake:
    start = Position(file, 1, 1)
    if len(raw) > kind.max_bytes:
        return Mistake(start, "too_large", kind.too_large())
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Mistake(start, "encoding", "this is UTF-16; save it as UTF-8")
    nul = raw.find(b"\x00", 0, _LOOKED_AT_FOR_NUL)
    if nul >= 0:
        return Mistake(_after(raw[:nul], file), "binary", _control("\x00"))
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"this is not UTF-8 text: byte 0x{raw[error.start]:02x} stands here; save the file as UTF-8"
        return Mistake(_after(raw[: error.start], file), "binary", message)
    odd = _FORBIDDEN.search(text)
    if odd is not None:
        return Mistake(position_at(text, odd.start(), file), "binary", _control(odd[0]))
    return text if text.strip() else Mistake(start, "empty", kind.empty())


def position_at(text: str, offset: int, file: str) -> Position:
    """Line and column of the character at ``offset``."""
    line_start = text.rfind("\n", 0, offset) + 1
    return Position(file, text.count("\n", 0, offset) + 1, offset - line_start + 1)


def _after(before: bytes, file: str) -> Position:
    text = before.decode("utf-8", "replace")
    return position_at(text, len(text), file)


def _control(character: str) -> str:
    return f"a control character (U+{ord(character):04X}): this is not a text file"
