"""``tandem athlete``: what is held of an athlete, and its end. For operators, who are asked for it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shared.messages.ids import is_id, is_tenant
from tandem.commands.options import INPUT_IS_WRONG, print_json

if TYPE_CHECKING:
    from shared.ops.settings import Settings
    from tandem.athlete_data.waiting import WaitingMessages


@click.group()
def athlete() -> None:
    """Export or erase all that is held of an athlete (TANDEM_DATABASE_URL, TANDEM_AMQP_URI)."""
    # Confirms are waited for in green threads; this comes before anything that may import sockets.
    from tandem.runtime.green_threads import use_green_threads

    use_green_threads()


def _whom(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--tenant", required=True, help="Whose athlete it is.")(command)
    return click.argument("athlete_id", metavar="ATHLETE")(command)


@athlete.command()
@_whom
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file that only you can read.")
@click.option("--without-queues", is_flag=True, help="Leave out what waits on the broker.")
def export(athlete_id: str, tenant: str, output: Path | None, without_queues: bool) -> None:
    """All that is held of an athlete as one JSON document: this is health data."""
    from tandem.athlete_data.document import document
    from tandem.athlete_data.stored import StoredData

    settings = _settings(tenant, athlete_id)
    with _failures_told(settings), _waiting(settings, tenant, athlete_id, without_queues) as waiting:
        stored = StoredData(settings, tenant, athlete_id)
        _counted(stored.counts(), waiting, tenant, athlete_id)
        text = document(tenant, athlete_id, datetime.now(UTC), stored, waiting)
        if output is None:
            for piece in text:
                click.echo(piece, nl=False)
        else:
            _write(output, text)
            click.echo(f"{output}: written", err=True)


@athlete.command()
@_whom
@click.option("--dry-run", is_flag=True, help="Say how much is held, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=60.0, help="Seconds (default 60).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def erase(athlete_id: str, tenant: str, dry_run: bool, yes: bool, timeout: float, as_json: bool) -> None:
    """Delete all that is held of an athlete, for good; returns when all four services have confirmed."""
    from tandem.athlete_data.erasing import erase as erase_everywhere
    from tandem.athlete_data.stored import StoredData
    from tandem.runtime.broker import broker_of

    settings = _settings(tenant, athlete_id)
    with _failures_told(settings):
        with _waiting(settings, tenant, athlete_id, without=False) as waiting:
            held = _counted(StoredData(settings, tenant, athlete_id).counts(), waiting, tenant, athlete_id)
        told: dict[str, Any] = {"tenant": tenant, "athlete": athlete_id, "held": held}
        if not as_json:
            for where, counts in held.items():
                click.echo(f"{where}: " + (", ".join(f"{name} {count}" for name, count in counts.items()) or "nothing"))
        if not dry_run:
            if not yes:
                click.confirm(f"Erase athlete {athlete_id} of {tenant} for good?", abort=True, err=True)
            told["erased_by"] = list(erase_everywhere(broker_of(settings), tenant, athlete_id, timeout))
    if as_json:
        print_json(told)
    else:
        click.echo("nothing was changed" if dry_run else f"erased: confirmed by {', '.join(told['erased_by'])}")


def _settings(tenant: str, athlete_id: str) -> "Settings":
    from shared.ops.logging import configure_logging
    from tandem.commands.options import settings_or_exit

    if not is_tenant(tenant):
        raise click.UsageError(f"'{tenant}' is no tenant id: 2 to 40 characters of a-z, 0-9 and -")
    if not is_id(athlete_id):
        raise click.UsageError(f"'{athlete_id}' is no athlete id: 1 to 128 characters of A-Z a-z 0-9 _ . : -")
    settings = settings_or_exit()
    configure_logging("warning", settings.log_format)
    return settings


@contextmanager
def _waiting(settings: "Settings", tenant: str, athlete_id: str, without: bool) -> "Iterator[WaitingMessages | None]":
    from tandem.athlete_data.waiting import WaitingMessages
    from tandem.runtime.broker import broker_of

    if without:
        yield None
        return
    with broker_of(settings)() as broker:
        yield WaitingMessages(broker, tenant, athlete_id)


def _counted(
    stored: dict[str, dict[str, int]], waiting: "WaitingMessages | None", tenant: str, athlete_id: str
) -> dict[str, dict[str, int]]:
    """How much is held where; ends the command when it is nothing, which tells nobody whether the id is elsewhere."""
    found = stored if waiting is None else {**stored, "queues": waiting.counts()}
    if not any(found.values()):
        click.echo(f"tenant {tenant} has no athlete {athlete_id}: nothing is held", err=True)
        raise click.exceptions.Exit(INPUT_IS_WRONG)
    return found


def _write(file: Path, text: Iterator[str]) -> None:
    """The whole document or none: a half-written one would look like an answer."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
            for piece in text:
                opened.write(piece)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _failures_told(settings: "Settings") -> Iterator[None]:
    from shared.bus.broker import BrokerAway
    from shared.ops.settings import without_password
    from tandem.athlete_data.erasing import NotErased
    from tandem.athlete_data.stored import CannotRead

    try:
        yield
    except (CannotRead, NotErased) as error:
        raise click.ClickException(str(error)) from None
    except BrokerAway as error:
        todo = "set TANDEM_AMQP_URI, or say --without-queues"
        raise click.ClickException(f"the broker at {without_password(settings.amqp_uri)}: {error}; {todo}") from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
