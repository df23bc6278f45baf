"""What a YAML parser stumbled over, in a coach's words: the slip that was made, and where."""

import re
from typing import Any

from shared.located_yaml.nodes import Position
from shared.located_yaml.text import position_at

_LINE_END = re.compile("\r\n?|\n")
_GLUED_NAME = re.compile(r"^(\s*(?:- )?)([A-Za-z_][\w -]*):([^\s:]\S*)")
_GLUED_DASH = re.compile(r"^(\s*)-([A-Za-z])")
_AFTER_A_QUOTE = re.compile(r"^\s*(?:- )?[\w -]+: +(?:\"[^\"]*\"|'[^']*') *([^\s#])")


def _slip_of_spacing(lines: list[str], at: Position) -> tuple[Position, str] | None:
    """A space that is missing or is none, on the line of the mistake or above it, where YAML only later stumbles."""
    for number in (at.line, at.line - 1):
        line = lines[number - 1] if 1 <= number <= len(lines) else ""
        if "\u00a0" in line:
            column = line.index("\u00a0") + 1
            return Position(at.file, number, column), "a no-break space (U+00A0); write an ordinary space"
        dash = _GLUED_DASH.match(line)
        if dash is not None:
            return Position(at.file, number, dash.end()), "a space is missing after '-'"
        glued = _GLUED_NAME.match(line)
        if glued is not None:
            told = f"a space is missing after ':'; write '{glued[2]}: {glued[3][:40]}'"
            return Position(at.file, number, len(glued[1]) + len(glued[2]) + 1), told
        after = _AFTER_A_QUOTE.match(line)
        if after is not None and number == at.line:
            place = Position(at.file, number, after.start(1) + 1)
            return place, "a text goes on after its closing quote; put quotes around the whole text"
    return None


def explained(error: Any, text: str, file: str) -> tuple[Position, str]:
    """The place and, in a coach's words, what the parser stumbled over."""
    mark = error.problem_mark or error.context_mark
    began = error.context_mark
    at = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file, 1, 1)
    opened = Position(file, began.line + 1, began.column + 1) if began else at
    problem = str(error.problem or "")
    lines = _LINE_END.split(text)
    line = lines[at.line - 1] if at.line <= len(lines) else ""
    slip = _slip_of_spacing(lines, at)
    if slip is not None:
        return slip
    if "\\t" in problem or line[: at.column].endswith("\t") or line.startswith("\t"):
        return at, "a tab; indent with spaces"
    if "mapping values are not allowed" in problem:
        if ":" in line[: at.column - 1]:
            return at, "a second ': ' on this line; put quotes around a text that holds a colon"
        return at, "the indentation does not fit the lines above; line it up with its neighbours"
    if "flow mapping" in str(error.context or "") or "flow sequence" in str(error.context or ""):
        closing = "}" if "mapping" in str(error.context) else "]"
        return opened, f"this bracket is never closed, or a comma is missing inside; it needs '{closing}'"
    if "stream end" in problem:
        unclosed = _last_open_bracket(text)
        if unclosed is not None:
            return position_at(text, unclosed, file), "this bracket is never closed"
    if "flow node" in str(error.context or ""):
        return at, "a name or a value is missing here; a text that starts with such a sign needs quotes around it"
    if "quoted scalar" in str(error.context or ""):
        return opened, "this quote is never closed"
    if "could not find expected ':'" in problem:
        return at, "a ':' is missing after the name in the line above, or a quote or bracket is open"
    if "cannot start any token" in problem:
        return at, f"a text cannot start with '{line[at.column - 1 : at.column]}'; put quotes around it"
    if "alias" in problem or "anchor" in problem:
        return at, "'*' and '&' have a meaning of their own in YAML; put quotes around the text"
    if "block mapping" in str(error.context or "") or "block collection" in str(error.context or ""):
        return at, "the indentation does not fit the lines above, or a '-' or name is missing"
    return at, "this is not readable YAML: look for quotes, brackets and indentation here or in the line above"


def _last_open_bracket(text: str) -> int | None:
    open_: list[int] = []
    for match in re.finditer(r"[\[{\]}]", text):
        if match[0] in "[{":
            open_.append(match.start())
        elif open_:
            open_.pop()
    return open_[-1] if open_ else None
