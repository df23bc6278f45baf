"""``tandem parked``: messages that no handler could take, kept for a person to judge."""

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from shared.contract.words import SERVICES
from tandem.commands.options import print_json

if TYPE_CHECKING:
    from shared.bus.operations.parked_queue import Action, Filter, Parked
    from tandem.runtime.parked import ParkedMessages

COMMAND_OPTIONS = (
    click.option("--service", "services", multiple=True, type=click.Choice(list(SERVICES)), help="Default: all four."),
    click.option("--tenant", help="Only this tenant's messages."),
    click.option("--key", help="Only messages with this key, e.g. load.record-session."),
    click.option("--reason", help="Only messages parked for this reason, e.g. handler_failed."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(COMMAND_OPTIONS):
        command = option(command)
    return command


def _acting(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--by", default=getpass.getuser, help="Who does it, for the audit (default: your user name)."),
        click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="At most so many a second."),
        click.option("--dry-run", is_flag=True, help="Say which messages it would be, and change nothing."),
        click.option("--all", "everything", is_flag=True, help="Needed to take every message, without any filter."),
    ):
        command = option(command)
    return command


@click.group()
def parked() -> None:
    """List, show, replay and drop parked messages (TANDEM_AMQP_URI; the audit goes to TANDEM_DATABASE_URL)."""
    # Confirms are waited for in green threads; this comes before anything that may import sockets.
    from tandem.runtime.green_threads import use_green_threads

    use_green_threads()


@parked.command("list")
@_options
def list_(services: tuple[str, ...], as_json: bool, **wanted: str | None) -> None:
    """Every parked message, oldest first: why, since when, what it was. Bodies are not shown."""
    with _failures_told():
        found = _door(services).find(_filter((), wanted))
    _tell("parked", found, as_json)


@parked.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--body", is_flag=True, help="Also what was sent and the whole error: this is health data.")
@_options
def show(ids: tuple[str, ...], body: bool, services: tuple[str, ...], as_json: bool, **wanted: str | None) -> None:
    """All that is known about single messages."""
    with _failures_told():
        found = _door(services).find(_filter(ids, wanted))
    if as_json:
        print_json({"parked": [one.as_json(with_body=body) for one in found]})
    else:
        for one in found:
            for name, value in one.as_json(with_body=body).items():
                click.echo(f"{name}: {'-' if value is None else value}")
            click.echo()
    _missing(ids, found)


@parked.command()
@click.argument("ids", nargs=-1, metavar="[ID...]")
@_acting
@_options
def replay(ids: tuple[str, ...], **options: Any) -> None:
    """Give messages back to their service, with all their attempts before them, once what was wrong is mended."""
    _act("replay", ids, **options)


@parked.command()
@click.argument("ids", nargs=-1, metavar="[ID...]")
@_acting
@_options
def drop(ids: tuple[str, ...], **options: Any) -> None:
    """Delete messages for good; the audit keeps who did it and which they were."""
    _act("drop", ids, **options)


def _act(
    action: "Action",
    ids: tuple[str, ...],
    services: tuple[str, ...],
    as_json: bool,
    by: str,
    rate: float | None,
    dry_run: bool,
    everything: bool,
    **wanted: str | None,
) -> None:
    if not (ids or everything or any(wanted.values())):
        raise click.UsageError("say which: IDs, --tenant, --key, --reason, or --all")
    with _failures_told():
        door, chosen = _door(services), _filter(ids, wanted)
        if dry_run:
            found, kept = door.find(chosen), []
            if action == "replay":
                kept = [one for one in found if one.problem is not None]
                found = [one for one in found if one.problem is None]
        else:
            done = door.settle(action, chosen, by, rate)
            found, kept = done.settled, done.kept
    _tell(f"would {action}" if dry_run else action, found, as_json, kept)
    _missing(ids, [*found, *kept])


def _door(services: tuple[str, ...]) -> "ParkedMessages":
    from shared.ops.logging import configure_logging
    from tandem.commands.options import settings_or_exit
    from tandem.runtime.parked import ParkedMessages

    settings = settings_or_exit()
    configure_logging("warning", settings.log_format)
    return ParkedMessages(settings, services or SERVICES)


@contextmanager
def _failures_told() -> Iterator[None]:
    """What is not there, the broker or the database, is told in one line; what was not settled is still parked."""
    from sqlalchemy.exc import DBAPIError

    from shared.bus.broker import BrokerAway, PublishFailed

    try:
        yield
    except BrokerAway as error:
        raise click.ClickException(f"the broker at TANDEM_AMQP_URI: {error}") from None
    except PublishFailed as error:
        raise click.ClickException(f"not confirmed, so still parked: {error}") from None
    except DBAPIError as error:
        raise click.ClickException(f"no audit, so still parked: {type(error.orig).__name__}") from None


def _filter(ids: tuple[str, ...], wanted: dict[str, str | None]) -> "Filter":
    from shared.bus.operations.parked_queue import Filter

    return Filter(frozenset(ids), **wanted)


def _tell(what: str, found: "list[Parked]", as_json: bool, kept: "list[Parked] | None" = None) -> None:
    if as_json:
        document: dict[str, Any] = {"action": what, "messages": [one.as_json() for one in found]}
        if kept is not None:
            document["kept"] = [one.as_json() for one in kept]
        print_json(document)
        return
    for one in found:
        click.echo(_line(one))
    for one in kept or ():
        click.echo(f"{_line(one)}: not replayed: {one.problem}", err=True)
    click.echo(f"{what}: {len(found)} messages", err=True)


def _line(one: "Parked") -> str:
    return "  ".join((one.id, one.service, one.tenant, one.key, one.reason, one.last_failed or "-"))


def _missing(ids: tuple[str, ...], found: "list[Parked]") -> None:
    missing = [one for one in ids if one not in {parked.id for parked in found}]
    if missing:
        raise click.ClickException(f"not parked: {', '.join(missing)}")
