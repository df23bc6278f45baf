"""``tandem asyncapi``: the bus described for client generators."""

import json

import click


@click.command()
def asyncapi() -> None:
    """Print the AsyncAPI 3.0 description of every command, query and event."""
    from tandem.asyncapi import asyncapi as describe

    click.echo(json.dumps(describe(), indent=1, ensure_ascii=False))
