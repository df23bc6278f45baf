"""``tandem db``: the services' tables."""

import click

from shared.contract.words import SERVICES


@click.group()
def db() -> None:
    """Upgrade or check the services' databases (TANDEM_DATABASE_URL)."""


@db.command()
@click.argument("services", nargs=-1, metavar="[SERVICE...]", type=click.Choice(list(SERVICES)))
def upgrade(services: tuple[str, ...]) -> None:
    """Apply every missing migration; without SERVICE to all four. Doing it again changes nothing."""
    from tandem.commands.options import settings_or_exit
    from tandem.runtime.databases import upgrade_databases

    for service, revision in upgrade_databases(settings_or_exit(), services or SERVICES).items():
        click.echo(f"{service}: tables at revision {revision}")


@db.command()
@click.argument("services", nargs=-1, metavar="[SERVICE...]", type=click.Choice(list(SERVICES)))
def check(services: tuple[str, ...]) -> None:
    """Say whether the tables are those of this version; exit 1 when they are not."""
    from shared.db.migrations import SchemaOutdated
    from tandem.commands.options import settings_or_exit
    from tandem.runtime.databases import check_databases

    settings, outdated = settings_or_exit(), False
    for service in services or SERVICES:
        try:
            (revision,) = check_databases(settings, [service]).values()
            click.echo(f"{service}: tables at revision {revision}")
        except SchemaOutdated as error:
            click.echo(str(error), err=True)
            outdated = True
    if outdated:
        raise click.exceptions.Exit(1)
