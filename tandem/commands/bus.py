"""``tandem bus``: what Tandem needs on the broker."""

import click


@click.group()
def bus() -> None:
    """Declare what Tandem needs on the broker (TANDEM_AMQP_URI)."""


@bus.command()
def declare() -> None:
    """Declare the exchanges and all four services' queues, and bound all queues; doing it again changes nothing.

    Bounds (policies, and how many queues there may be) need the management API, TANDEM_MANAGEMENT_URL.
    """
    # The services' classes come with nameko, which needs it.
    from tandem.runtime.green_threads import use_green_threads

    use_green_threads()

    from shared.bus.operations.management import ManagementRefused, ManagementUnavailable
    from shared.bus.operations.policies import set_policies
    from tandem.commands.options import settings_or_exit
    from tandem.runtime.broker import CannotDeclare, declare_services, management_of

    settings = settings_or_exit()
    try:
        for service, queues in declare_services(settings).items():
            click.echo(f"{service}: {', '.join(queues)}")
    except CannotDeclare as error:
        raise click.ClickException(str(error)) from None
    try:
        version = set_policies(management_of(settings), settings.broker_queues)
        click.echo(f"policies for RabbitMQ {version} are set; at most {settings.broker_queues} queues")
    except (ManagementRefused, ManagementUnavailable) as error:
        click.echo(
            f"No bounds are set on the broker's queues: {error}. Or there, with the file of its version: ", err=True
        )
        click.echo("rabbitmqctl import_definitions deploy/rabbitmq/policies-4.json", err=True)
