"""Every mistake in an athlete file is told with its line, its column, what is allowed and the nearest right word."""

import json
from pathlib import Path

import pytest

from tandem.athlete_file import BadFile, FileProblem, parse_athlete_file, read_athlete_file

WHO = "athlete: {id: a1, timezone: Europe/Berlin}\n"


def mistakes(text: str, file: str = "a.yaml") -> tuple[FileProblem, ...]:
    with pytest.raises(BadFile) as caught:
        parse_athlete_file(text, file)
    return caught.value.problems


def only(text: str, file: str = "a.yaml") -> str:
    problems = mistakes(text, file)
    assert len(problems) == 1, [str(problem) for problem in problems]
    return str(problems[0])


def session(**fields: object) -> str:
    right: dict[str, object] = {"id": "s1", "start": "2026-03-02T07:00:00+01:00", "duration_min": 60, "kind": "lift"}
    return WHO + "sessions:\n  - " + json.dumps({**right, **fields}) + "\n"


def test_every_mistake_of_a_file_is_told_at_once_in_order() -> None:
    text = """\
athlete: {id: a1, timezone: Europe/Berln, priority: endurence, levl: beginner}
sessions:
  - {id: s1, start: 2026-03-02T07:00:00+01:00, duration_min: -60, kind: lift, rpe: 14}
  - {id: s1, start: 2026-03-02T07:00:00, duration_min: .nan, kind: lift, region: lowr, rpe: .inf}
  - {id: s2, start: 2026-02-30T07:00:00Z, duration_min: 6000, kind: run, region: lower}
wellness:
  - {date: 2026-02-29, soreness: 7}
"""
    told = [(p.line, p.column, p.code) for p in mistakes(text)]
    assert told == [
        (1, 29, "unknown_timezone"),
        (1, 53, "literal_error"),
        (1, 64, "extra_forbidden"),
        (3, 62, "greater_than"),
        (3, 84, "less_than_equal"),
        (4, 10, "duplicate"),
        (4, 21, "offset_missing"),
        (4, 56, "finite_number"),
        (4, 82, "literal_error"),
        (4, 93, "finite_number"),
        (5, 21, "time_impossible"),
        (5, 57, "less_than_equal"),
        (5, 74, "tag_of_other_kind"),
        (7, 12, "date_impossible"),
        (7, 34, "less_than_equal"),
    ]


def test_a_mistake_reads_as_file_line_column_field_and_what_is_allowed() -> None:
    assert only(session(rpe=14)).startswith("a.yaml:3:")
    assert "sessions[0].rpe: must be at most 10, not 14" in only(session(rpe=14))
    assert "must be greater than 0, not -5" in only(session(duration_min=-5))
    assert "must be at most 5760, not 5761" in only(session(duration_min=5761))


def test_a_session_of_24_hours_is_the_longest_allowed() -> None:
    assert parse_athlete_file(session(duration_min=5760), "a.yaml").sessions[0].duration_min == 5760


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("Europe/Berln", "Europe/Berlin"), ("berlin", "Europe/Berlin"), ("US/Eastren", "US/Eastern")],
)
def test_an_unknown_time_zone_suggests_the_nearest(wrong: str, right: str) -> None:
    assert f"did you mean '{right}'?" in only(f"athlete: {{id: a1, timezone: {wrong}}}")


def test_an_unknown_field_suggests_the_nearest_and_points_at_the_key() -> None:
    problem = mistakes(WHO + "wellness:\n  - {date: 2026-03-01, resting_hrr: 50}\n")[0]
    assert "unknown field 'resting_hrr'; did you mean 'resting_hr'?" in problem.message
    assert (problem.line, problem.column) == (3, 24)


