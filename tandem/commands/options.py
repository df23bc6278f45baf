"""What commands share: options, settings, how a command prints, and how it fails."""

import functools
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import click

if TYPE_CHECKING:
    from shared.ops.settings import Settings

INPUT_IS_WRONG = 2
FINDINGS = 1
"""Exit code of a check that worked and found something."""


def utc_today() -> date:
    return datetime.now(UTC).date()


class IsoDate(click.ParamType[date]):
    """``YYYY-MM-DD``."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"'{value}' is no date; write YYYY-MM-DD", param, ctx)


def rules_option(command: Callable[..., Any]) -> Callable[..., Any]:
    from tandem.offline.shipped_rules import shipped_rules

    return click.option(
        "--rules",
        "rules_dir",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="TANDEM_RULES_DIR",
        default=shipped_rules,
        help="Folder with base/ and tenants/ rule packs (default: the shipped ones).",
    )(command)


def athlete_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """FILE, --on, --rules, --tenant, --json. A tenant without rule files is refused: nothing of it would count."""

    @functools.wraps(command)
    def known_tenant(**options: Any) -> Any:
        require_tenant((options["rules_dir"],), options["tenant"], options["as_json"])
        return command(**options)

    decorators = (
        click.argument("file", type=click.Path(path_type=Path)),
        click.option(
            "--on", type=IsoDate(), help="The day that counts as today (default: the last day with a record)."
        ),
        rules_option,
        click.option("--tenant", help="Use this tenant's rule packs over the base ones."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table."),
    )
    return functools.reduce(lambda wrapped, decorate: decorate(wrapped), reversed(decorators), known_tenant)


def counted(number: int, noun: str) -> str:
    """ "1 decision", "2 decisions"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def print_json(document: Mapping[str, Any]) -> None:
    """The one JSON document of a command, on standard output."""
    whole = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)  # before a part of it is written
    sys.stdout.write(whole + "\n")


def write_file(path: Path, text: str) -> None:
    """A command's ``--write``; a folder that is not there or not writable is the caller's to mend."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None


class Told(Protocol):
    """A mistake in a file, ``file:line:column: message`` as text."""

    def as_json(self) -> Mapping[str, Any]: ...


def refuse(problems: Sequence[Told], as_json: bool, code: int = INPUT_IS_WRONG) -> NoReturn:
    """Tell every problem on standard error (with ``--json`` also as the document) and exit with ``code``."""
    for problem in problems:
        print(problem, file=sys.stderr)
    if as_json:
        print_json({"errors": [problem.as_json() for problem in problems]})
    raise click.exceptions.Exit(code)


def tenants_in(rules_dir: Path) -> list[str]:
    folder = rules_dir / "tenants"
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def require_tenant(folders: Sequence[Path], tenant: str | None, as_json: bool) -> None:
    """Refuses, with exit code 2, a tenant that none of the rule folders has files of."""
    from shared.rules.errors import RuleFileError, did_you_mean

    found = {name for folder in folders for name in tenants_in(folder)}
    if tenant is not None and tenant not in found:
        message = f"there are no rule files of this tenant{did_you_mean(tenant, found)}"
        refuse([RuleFileError(str(folders[-1] / "tenants" / tenant), 1, 1, None, message)], as_json)


def settings_or_exit() -> "Settings":
    """The ``TANDEM_...`` settings; exits 2 after telling every wrong one."""
    from shared.ops.settings import SettingsErrors, read_settings

    try:
        return read_settings(os.environ)
    except SettingsErrors as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        raise click.exceptions.Exit(INPUT_IS_WRONG) from None
