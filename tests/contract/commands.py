"""Runs the offline commands as a user would and hands back what they print."""

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RULES = Path(__file__).resolve().parents[2] / "rules"


@dataclass(frozen=True)
class Ran:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        assert self.exit_code == 0, f"exit {self.exit_code}\n{self.stdout}\n{self.stderr}"
        return json.loads(self.stdout)  # type: ignore[no-any-return]


def tandem(*arguments: str) -> Ran:
    from tandem.cli import main

    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            main(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        else:
            code = 0
    return Ran(code, stdout.getvalue(), stderr.getvalue())


def ask(command: str, document: dict[str, Any], folder: Path, *options: str) -> dict[str, Any]:
    """The JSON that ``tandem COMMAND`` answers for an athlete file with this content."""
    path = folder / "athlete.json"
    path.write_text(json.dumps(document))
    return tandem(command, str(path), "--json", "--rules", str(RULES), *options).json
