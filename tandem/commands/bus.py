"""``tandem bus``: what Tandem needs on the broker."""

import click


@click.group()
def bus() -> None:
    """Declare what Tandem needs on the broker (TANDEM_AMQP_URI)."""


@bus.command()
def declare() -> None:
    """Declare the exchanges and all four services' queues; doing it again changes nothing."""
    # The services' classes come with nameko, which needs it.
    from tandem.runtime.green_threads import use_green_threads

    use_green_threads()

    from tandem.commands.options import settings_or_exit
    from tandem.runtime.broker import CannotDeclare, declare_services

    try:
        for service, queues in declare_services(settings_or_exit()).items():
            click.echo(f"{service}: {', '.join(queues)}")
    except CannotDeclare as error:
        raise click.ClickException(str(error)) from None
