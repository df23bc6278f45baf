"""An input's mistakes are all told at once, each with its place and the nearest right word."""

from typing import Annotated

import pytest
from pydantic import Field

from shared.messages.validation import MAX_PROBLEMS, InvalidInput, Problem, nearest_word, parse, pointer
from shared.messages.values import DoneSession, Goal, Id, Profile, Value, Window


class Plan(Value):
    athlete: Id
    sessions: list[DoneSession] = []
    goals: list[Goal] | None = None
    windows: dict[str, Window] = {}
    either: Profile | Goal | None = None
    share: Annotated[float, Field(ge=0.5)] = 0.5


def problems(data: object) -> dict[str, Problem]:
    with pytest.raises(InvalidInput) as caught:
        parse(Plan, data)
    return {problem.pointer: problem for problem in caught.value.problems}


SESSION = {"id": "s1", "start": "2026-03-02T07:00:00+01:00", "duration_min": 60, "kind": "lift"}


def test_a_correct_document_becomes_its_model() -> None:
    plan = parse(Plan, {"athlete": "a1", "sessions": [SESSION]})
    assert plan.sessions[0].duration_min == 60


def test_all_mistakes_are_told_at_once_with_pointers() -> None:
    found = problems({"sessions": [SESSION, {**SESSION, "rpe": 14, "duration_min": -5, "kind": "lifts"}]})
    assert found.keys() == {"/athlete", "/sessions/1/rpe", "/sessions/1/duration_min", "/sessions/1/kind"}
    assert found["/athlete"].message == "'athlete' is required"
    assert found["/sessions/1/rpe"] == Problem("/sessions/1/rpe", "less_than_equal", "must be at most 10, not 14")
    assert found["/sessions/1/duration_min"].code == "greater_than"
    assert found["/sessions/1/kind"].message == "'lifts' is not one of: run, lift, other; did you mean 'lift'?"


def test_an_unknown_field_gets_the_nearest_right_name() -> None:
    found = problems({"athlete": "a1", "sessions": [{**SESSION, "avghr": 140}], "sesions": []})
    assert found["/sessions/0/avghr"].message == "unknown field 'avghr'; did you mean 'avg_hr'?"
    assert found["/sesions"].message == "unknown field 'sesions'; did you mean 'sessions'?"


def test_an_unknown_field_like_no_other_gets_the_list() -> None:
    message = problems({"athlete": "a1", "xyzzy": 1})["/xyzzy"].message
    assert message == "unknown field 'xyzzy'; allowed here: athlete, either, goals, sessions, share, windows"


def test_suggestions_use_the_names_of_the_contract_not_of_python() -> None:
    goal = {"id": "g", "kind": "race", "date": "2026-05-24", "klass": "A"}
    assert problems({"athlete": "a", "goals": [goal]})["/goals/0/klass"].message.endswith("did you mean 'class'?")
    window = {"day": "mon", "form": "06:00", "to": "08:00"}
    found = problems({"athlete": "a", "windows": {"w/1": window}})
    assert found["/windows/w~11/form"].message.endswith("did you mean 'from'?")
    assert found["/windows/w~11/from"].code == "missing"


def test_pointers_do_not_name_union_members() -> None:
    found = problems({"athlete": "a", "either": {"timezone": "Mars/Olympus"}})
    assert "'Mars/Olympus' is no IANA time zone" in found["/either/timezone"].message


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"start": "2026-03-02T07:00:00"}, "offset_missing"),
        ({"start": "2026-02-30T07:00:00Z"}, "time_impossible"),
        ({"duration_min": 5761}, "less_than_equal"),
        ({"duration_min": "60"}, "float_type"),
        ({"rpe": float("nan")}, "finite_number"),
        ({"revision": 1.5}, "int_type"),
        ({"id": "no spaces"}, "string_pattern_mismatch"),
    ],
)
def test_bad_values_have_codes_a_program_can_read(change: dict[str, object], code: str) -> None:
    found = problems({"athlete": "a", "sessions": [{**SESSION, **change}]})
    assert found[f"/sessions/0/{next(iter(change))}"].code == code


def test_a_document_that_is_no_object_is_one_problem_about_the_whole() -> None:
    assert problems([1, 2]) == {"": Problem("", "model_type", "write an object with names and values, not a list")}


def test_a_flood_of_mistakes_is_cut_and_counted() -> None:
    found = problems({"athlete": "a", "sessions": [{}] * 100})
    assert len(found) == MAX_PROBLEMS + 1
    assert found[""].message == "and 200 more like these"


def test_pointer_escapes_slash_and_tilde() -> None:
    assert pointer(["a/b", 0, "c~d"]) == "/a~1b/0/c~0d"


def test_nearest_word_ignores_case_and_hyphens() -> None:
    assert nearest_word("Under-Load", ["under_load", "optimal"]) == "under_load"
    assert nearest_word("banana", ["under_load", "optimal"]) is None
