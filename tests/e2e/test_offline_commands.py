"""``tandem load|readiness|season|check|week|advice`` as a person or a script calls them."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tandem.cli import main
from tests.e2e.answer_schemas import ANSWERS

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "athletes"
RUNNER = EXAMPLES / "runner-who-lifts.yaml"
COLLISION = EXAMPLES / "check-collision.yaml"
FILE_OF = {
    "load": RUNNER,
    "readiness": RUNNER,
    "season": RUNNER,
    "week": RUNNER,
    "check": COLLISION,
    "advice": COLLISION,
}


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TANDEM_RULES_ENGINE", "reference")

    def call(*arguments: object) -> Outcome:
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return Outcome(int(stop.value.code or 0), told.out, told.err)

    return call


@pytest.fixture
def athlete(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "athlete.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("command", ANSWERS)
def test_json_is_one_document_of_the_contract_s_shape_and_nothing_else(run: Run, command: str) -> None:
    outcome = run(command, FILE_OF[command], "--json")
    assert outcome.code == 0 and outcome.err == ""
    jsonschema.validate(outcome.json, ANSWERS[command])


@pytest.mark.parametrize("command", ANSWERS)
def test_without_json_a_table_is_printed_plain_where_there_is_no_terminal(run: Run, command: str) -> None:
    outcome = run(command, FILE_OF[command])
    assert outcome.code == 0 and outcome.err == ""
    assert "\x1b" not in outcome.out
    assert max(len(line) for line in outcome.out.splitlines()) <= 100


def test_the_day_is_the_last_one_with_a_record_unless_on_says_otherwise(run: Run) -> None:
    assert run("load", RUNNER, "--json").json["date"] == "2022-10-16"
    assert run("load", RUNNER, "--on", "2022-09-01", "--json").json["date"] == "2022-09-01"


def test_a_spike_in_one_stream_shows_though_the_sum_is_flat(run: Run) -> None:
    answer = run("load", EXAMPLES / "spike-in-one-stream.yaml", "--json").json
    bands = {name: stream["band"] for name, stream in answer["streams"].items()}
    assert bands == {"run": "danger", "lift": "under-load", "combined": "optimal"}
    assert [alert["stream"] for alert in answer["alerts"]] == ["run"]


def test_a_refused_calendar_is_an_answer_and_no_failure(run: Run) -> None:
    outcome = run("check", COLLISION, "--json")
    assert outcome.code == 0 and outcome.json["verdict"] == "refused"
    refused = {tuple(finding["sessions"]) for finding in outcome.json["violations"]}
    assert {("squats", "intervals"), ("deadlifts", "long")} <= refused
    assert all(finding["nearest_legal_start"] for finding in outcome.json["violations"])


def test_an_infeasible_week_is_an_answer_that_names_the_conflict(run: Run) -> None:
    outcome = run("week", EXAMPLES / "infeasible-week.yaml", "--json")
    assert outcome.code == 0 and outcome.json["status"] == "infeasible"
    assert "heavy-lower-near-long-run" in {member["id"] for member in outcome.json["conflict"]}
    assert outcome.json["suggestions"]


def test_a_week_without_sessions_is_filled_from_the_season(run: Run) -> None:
    week = run("week", RUNNER, "--json").json
    (target,) = [week for week in run("season", RUNNER, "--json").json["weeks"] if week["start"] == "2022-10-17"]
    runs = [session["duration_min"] for session in week["sessions"] if session["kind"] == "run"]
    assert sum(runs) == pytest.approx(target["run_minutes"], abs=len(runs))
    assert sum(session["kind"] == "lift" for session in week["sessions"]) == target["lift_sessions"]


def test_what_week_plans_check_accepts(run: Run, tmp_path: Path) -> None:
    from tandem.athlete_file.reader import read_document

    planned = run("week", RUNNER, "--json").json["sessions"]
    told = ("id", "kind", "type", "region", "effort", "mode", "duration_min", "start", "key")
    document = read_document(RUNNER.read_text(encoding="utf-8"), RUNNER.name)[0].value
    sessions = [{name: session[name] for name in told if name in session} for session in planned]
    document["week"] = {"start": "2022-10-17", "sessions": sessions}
    path = tmp_path / "planned.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    answer = run("check", path, "--json").json
    assert answer["verdict"] == "accepted" and answer["violations"] == []


def test_the_same_file_as_json_gives_the_same_answer(run: Run, tmp_path: Path) -> None:
    from tandem.athlete_file.reader import read_document

    path = tmp_path / "runner.json"
    path.write_text(json.dumps(read_document(RUNNER.read_text(encoding="utf-8"), "a.yaml")[0].value), encoding="utf-8")
    assert run("load", path, "--json").json == run("load", RUNNER, "--json").json


MISTAKES = {
    "broken YAML": "athlete: {id: a1, timezone: UTC\nsessions: []\n",
    "unknown field": "athlete: {id: a1, timezone: UTC, weigth: 80}\n",
    "RPE 14": "sessions: [{id: s, start: 2026-03-02T07:00:00Z, duration_min: 60, kind: run, rpe: 14}]\n",
    "negative duration": "sessions: [{id: s, start: 2026-03-02T07:00:00Z, duration_min: -60, kind: run}]\n",
    "NaN": "wellness: [{date: 2026-03-02, rmssd_ms: .nan}]\n",
    "impossible date": "wellness: [{date: 2026-02-30}]\n",
    "duplicate id": "goals: [{id: g, kind: race, date: 2026-05-01}, {id: g, kind: race, date: 2026-06-01}]\n",
    "longer than a day": "sessions: [{id: s, start: 2026-03-02T07:00:00Z, duration_min: 1441, kind: run}]\n",
    "nesting": "[" * 100_000,
    "no offset": "sessions: [{id: s, start: 2026-03-02T07:00:00, duration_min: 60, kind: run}]\n",
    "unknown time zone": "athlete: {id: a1, timezone: Europe/Berln}\n",
    "empty": "",
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("command", ["load", "week"])
def test_a_wrong_file_ends_with_2_and_its_line_and_column(
    run: Run, athlete: Callable[[str], Path], mistake: str, command: str
) -> None:
    path = athlete(MISTAKES[mistake])
    outcome = run(command, path, "--json")
    assert outcome.code == 2
    first, told = outcome.err.splitlines()[0], outcome.json["errors"]
    assert first.startswith(f"{path}:{told[0]['line']}:{told[0]['column']}: ")
    assert len(outcome.err.splitlines()) == len(told)
    assert "Traceback" not in outcome.err


def test_broken_json_and_binary_and_missing_files_end_with_2(run: Run, tmp_path: Path) -> None:
    broken, binary = tmp_path / "a.json", tmp_path / "b.yaml"
    broken.write_text('{"athlete": {"id": "a1"')
    binary.write_bytes(bytes(range(256)))
    for path in (broken, binary, tmp_path / "none.yaml", tmp_path):
        outcome = run("load", path)
        assert outcome.code == 2 and outcome.out == ""
        assert outcome.err.startswith(f"{path}:1:")


@pytest.mark.parametrize(
    ("command", "text", "said"),
    [
        ("load", "sessions: []\n", "give --on"),
        ("load", "wellness: [{date: 2026-03-01}]\n", "'athlete' is required here"),
        ("check", "athlete: {id: a1, timezone: UTC}\nwellness: [{date: 2026-03-01}]\n", "'week' is required for check"),
        (
            "advice",
            "athlete: {id: a1, timezone: UTC}\nwellness: [{date: 2026-03-01}]\n",
            "'after_lift' is required here",
        ),
        ("week", "athlete: {id: a1, timezone: UTC}\nweek: {start: 2026-03-11}\n", "the nearest is 2026-03-09"),
    ],
)
def test_what_a_command_needs_and_the_file_lacks_is_told(
    run: Run, athlete: Callable[[str], Path], command: str, text: str, said: str
) -> None:
    outcome = run(command, athlete(text))
    assert outcome.code == 2 and said in outcome.err


def test_a_session_to_be_checked_without_a_start_is_told_at_its_place(run: Run, athlete: Callable[[str], Path]) -> None:
    path = athlete("week:\n  start: 2026-03-09\n  sessions:\n    - {id: p1, duration_min: 60, kind: run, type: easy}\n")
    outcome = run("check", path)
    assert outcome.code == 2 and outcome.err.startswith(f"{path}:4:")


def test_check_needs_no_athlete(run: Run, athlete: Callable[[str], Path]) -> None:
    text = COLLISION.read_text(encoding="utf-8")
    path = athlete("\n".join(line for line in text.splitlines() if not line.startswith("athlete:")))
    assert run("check", path, "--json").json["verdict"] == "refused"


def test_overlapping_sessions_a_dst_gap_and_any_order_are_taken(run: Run, athlete: Callable[[str], Path]) -> None:
    path = athlete(
        """
