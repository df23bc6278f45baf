"""``tandem demo`` from outside: what it prints, what it saves, and that its calendar is what get-week answers."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "examples" / "athletes" / "runner-who-lifts.yaml"


@dataclass(frozen=True)
class Demo:
    out: str
    err: str
    folder: Path

    @property
    def answers(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.folder / "answers.json").read_text(encoding="utf-8"))
        return loaded


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo-output")
    command = [sys.executable, "-m", "tandem", "demo", "--out", str(folder)]
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return Demo(done.stdout, done.stderr, folder)


def offline(command: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tandem", command, str(RUNNER), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout)


def test_it_says_nothing_on_standard_error(demo: Demo) -> None:
    assert demo.err == ""


def test_it_begins_with_the_athlete_and_shows_no_log_lines(demo: Demo) -> None:
    assert demo.out.startswith("Tandem plays runner who lifts")
    assert "published" not in demo.out and "debug" not in demo.out


def test_the_readme_shows_what_it_prints(demo: Demo) -> None:
    _, _, rest = (ROOT / "README.md").read_text(encoding="utf-8").partition("```text\n")
    excerpt = [line for line in rest.partition("```")[0].splitlines() if line not in {"", "…"}]
    printed = {line.rstrip() for line in demo.out.splitlines()}
    assert len(excerpt) > 20
    assert [line for line in excerpt if line not in printed] == []


def test_it_says_which_data_are_real_and_which_simulated(demo: Demo) -> None:
    told = " ".join(demo.out.split())
    assert "real Lifts named real-lift-*" in told and "simulated Clock times" in told and "CC0-1.0" in told


def test_it_shows_streams_readiness_season_calendar_files_and_counts(demo: Demo) -> None:
    for said in (
        "three streams over the last eight weeks",
        "of 100, green",
        "Gate: full",
        "deload ▼",
        "taper",
        "Mon 17 Oct",
        "Sun 23 Oct",
        "next-week.ics",
        "load.png",
        "week-planned",
        "0 parked",
    ):
        assert said in demo.out


def test_its_calendar_is_the_one_that_get_week_answered(demo: Demo) -> None:
    week = demo.answers["week"]
    calendar = Calendar.from_ical((demo.folder / "next-week.ics").read_bytes())
    saved = sorted((event["dtstart"].dt, event["dtend"].dt) for event in calendar.walk("VEVENT"))
    answered = [tuple(datetime.fromisoformat(session[end]) for end in ("start", "end")) for session in week["sessions"]]
    assert saved == sorted(answered) and len(saved) >= 6
    for session in week["sessions"]:
        assert f"{datetime.fromisoformat(session['start']):%a %H:%M}" in demo.out


def test_the_chart_is_a_picture(demo: Demo) -> None:
    assert (demo.folder / "load.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_the_services_answer_what_the_offline_commands_compute(demo: Demo) -> None:
    answers = demo.answers
    load, readiness, season, week = (offline(command) for command in ("load", "readiness", "season", "week"))
    assert answers["load"]["streams"] == load["streams"] and answers["load"]["alerts"] == load["alerts"]
    for name in ("score", "limiting_factor", "factors", "gate", "signs", "action"):
        assert answers["readiness"][name] == readiness[name]
    assert answers["season"]["weeks"] == season["weeks"]
    for name in ("status", "sessions", "penalties", "optimal"):
        assert answers["week"][name] == week[name]


def test_an_athlete_file_with_mistakes_is_not_played(tmp_path: Path) -> None:
    path = tmp_path / "athlete.yaml"
    path.write_text("athlete: {id: a1, timezone: Europe/Berln}\n", encoding="utf-8")
    command = [sys.executable, "-m", "tandem", "demo", "--athlete", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and f"{path}:1:29: " in done.stderr
