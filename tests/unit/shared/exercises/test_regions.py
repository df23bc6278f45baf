"""Exercises are mapped to regions by a data file; what it does not know is reported, never guessed."""

import csv
from pathlib import Path

import pytest

from shared.exercises import region_of, region_of_session, unmapped

LOG = Path(__file__).parents[4] / "examples" / "athletes" / "source" / "jrg94_weightlifting.csv"


@pytest.mark.parametrize(
    ("exercise", "region"),
    [("Back Squat", "lower"), ("  hand grips ", "upper"), ("Russian Twists", "upper"), ("Deadlift", "full")],
)
def test_a_mapped_exercise_has_its_region(exercise: str, region: str) -> None:
    assert region_of(exercise) == region


@pytest.mark.parametrize("exercise", ["Squats of the third kind", "Dumbbell", ""])
def test_an_unknown_exercise_is_not_guessed_from_its_name(exercise: str) -> None:
    assert region_of(exercise) is None


def test_unmapped_names_are_reported_once_in_their_order() -> None:
    assert unmapped(["Zercher Walk", "Back Squat", "Sled Push", "Zercher Walk"]) == ("Zercher Walk", "Sled Push")


def test_a_session_of_both_halves_is_full_and_one_of_unknowns_has_no_region() -> None:
    assert region_of_session(["Back Squat", "Leg Press"]) == "lower"
    assert region_of_session(["Back Squat", "Bench Press"]) == "full"
    assert region_of_session(["Bench Press", "Zercher Walk"]) == "upper"
    assert region_of_session(["Zercher Walk"]) is None


def test_every_exercise_of_the_example_s_log_is_mapped() -> None:
    with LOG.open(newline="", encoding="utf-8") as stream:
        assert unmapped(row["Exercise"] for row in csv.DictReader(stream)) == ()