def test_an_unknown_word_suggests_the_nearest() -> None:
    assert "did you mean 'heavy'?" in only(session(effort="hevy"))


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf", "1e999"])
def test_a_yaml_number_is_finite(number: str) -> None:
    assert "finite" in only(WHO + f"wellness:\n  - {{date: 2026-03-01, rmssd_ms: {number}}}\n")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_json_number_is_finite(number: str) -> None:
    text = f'{{"athlete": {{"id": "a1", "timezone": "UTC"}},\n"wellness": [{{"rmssd_ms": {number}}}]}}'
    assert only(text, "a.json").startswith(f"a.json:2:27: broken JSON: {number}")


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "2025-02-29", "1900-02-29", "2026-00-10"])
def test_an_impossible_date_is_told(day: str) -> None:
    assert "no such date" in only(WHO + f"wellness:\n  - {{date: {day}}}\n")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_date_outside_every_life_is_told(day: str) -> None:
    assert "between 1900 and 2199" in only(WHO + f"wellness:\n  - {{date: {day}}}\n")


def test_a_time_needs_an_offset() -> None:
    assert "a time needs its offset" in only(session(start="2026-03-02T07:00:00"))


@pytest.mark.parametrize(
    ("where", "entries", "key"),
    [
        ("wellness", "[{date: 2026-03-01}, {date: 2026-03-01}]", "date"),
        ("daily_load", "[{date: 2026-03-01, run: 1}, {date: 2026-03-01, run: 2}]", "date"),
        ("days", "[{date: 2026-03-01, state: rest}, {date: 2026-03-01, state: sick}]", "date"),
        ("goals", "[{id: g, kind: race, date: 2026-05-01}, {id: g, kind: race, date: 2026-06-01}]", "id"),
    ],
)
def test_what_is_there_twice_is_told(where: str, entries: str, key: str) -> None:
    assert f"each {key} stands once" in only(WHO + f"{where}: {entries}\n")


def test_planned_sessions_have_ids_of_their_own_but_once_each() -> None:
    planned = "{id: s1, duration_min: 30, kind: run}"
    both = session() + f"week: {{start: 2026-03-09, sessions: [{planned}]}}\n"
    assert parse_athlete_file(both, "a.yaml").week is not None
    assert "each id stands once" in only(WHO + f"week: {{start: 2026-03-09, sessions: [{planned}, {planned}]}}\n")


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("athlete: {id: a1, timezone: UTC, id: a2}\n", "/athlete/id"),
        ("athlete: {id: a1, timezone: UTC, level: !x beginner}\n", "/athlete/level"),
        ("athlete: {id: a1, timezone: UTC, body_mass_kg: .inf}\n", "/athlete/body_mass_kg"),
        (WHO + "wellness:\n  - {date: 2026-03-01, soreness: *x}\n", "/wellness/0/soreness"),
    ],
)
def test_what_the_reader_refuses_has_the_pointer_of_its_field(text: str, pointer: str) -> None:
    assert [problem.pointer for problem in mistakes(text)] == [pointer]


def test_a_key_given_twice_is_told_in_yaml_and_json() -> None:
    assert "'id' is already given on line 1" in only("athlete: {id: a1, timezone: UTC,\n  id: a2}\n")
    assert "'id' is already given on line 1" in only(
        '{"athlete": {"id": "a1", "timezone": "UTC",\n "id": "a2"}}', "a.json"
    )


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "? " * 100_000])
def test_a_hundred_thousand_levels_of_yaml_are_refused_where_they_become_too_deep(text: str) -> None:
    problem = mistakes(text)[-1]
    assert problem.code == "too_deep" and problem.line == 1


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_a_hundred_thousand_levels_of_json_are_refused(text: str) -> None:
    assert "nested deeper than 32 levels" in only(text, "a.json")


def test_aliases_cannot_blow_up_a_file() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert any("starts an alias, which athlete files do not have" in problem.message for problem in mistakes(bomb))


