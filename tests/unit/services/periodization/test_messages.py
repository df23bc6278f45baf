"""What the service refuses to read, with a place and a code for every mistake."""

from typing import Any

import pytest
from pydantic import BaseModel

from services.periodization.messages import GetSeason, SetGoals, StartDeload
from shared.athletes.messages import PutAthlete
from shared.messages.validation import InvalidInput, parse

RACE = {"id": "g1", "kind": "race", "class": "A", "date": "2026-05-24"}


@pytest.mark.parametrize(
    ("model", "body", "pointer", "code"),
    [
        (SetGoals, {"goals": [RACE, RACE]}, "", "duplicate_id"),
        (SetGoals, {"goals": [{**RACE, "date": "2026-02-29"}]}, "/goals/0/date", "date_impossible"),
        (SetGoals, {"goals": [{**RACE, "class": "D"}]}, "/goals/0/class", "literal_error"),
        (SetGoals, {"goals": [{**RACE, "distance_km": float("nan")}]}, "/goals/0/distance_km", "finite_number"),
        (SetGoals, {"goals": [], "season_start": "9999-12-27"}, "/season_start", "year_range"),
        (SetGoals, {"goals": [], "seasonstart": "2026-03-02"}, "/seasonstart", "extra_forbidden"),
        (StartDeload, {"from": "2026-03-09", "days": 0}, "/days", "greater_than_equal"),
        (StartDeload, {}, "/from", "missing"),
        (GetSeason, {"weeks": 105}, "/weeks", "less_than_equal"),
        (PutAthlete, {"timezone": "Mars/Olympus"}, "/timezone", "unknown_timezone"),
    ],
)
def test_a_mistake_is_told_with_its_place(
    model: type[BaseModel], body: dict[str, Any], pointer: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as wrong:
        parse(model, {"athlete": "a1", **body})
    assert [(problem.pointer, problem.code) for problem in wrong.value.problems] == [(pointer, code)]


def test_a_leap_day_of_a_leap_year_is_a_day() -> None:
    assert parse(SetGoals, {"athlete": "a1", "goals": [{**RACE, "date": "2028-02-29"}]}).goals[0].date.day == 29
