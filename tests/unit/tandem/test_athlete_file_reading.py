"""What an athlete file may say, and that YAML and JSON say the same."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.athlete_file import parse_athlete_file, read_athlete_file
from tandem.athlete_file.places import child_pointer
from tandem.athlete_file.reader import read_document

WHO = "athlete: {id: a1, timezone: Europe/Berlin}\n"
EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "athletes").glob("*.yaml"))


def test_the_contract_s_own_example_is_read() -> None:
    file = parse_athlete_file(
        """
athlete: {id: a1, timezone: Europe/Berlin, priority: balanced, level: intermediate, body_mass_kg: 80}
sessions:                     # done
  - {id: s1, start: "2026-03-02T07:00:00+01:00", duration_min: 60, kind: lift, region: lower, effort: heavy, rpe: 8}
daily_load:
  - {date: 2026-02-01, run: 50, lift: 60}
wellness:
  - {date: 2026-03-01, rmssd_ms: 61.2, resting_hr: 48, sleep_hours: 7.4, soreness: 2}
goals:
  - {id: g1, kind: race, class: A, date: 2026-05-24, distance_km: 21.1}
availability:
  - {day: mon, from: "06:00", to: "08:00"}
season: {start: 2026-03-02, weeks: 12, week_template: {run_minutes: 240, long_run_minutes: 90, quality_runs: 1,
         lifts: 3, lower_sets: 16, upper_sets: 18}}
week:
  start: 2026-03-09
  sessions:
    - {id: p1, start: "2026-03-09T07:00:00+01:00", duration_min: 60, kind: lift, region: lower, effort: heavy}
limits: {max_sessions_per_day: 2, min_rest_days: 1}
after_lift: {lift: {kind: lift, region: lower, effort: heavy}, run: {kind: run, type: easy, duration_min: 20}}
""",
        "a.yaml",
    )
    assert file.season is not None and file.season.start == date(2026, 3, 2)
    assert file.availability is not None and file.availability[0].opens == "06:00"
    assert file.goals[0].goal_class == "A"


def test_unquoted_clock_times_and_words_stay_text() -> None:
    file = parse_athlete_file(WHO + "availability: [{day: mon, from: 06:00, to: 21:00}]\n", "a.yaml")
    assert file.availability is not None and file.availability[0].closes == "21:00"


def test_an_empty_availability_is_not_the_same_as_none() -> None:
    assert parse_athlete_file(WHO, "a.yaml").availability is None
    assert parse_athlete_file(WHO + "availability: []\n", "a.yaml").availability == []


def test_29_february_of_a_leap_year_is_a_day() -> None:
    assert parse_athlete_file(WHO + "wellness: [{date: 2024-02-29}]\n", "a.yaml").wellness[0].date == date(2024, 2, 29)


def test_order_and_overlap_of_sessions_and_windows_in_a_dst_gap_are_no_mistakes() -> None:
    text = (
        WHO
        + """
sessions:
  - {id: later, start: 2026-03-05T07:00:00+01:00, duration_min: 60, kind: run}
  - {id: earlier, start: 2026-03-02T07:00:00+01:00, duration_min: 60, kind: run}
  - {id: overlapping, start: 2026-03-02T07:30:00+01:00, duration_min: 60, kind: lift}
availability: [{date: 2026-03-29, from: "02:00", to: "03:00"}]
"""
    )
    assert [one.id for one in parse_athlete_file(text, "a.yaml").sessions] == ["later", "earlier", "overlapping"]


def test_the_profile_is_the_body_of_athlete_put() -> None:
    file = parse_athlete_file("athlete: {id: a1, timezone: Europe/Berlin, one_rep_max_kg: {squat: 120}}\n", "a.yaml")
    assert file.athlete is not None
    profile = file.athlete.profile()
    assert profile.one_rep_max_kg == {"squat": 120} and "id" not in type(profile).model_fields


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_file_is_read_and_says_the_same_as_json(path: Path) -> None:
    value = read_document(path.read_text(encoding="utf-8"), path.name)[0].value
    assert parse_athlete_file(json.dumps(value), "a.json") == read_athlete_file(path)


def test_there_are_examples() -> None:
    assert {"runner-who-lifts.yaml", "spike-in-one-stream.yaml"} <= {path.name for path in EXAMPLES}


names = st.text(min_size=0, max_size=8)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | names
)
documents = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=20
)


@given(documents)
def test_json_is_read_as_the_standard_library_reads_it(value: object) -> None:
    for indent in (None, 1):
        text = json.dumps(value, indent=indent)
        document, problems = read_document(text, "a.json")
        assert document.value == json.loads(text)
        assert not problems


@given(documents)
def test_every_value_s_place_points_at_its_first_character(value: object) -> None:
    text = json.dumps(value, indent=1)
    document, lines = read_document(text, "a.json")[0], text.split("\n")
    for pointer, found in _values("", value):
        at = document.position_of(pointer)
        assert lines[at.line - 1][at.column - 1 :].startswith(json.dumps(found, indent=1).split("\n")[0][:1])


def _values(pointer: str, value: object) -> Iterator[tuple[str, object]]:
    """Every value inside ``value`` with its JSON pointer."""
    yield pointer, value
    if isinstance(value, dict | list):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _values(child_pointer(pointer, key), member)