def test_python_objects_cannot_be_smuggled_in() -> None:
    smuggled = mistakes('athlete: !!python/object/apply:os.system ["true"]\n')[0]
    assert "the tag 'tag:yaml.org,2002:python/" in str(smuggled)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("athlete: [1, 2\nb: 3\n", "a.yaml:1:10: this bracket is never closed, or a comma is missing inside"),
        ('athlete: "x\n', "a.yaml:1:10: this quote is never closed"),
        ("athlete:\n\t id: 4\n", "a.yaml:2:1: a tab; indent with spaces"),
        ("athlete: {id: a1, timezone: UTC}\n---\nathlete: {}\n", "a.yaml:2:1: a second document"),
        ("- 1\n", "a.yaml:1:1: an athlete file is a mapping"),
        ("just words\n", "a.yaml:1:1: an athlete file is a mapping"),
        ("# nothing but a comment\n", "the file is empty; start with 'athlete:"),
    ],
)
def test_broken_yaml_is_told_where_it_breaks(text: str, said: str) -> None:
    assert said in str(mistakes(text)[0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"athlete": {"id": "a1",}}', "a.json:1:25: broken JSON: expected a name"),
        ('{"athlete": }', "a.json:1:13: broken JSON: expected a value"),
        ('{"athlete"\n "x"}', "a.json:2:2: broken JSON: expected ':'"),
        ('{"a": 1} x', "a.json:1:10: broken JSON: nothing may follow"),
        ('{"a": "x', "a.json:1:7: broken JSON: unterminated string"),
        ("{'a': 1}", "a.json:1:2: broken JSON: expected a name in double quotes"),
        ('{"a": [1, 2', "a.json:1:12: broken JSON: expected ',' or ']'"),
        ('{"a": 01}', "broken JSON"),
        ("[1]", "a.json:1:1: an athlete file is a mapping"),
    ],
)
def test_broken_json_is_told_where_it_breaks(text: str, said: str) -> None:
    problems = mistakes(text, "a.json")
    assert len(problems) >= 1 and said in str(problems[0])


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "athlete.yaml").write_text(WHO)
    binary, empty, utf16, blob = (tmp_path / name for name in ("b.yaml", "e.yaml", "u.yaml", "p.yaml"))
    binary.write_bytes(b"athlete: \x00\x01\x02")
    empty.write_text(" \n")
    utf16.write_text(WHO, encoding="utf-16")
    blob.write_bytes(b"athlete:\n  id: \xff\xfe\xfa")
    for path, said in (
        (tmp_path / "athlet.yaml", "no such file; did you mean"),
        (tmp_path, "is a directory"),
        (binary, "b.yaml:1:10: a control character (U+0000): this is not a text file"),
        (empty, "is empty"),
        (utf16, "is UTF-16; save it as UTF-8"),
        (blob, "p.yaml:2:7: this is not UTF-8 text: byte 0xff stands here"),
    ):
        with pytest.raises(BadFile) as caught:
            read_athlete_file(path)
        assert said in str(caught.value)


def test_a_huge_file_is_refused_without_being_parsed(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as stream:
        stream.truncate(64 * 1024 * 1024)
    with pytest.raises(BadFile, match="larger than 16 MiB"):
        read_athlete_file(path)


def test_a_control_character_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"athlete:\n  i\x07d: a\n")
    with pytest.raises(BadFile, match=r"a\.yaml:2:4: a control character \(U\+0007\)"):
        read_athlete_file(path)


@pytest.mark.parametrize(
    "text",
    [
        "daily_load: [{date: 2026-01-01, run: 1.0e+308}]\n",
        "sessions: [{id: s, start: 2026-01-02T07:00:00Z, duration_min: 60, kind: run, distance_km: 1.0e+308}]\n",
        "season: {start: 2026-01-05, week_template: {run_minutes: 10081}}\n",
        "season: {start: 2026-01-05, week_template: {run_minutes: 60, lower_sets: 1001}}\n",
    ],
)
def test_a_number_no_person_reaches_is_a_mistake_and_cannot_overflow_a_sum(text: str) -> None:
    assert "must be at most" in only(text)
