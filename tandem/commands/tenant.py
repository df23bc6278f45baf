"""``tandem tenant``: who may talk to Tandem over the broker."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from shared.messages.ids import is_tenant
from tandem.commands.options import INPUT_IS_WRONG, counted, print_json, rules_option

if TYPE_CHECKING:
    from shared.bus.operations.tenants import Tenants


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
        known = tenants.all()
    except failures as error:
        _fail(error)
    if as_json:
        print_json({"tenants": [found.as_json() for found in known]})
        return
    for found in known:
        waiting = "?" if found.events_waiting is None else found.events_waiting
        click.echo(
            f"{found.tenant}: at most {found.connections} connections, {found.channels} channels; "
            f"{waiting} events waiting, {counted(found.queues, 'queue')}"
            + ("; over its limits: it may declare nothing" if found.restricted else "")
        )


@tenant.command()
@click.argument("tenant_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(tenant_id: str, yes: bool) -> None:
    """Take a tenant's user, queues and waiting events off the broker. What the services store of it stays stored.

    Its athletes go with `athlete.erase` beforehand, its rule packs with `tandem tenant forget-rules` afterwards.
    """
    if not yes:
        click.confirm(f"Remove {tenant_id} and every event that waits for it?", abort=True, err=True)
    tenants, failures = _tenants()
    try:
        tenants.remove(tenant_id)
    except failures as error:
        _fail(error)
    click.echo(f"{tenant_id}: removed")
    click.echo(f"Its rule packs are still stored: tandem tenant forget-rules {tenant_id}", err=True)


@tenant.command("forget-rules")
@click.argument("tenant_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@rules_option
def forget_rules(tenant_id: str, yes: bool, rules_dir: Path) -> None:
    """Delete a removed tenant's stored rule packs, and who put them into force and why, from every service's database.

    Running services notice within two seconds. Its files in the rule folder are yours to delete.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from shared.contract.words import SERVICES
    from shared.db.migrations import SchemaOutdated
    from tandem.commands.options import settings_or_exit
    from tandem.runtime.databases import check_databases, forget_stored_rules

    if not is_tenant(tenant_id):
        click.echo(f"'{tenant_id}' is no tenant id: 2 to 40 characters of a-z, 0-9 and -", err=True)
        raise click.exceptions.Exit(INPUT_IS_WRONG)
    if not yes:
        click.confirm(f"Delete every rule pack that is stored of {tenant_id}, with its history?", abort=True, err=True)
    settings = settings_or_exit()
    try:
        check_databases(settings, SERVICES)
        deleted = forget_stored_rules(tenant_id, SERVICES, settings)
    except SchemaOutdated as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"a database refuses ({type(error).__name__}); do it again when it is back"
        ) from None
    for service, rows in deleted.items():
        click.echo(f"{service}: {counted(rows, 'row')} deleted")
    folder = rules_dir / "tenants" / tenant_id
    if folder.is_dir():
        click.echo(f"{folder} still counts as the tenant's own rules; delete it as well", err=True)


def _hand_out(tenant_id: str, as_json: bool, limits: dict[str, int | None], rotate: bool) -> None:
    from shared.bus.operations.tenants import TenantLimits, events_queue
    from tandem.commands.options import settings_or_exit
    from tandem.runtime.broker import tenant_uri

    chosen: TenantLimits = TenantLimits(**{name: value for name, value in limits.items() if value is not None})
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
    from shared.bus.operations.management import ManagementRefused, ManagementUnavailable
    from shared.bus.operations.tenants import TenantError, Tenants
    from tandem.commands.options import settings_or_exit
    from tandem.runtime.broker import management_of

    return Tenants(management_of(settings_or_exit())), (TenantError, ManagementUnavailable, ManagementRefused)


def _fail(error: Exception) -> NoReturn:
    from shared.bus.operations.tenants import TenantError

    click.echo(str(error), err=True)
    raise click.exceptions.Exit(2 if isinstance(error, TenantError) else 1) from None
