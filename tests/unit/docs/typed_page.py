"""A page of the documentation whose commands are typed as they stand, and whose files are those that it shows.

A block ```console holds lines ``$ command`` with what they print; a block ```yaml after a paragraph that begins
``Save this as `x.yaml` `` is saved under that name. ``python -m tests.unit.docs.typed_page PAGE…`` writes what the
commands print now into the pages.
"""

import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from tandem.cli import tandem

ROOT = Path(__file__).parents[3]
PROGRAM = ".venv/bin/tandem"
_BLOCK = re.compile(
    r"(?:Save this as `(?P<file>[^`\n]+)`[^\n]*\n\n)?```(?P<kind>yaml|console)\n(?P<text>.*?)```", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Typed:
    """One command of a page: what the page says it prints, and what it prints."""

    command: str
    shown: str
    printed: str


def typed(page: Path, folder: Path) -> Iterator[Typed]:
    """Type the page's commands one after the other in ``folder``, which gets its own ``rules`` and ``examples``."""
    shutil.copytree(ROOT / "rules", folder / "rules")
    shutil.copytree(ROOT / "examples", folder / "examples")
    for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["kind"] == "yaml":
            if block["file"]:
                path = folder / block["file"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block["text"], encoding="utf-8")
            continue
        for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield Typed(command, shown, _printed(command, folder))


def _printed(command: str, folder: Path) -> str:
    program, *arguments = shlex.split(command)
    if program == "cp":
        source, target = (folder / argument for argument in arguments if argument != "-r")
        shutil.copytree(source, target)
        return ""
    assert program == PROGRAM, f"a page types {PROGRAM} or cp, not {program}"
    words = [word for argument in arguments for word in _spread(argument, folder)]
    return CliRunner().invoke(tandem, words).output


def _spread(argument: str, folder: Path) -> list[str]:
    """``examples/athletes/*.yaml`` as a shell spreads it."""
    if "*" not in argument:
        return [argument]
    return sorted(str(path.relative_to(folder)) for path in folder.glob(argument))


def retyped(page: Path, folder: Path) -> str:
    """The page with what its commands print now."""
    text, done = page.read_text(encoding="utf-8"), 0
    for one in typed(page, folder):
        before, after = f"$ {one.command}\n{one.shown}", f"$ {one.command}\n{one.printed}"
        at = text.index(before, done)
        text = text[:at] + after + text[at + len(before) :]
        done = at + len(after)
    return text


def main(pages: list[str]) -> None:
    for name in pages:
        page = Path(name).resolve()
        with tempfile.TemporaryDirectory() as folder:
            before = Path.cwd()
            os.chdir(folder)
            text = retyped(page, Path(folder))
            os.chdir(before)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
