"""``tandem serve`` and ``tandem up``: the services over a broker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from types import FrameType

import click

from shared.contract.words import SERVICES

_LOOK_EVERY_S = 0.2


@click.command()
@click.argument("services", nargs=-1, required=True, metavar="SERVICE...", type=click.Choice(list(SERVICES)))
def serve(services: tuple[str, ...]) -> None:
    """Run services in this process until SIGTERM, then drain them.

    Settings come from TANDEM_... environment variables; the tables must be up to date (tandem db upgrade). While its
    database or its broker is away it waits: /healthz answers 200, /readyz 503 with what is missing.
    """
    # Before anything that may import sockets or threads.
    from tandem.runtime.green_threads import use_green_threads

    use_green_threads()

    from shared.bus.transport.hub import HUB
    from shared.db.migrations import SchemaOutdated
    from shared.ops.health import HealthAddressError
    from shared.ops.logging import configure_logging
    from shared.rules.errors import RuleFileErrors
    from tandem.commands.options import refuse, settings_or_exit
    from tandem.runtime.databases import check_databases, log_cures, unbound_services
    from tandem.runtime.serve import serve as run_services
    from tandem.runtime.serve import services_named, tell_logged, tell_unbound

    settings = settings_or_exit()
    configure_logging(settings.log_level, settings.log_format)

    def look() -> None:
        check_databases(settings, services, HUB)
        tell_unbound(unbound_services(settings, services))
        tell_logged(log_cures(settings, services))

    try:
        code = run_services(services_named(services), settings, look=look)
    except RuleFileErrors as error:
        refuse(error.errors, as_json=False)
    except (SchemaOutdated, HealthAddressError) as error:
        raise click.ClickException(str(error)) from None
    raise click.exceptions.Exit(code)


@click.command()
@click.option("--upgrade", is_flag=True, help="Bring the databases to the current version first.")
def up(upgrade: bool) -> None:
    """Run all four services, each in its own process, until Ctrl-C; if one ends, all end.

    /metrics, /healthz and /readyz are served on TANDEM_METRICS_PORT and the three ports after it.
    """
    from tandem.commands.options import settings_or_exit
    from tandem.runtime.databases import upgrade_databases

    settings = settings_or_exit()
    if upgrade:
        for service, revision in upgrade_databases(settings, SERVICES).items():
            click.echo(f"{service}: tables at revision {revision}", err=True)
    ports: dict[str, int] = {service: _port(settings.metrics_port, index) for index, service in enumerate(SERVICES)}
    running = {service: _start(service, port) for service, port in ports.items()}
    for service, port in ports.items():
        click.echo(f"{service}: process {running[service].pid}, metrics on {settings.metrics_host}:{port}", err=True)
    raise click.exceptions.Exit(_until_one_ends(running))


def _port(first: int, index: int) -> int:
    """0 stays 0: any free port."""
    return first + index if first else 0


def _start(service: str, metrics_port: int) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "TANDEM_METRICS_PORT": str(metrics_port)}
    return subprocess.Popen([sys.executable, "-m", "tandem", "serve", service], env=environment)


def _until_one_ends(running: "Mapping[str, subprocess.Popen[bytes]]") -> int:
    """0 when asked to stop and all stopped cleanly, else 1."""
    asked: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    while not asked and all(process.poll() is None for process in running.values()):
        time.sleep(_LOOK_EVERY_S)
    for service, process in running.items():
        if process.poll() is None:
            process.terminate()
        elif not asked:
            click.echo(f"{service} ended with code {process.returncode}; stopping the others", err=True)
    codes = [process.wait() for process in running.values()]
    # A service that was still starting when it was asked had nothing to drain: the signal itself ended it.
    return 0 if asked and set(codes) <= {0, -signal.SIGTERM} else 1
