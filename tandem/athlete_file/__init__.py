"""The athlete file: one YAML or JSON document that describes an athlete, read with line and column of every mistake."""

from tandem.athlete_file.model import Athlete, AthleteFile, CoachDecision, SeasonPlan, WeekToPlan
from tandem.athlete_file.places import BadFile, FileProblem
from tandem.athlete_file.reader import parse_athlete_file, read_athlete_file

__all__ = [
    "Athlete",
    "AthleteFile",
    "BadFile",
    "CoachDecision",
    "FileProblem",
    "SeasonPlan",
    "WeekToPlan",
    "parse_athlete_file",
    "read_athlete_file",
]
