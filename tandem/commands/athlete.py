"""``tandem load|readiness|season|check|week|advice``: what an athlete file says, computed offline."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tandem.commands.options import athlete_options, print_json, refuse

if TYPE_CHECKING:
    from rich.console import Console

    from tandem.offline import OfflineAthlete

Compute = Callable[["OfflineAthlete"], Mapping[str, Any]]
Show = Callable[["Console", Mapping[str, Any]], None]


@click.command()
@athlete_options
def load(**options: Any) -> None:
    """Training load per stream on a day: acute, chronic, their ratios, band and alerts."""
    from tandem.views.load import show_load

    _run(lambda athlete: athlete.load().as_json(), show_load, **options)


@click.command()
@athlete_options
def readiness(**options: Any) -> None:
    """Readiness on a day: score, limiting factor, gate, signs, and today's sessions after the gate."""
    from tandem.views.readiness import show_readiness

    _run(lambda athlete: athlete.readiness().as_json(), show_readiness, **options)


@click.command()
@athlete_options
def season(**options: Any) -> None:
    """The season week by week: phase, targets, deloads and the reason for each."""
    from tandem.views.season import show_season

    _run(lambda athlete: athlete.season().as_json(), show_season, **options)


@click.command()
@athlete_options
def check(**options: Any) -> None:
    """Check the proposed calendar in the file's `week`; exit 0 also when it is refused."""
    from tandem.views.verdict import show_verdict

    _run(lambda athlete: athlete.check().as_json(), show_verdict, **options)


@click.command()
@athlete_options
def week(**options: Any) -> None:
    """Place the week's sessions (the file's, or the season's) on clock times."""
    from tandem.views.calendar import show_week

    _run(lambda athlete: athlete.week().as_json(), show_week, **options)


@click.command()
@athlete_options
def advice(**options: Any) -> None:
    """May the run of `after_lift` follow the lift? Go, shorten, separate or swap."""
    from tandem.views.advice import show_advice

    _run(lambda athlete: athlete.advice().as_json(), show_advice, **options)


def _run(
    compute: Compute, show: Show, *, file: Path, on: date | None, rules_dir: Path, tenant: str | None, as_json: bool
) -> None:
    from shared.rules.errors import RuleFileErrors
    from tandem.athlete_file import BadFile
    from tandem.offline import open_offline_athlete

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

    show(open_console(), answer)


def _today() -> date:
    return datetime.now(UTC).date()
