"""The example athlete: what its script writes, and that the file says what is real."""

import csv
import importlib.util
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from tandem.athlete_file import AthleteFile, read_athlete_file

FOLDER = Path(__file__).parents[3] / "examples" / "athletes"
FILE = FOLDER / "runner-who-lifts.yaml"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_example_athlete", FOLDER / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def athlete() -> AthleteFile:
    return read_athlete_file(FILE)


def test_the_script_writes_the_same_file_again(generator: ModuleType) -> None:
    assert generator.athlete_file() == FILE.read_text(encoding="utf-8")


def test_it_covers_16_weeks_of_training_and_mornings_from_60_days_before(athlete: AthleteFile) -> None:
    days = sorted(session.start.date() for session in athlete.sessions)
    assert days[0] == date(2022, 6, 27) and days[-1] == days[0] + timedelta(days=16 * 7 - 1)
    mornings = [morning.date for morning in athlete.wellness]
    assert mornings == [days[0] + timedelta(days=offset) for offset in range(-60, 16 * 7)]


def test_the_goals_are_an_a_race_and_a_strength_test_some_months_ahead(athlete: AthleteFile) -> None:
    last = max(session.start.date() for session in athlete.sessions)
    assert {(goal.kind, goal.goal_class) for goal in athlete.goals} >= {("race", "A"), ("strength", "B")}
    assert all(timedelta(weeks=4) < goal.date - last < timedelta(weeks=26) for goal in athlete.goals)


def test_the_mornings_are_the_source_s_sleep_resting_heart_rate_and_weight(athlete: AthleteFile) -> None:
    with (FOLDER / "source" / "jrg94_fitbit.csv").open(newline="", encoding="utf-8") as stream:
        source = {date.fromisoformat(row["Date"]): row for row in csv.DictReader(stream)}
    for morning in athlete.wellness:
        row = source[morning.date]
        assert morning.resting_hr == float(row["Resting Heart Rate"])
        assert morning.sleep_hours == pytest.approx(float(row["Total Sleep (minutes)"]) / 60, abs=0.005)
        assert (morning.body_mass_kg is None) == (row["Weight"] == "")


def test_the_real_lifts_are_the_source_s_sets_repetitions_and_loads(athlete: AthleteFile) -> None:
    with (FOLDER / "source" / "jrg94_weightlifting.csv").open(newline="", encoding="utf-8") as stream:
        source = [row for row in csv.DictReader(stream) if _in_training(row["Date"])]
    real = [exercise for one in athlete.sessions if one.id.startswith("real-") for exercise in one.exercises]
    assert [
        (row["Exercise"], int(row["Sets"]), int(row["Reps"]), round(float(row["Weight"]) * 0.45359237, 1))
        for row in source
    ] == [(one.name, len(one.sets), one.sets[0].reps, one.sets[0].load_kg) for one in real]


def test_every_session_says_whether_it_is_real_and_the_notes_say_what_that_means(athlete: AthleteFile) -> None:
    assert {session.id.split("-")[0] for session in athlete.sessions} == {"real", "sim"}
    assert not any(session.id.startswith("real-") and session.kind == "run" for session in athlete.sessions)
    assert athlete.notes is not None and set(athlete.notes) == {"real", "simulated"}
    assert "rmssd_ms" in athlete.notes["simulated"] and "CC0-1.0" in athlete.notes["real"]


def test_nothing_of_it_reads_outside_the_repository(generator: ModuleType) -> None:
    assert generator.HERE == FOLDER
    assert ".." not in (FOLDER / "generate.py").read_text(encoding="utf-8")


def _in_training(written: str) -> bool:
    month, day, year = (int(part) for part in written.split("/"))
    return date(2022, 6, 27) <= date(year, month, day) <= date(2022, 10, 16)
