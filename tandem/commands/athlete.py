"""``tandem load|readiness|season|check|week|advice``: what an athlete file says, computed offline."""

import importlib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tandem.commands.options import athlete_options, print_json, refuse

if TYPE_CHECKING:
    from rich.console import Console

    from tandem.offline.pipeline import OfflineAthlete

Compute = Callable[["OfflineAthlete"], Mapping[str, Any]]
Show = Callable[["Console", Mapping[str, Any]], None]


@click.command()
@athlete_options
def load(**options: Any) -> None:
    """Training load per stream on a day: acute, chronic, their ratios, band and alerts."""
    _run(lambda athlete: athlete.load().as_json(), "tandem.views.load:show_load", **options)


@click.command()
@athlete_options
def readiness(**options: Any) -> None:
    """Readiness on a day: score, limiting factor, gate, signs, and today's sessions after the gate."""
    _run(lambda athlete: athlete.readiness().as_json(), "tandem.views.readiness:show_readiness", **options)


@click.command()
@athlete_options
def season(**options: Any) -> None:
    """The season week by week: phase, targets, deloads and the reason for each."""
    _run(lambda athlete: athlete.season().as_json(), "tandem.views.season:show_season", **options)


@click.command()
@athlete_options
def check(**options: Any) -> None:
    """Check the proposed calendar in the file's `week`; exit 0 also when it is refused."""
    _run(lambda athlete: athlete.check().as_json(), "tandem.views.verdict:show_verdict", **options)


@click.command()
@athlete_options
def week(**options: Any) -> None:
    """Place the week's sessions (the file's, or the season's) on clock times."""
    _run(lambda athlete: athlete.week().as_json(), "tandem.views.calendar:show_week", **options)


@click.command()
@athlete_options
def advice(**options: Any) -> None:
    """May the run of `after_lift` follow the lift? Go, shorten, separate or swap."""
    _run(lambda athlete: athlete.advice().as_json(), "tandem.views.advice:show_advice", **options)


def _run(
    compute: Compute, view: str, *, file: Path, on: date | None, rules_dir: Path, tenant: str | None, as_json: bool
) -> None:
    """Compute and print; ``view`` (module:function) is imported only when something is to be shown."""
    from shared.rules.errors import RuleFileErrors
    from tandem.athlete_file import BadFile
    from tandem.offline.pipeline import open_offline_athlete

    try:
        with open_offline_athlete(file, rules_dir=rules_dir, tenant=tenant, on=on, clock=_today) as athlete:
            answer = compute(athlete)
    except BadFile as error:
        refuse(error.problems, as_json)
    except RuleFileErrors as error:
        refuse(error.errors, as_json)
    if as_json:
        print_json(answer)
        return
    from tandem.views.console import open_console

    module, _, name = view.partition(":")
    show: Show = getattr(importlib.import_module(module), name)
    show(open_console(), answer)


def _today() -> date:
    return datetime.now(UTC).date()
