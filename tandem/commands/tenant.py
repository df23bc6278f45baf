"""``tandem tenant``: who may talk to Tandem over the broker."""

from typing import TYPE_CHECKING, Any, NoReturn

import click

from tandem.commands.options import print_json

if TYPE_CHECKING:
    from shared.bus.tenants import Tenants


@click.group()
def tenant() -> None:
    """Add, list and remove tenants on the broker (TANDEM_MANAGEMENT_URL, an administrator's address)."""


def _limits(command: Any) -> Any:
    for option in (
        click.option("--events", type=click.IntRange(1), help="Events kept while it is away (default 100000)."),
        click.option("--channels", type=click.IntRange(1), help="Most channels at once (default 100)."),
        click.option("--connections", type=click.IntRange(1), help="Most connections at once (default 20)."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
    ):
        command = option(command)
    return command


@tenant.command()
@click.argument("tenant_id", metavar="ID")
@_limits
def add(tenant_id: str, as_json: bool, **limits: int | None) -> None:
    """Make the broker user, its permissions, its event queue and its limits; prints the password, this once."""
    _hand_out(tenant_id, as_json, limits, rotate=False)


@tenant.command()
@click.argument("tenant_id", metavar="ID")
@_limits
def rotate(tenant_id: str, as_json: bool, **limits: int | None) -> None:
    """Give a tenant a new password, set everything else again, and close its connections."""
    _hand_out(tenant_id, as_json, limits, rotate=True)


@tenant.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_(as_json: bool) -> None:
    """Every tenant with its limits and how many events wait for it."""
    tenants, failures = _tenants()
    try:
        known = tenants.known()
    except failures as error:
        _fail(error)
    if as_json:
        print_json({"tenants": [found.as_json() for found in known]})
        return
    for found in known:
        waiting = "?" if found.events_waiting is None else found.events_waiting
        click.echo(
            f"{found.tenant}: at most {found.connections} connections, {found.channels} channels; "
            f"{waiting} events waiting"
        )


@tenant.command()
@click.argument("tenant_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(tenant_id: str, yes: bool) -> None:
    """Take a tenant's user, queues and waiting events off the broker. What the services store of it stays stored."""
    if not yes:
        click.confirm(f"Remove {tenant_id} and every event that waits for it?", abort=True, err=True)
    tenants, failures = _tenants()
    try:
        tenants.remove(tenant_id)
    except failures as error:
        _fail(error)
    click.echo(f"{tenant_id}: removed")


def _hand_out(tenant_id: str, as_json: bool, limits: dict[str, int | None], rotate: bool) -> None:
    from shared.bus.tenants import Limits, events_queue
    from tandem.commands.settings import settings_or_exit
    from tandem.tenant_address import tenant_uri

    chosen: Limits = Limits(**{name: value for name, value in limits.items() if value is not None})
    tenants, failures = _tenants()
    try:
        password = tenants.rotate(tenant_id, chosen) if rotate else tenants.add(tenant_id, chosen)
    except failures as error:
        _fail(error)
    uri = tenant_uri(settings_or_exit().amqp_uri, tenant_id, password)
    told = {"tenant": tenant_id, "password": password, "amqp_url": uri, "events_queue": events_queue(tenant_id)}
    if as_json:
        print_json(told)
        return
    for name, value in told.items():
        click.echo(f"{name.replace('_', ' ')}: {value}")
    click.echo("The password is kept nowhere; if it gets lost: tandem tenant rotate.", err=True)


def _tenants() -> "tuple[Tenants, tuple[type[Exception], ...]]":
    from shared.bus.management import ManagementRefused, ManagementUnavailable
    from shared.bus.tenants import TenantError, Tenants
    from tandem.commands.settings import settings_or_exit
    from tandem.tenant_address import management_of

    return Tenants(management_of(settings_or_exit())), (TenantError, ManagementUnavailable, ManagementRefused)


def _fail(error: Exception) -> NoReturn:
    from shared.bus.tenants import TenantError

    click.echo(str(error), err=True)
    raise click.exceptions.Exit(2 if isinstance(error, TenantError) else 1) from None
