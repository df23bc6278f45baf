"""What Tandem says of an athlete day by day, through the use cases and domains that the services run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.periodization.domain import early_deload_triggers
from services.periodization.use_cases.gather import gather_season
from shared.contract.words import STREAMS, Action, Band, Colour, Intensity, Stream
from shared.located_yaml.nodes import MapNode, Position
from shared.rules.decisions import Rules
from tandem.athlete_file.model import AthleteFile
from tandem.athlete_file.places import Document
from tandem.athlete_file.reader import LocatedAthleteFile
from tandem.offline.pipeline import OfflineAthlete
from tandem.offline.season_records import FileSeason

_NO_FILE: Final = Document("", MapNode((), Position("", 1, 1)))


@dataclass(frozen=True, slots=True)
class DayVerdict:
    """One day as it was known on that day. ``rules``: those that held it back or asked for something."""

    date: date
    score: float | None
    colour: Colour | None
    intensity: Intensity
    action: Action
    rules: tuple[str, ...]
    bands: Mapping[Stream, Band | None]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """``triggers``: per week that holds one the first day on which rules asked for an early deload, and which."""

    days: tuple[DayVerdict, ...]
    triggers: tuple[tuple[date, tuple[str, ...]], ...]


def offline(file: AthleteFile, rules: Rules, on: date) -> OfflineAthlete:
    """An athlete who stands in no file."""
    return OfflineAthlete(LocatedAthleteFile(file, _NO_FILE), rules, on)


def play(file: AthleteFile, rules: Rules, first: date, last: date) -> Verdicts:
    """Every day from ``first`` to ``last``, and what the season of ``file`` takes from them."""
    athlete = offline(file, rules, last)
    days = [first + timedelta(days=index) for index in range((last - first).days + 1)]
    figures = athlete.records.load_series.day_figures(days)
    readiness = athlete.readiness_by_day
    verdicts = []
    for day, load in zip(days, figures, strict=True):
        of_day = readiness[day]
        verdicts.append(
            DayVerdict(
                day,
                of_day.score,
                of_day.colour,
                of_day.gate.intensity,
                of_day.action,
                tuple(decided.rule for decided in of_day.decided_by),
                {name: load[f"band_{name}"] for name in STREAMS},
            )
        )
    season = gather_season(FileSeason(athlete), athlete.profile, last, rules)
    return Verdicts(tuple(verdicts), early_deload_triggers(season, rules))