athlete: {id: a1, timezone: Europe/Berlin}
sessions:
  - {id: b, start: "2024-02-29T07:30:00+01:00", duration_min: 60, kind: run, type: easy, rpe: 3}
  - {id: a, start: "2024-02-29T07:00:00+01:00", duration_min: 60, kind: lift, region: upper, rpe: 6}
availability: [{date: 2024-03-31, from: "02:00", to: "03:00"}, {date: 2024-03-30, from: "08:00", to: "10:00"}]
week: {start: 2024-03-25, sessions: [{id: p, duration_min: 45, kind: run, type: easy}]}
"""
    )
    load = run("load", path, "--json")
    assert load.code == 0 and load.json["streams"]["combined"]["load"] == 540
    (placed,) = run("week", path, "--json").json["sessions"]
    assert placed["start"].startswith("2024-03-30T")


def test_wrong_arguments_end_with_2(run: Run) -> None:
    assert run("load", RUNNER, "--on", "2022-13-01").code == 2
    assert run("load").code == 2
    outcome = run("lod", RUNNER)
    assert outcome.code == 2 and "did you mean 'load'?" in outcome.err


def test_broken_rules_end_with_2_and_their_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "recovery.yaml").write_text("dialect: tandem-rules/9\nkind: recovry\n")
    outcome = run("load", RUNNER, "--rules", tmp_path)
    assert outcome.code == 2 and "recovery.yaml:" in outcome.err


def test_our_own_failure_ends_with_1_and_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the roof fell in")

    monkeypatch.setattr("tandem.offline.records.score_sessions", fail)
    outcome = run("load", RUNNER, "--json")
    assert outcome.code == 1 and outcome.out == ""
    assert "RuntimeError: the roof fell in" in outcome.err and "our mistake" in outcome.err


def test_the_command_itself_decides_by_the_engine_s_worker_and_exits_as_a_process() -> None:
    command = [sys.executable, "-m", "tandem", "check", str(COLLISION), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stderr == ""
    assert json.loads(done.stdout)["verdict"] == "refused"


def test_a_reader_that_has_enough_is_no_failure() -> None:
    command = f"{sys.executable} -m tandem season {RUNNER} --json | head -c 10"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == '{\n  "weeks' and done.stderr == ""


def test_help_answers_at_once() -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tandem", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    took = time.monotonic() - began
    assert all(command in done.stdout for command in ANSWERS)
    heavy = (
        "import sys, tandem.cli; print(sorted({'numpy', 'ortools', 'eventlet', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", heavy], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
    assert took < 5  # 0.1 s on a free machine; what keeps it so is the list above
