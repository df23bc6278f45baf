"""``tandem demo``: the example athlete through all four services, in one process, with nothing to install."""

from pathlib import Path

import click

from tandem.commands.options import rules_option


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-output"),
    show_default=True,
    help="Folder for the calendar and the chart.",
)
@click.option(
    "--athlete",
    "athlete_path",
    type=click.Path(path_type=Path),
    help="Another athlete file to play (default: examples/athletes/runner-who-lifts.yaml).",
)
@rules_option
def demo(out: Path, athlete_path: Path | None, rules_dir: Path) -> None:
    """Play the example athlete through all four services and show load, readiness, season and next week."""
    # Before anything that may import sockets or threads: the four services share this process's hub.
    from tandem.runtime.green_threads import use_green_threads

    use_green_threads()

    from shared.ops.logging import configure_logging
    from shared.rules.errors import RuleFileErrors
    from tandem.athlete_file import BadFile
    from tandem.commands.options import refuse
    from tandem.demo.run import run_demo

    configure_logging("error", "console")
    try:
        run_demo(athlete_path, rules_dir, out)
    except BadFile as error:
        refuse(error.problems, as_json=False)
    except RuleFileErrors as error:
        refuse(error.errors, as_json=False)
