"""An athlete file as the commands of a platform: all of it, once, in order, and as the services' models accept it."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from services.load.messages import ImportSessions, MarkDay, RecordSession
from services.periodization.messages import SetGoals
from shared.athletes.messages import PutAthlete
from shared.messages.validation import parse
from tandem.athlete_file import AthleteFile, parse_athlete_file, read_athlete_file
from tandem.demo.commands import import_commands, live_commands, opening_command, planning_commands

EVENING = datetime(2022, 10, 17, 1, tzinfo=UTC)
MODELS = {
    "load.record-session": RecordSession,
    "load.import-sessions": ImportSessions,
    "load.mark-day": MarkDay,
    "athlete.put": PutAthlete,
    "periodization.set-goals": SetGoals,
}


@pytest.fixture(scope="module")
def runner() -> AthleteFile:
    return read_athlete_file(Path(__file__).parents[3] / "examples" / "athletes" / "runner-who-lifts.yaml")


def test_every_record_is_sent_once_whatever_day_the_live_part_begins(runner: AthleteFile) -> None:
    for since in (date(2022, 1, 1), date(2022, 8, 22), date(2023, 1, 1)):
        commands = import_commands(runner, since) + live_commands(runner, since)
        sessions = [c.data["session"] for c in commands if c.key == "load.record-session"]
        sessions += [s["session"] for c in commands if c.key == "load.import-sessions" for s in c.data["sessions"]]
        mornings = [c.data["date"] for c in commands if c.key == "recovery.record-wellness"]
        assert sorted(sessions) == sorted(session.id for session in runner.sessions)
        assert sorted(mornings) == [morning.date.isoformat() for morning in runner.wellness]


def test_the_live_part_is_in_order_of_time_and_after_the_import(runner: AthleteFile) -> None:
    since = date(2022, 8, 22)
    imported, lived = import_commands(runner, since), live_commands(runner, since)
    times = [command.at for command in lived]
    assert times == sorted(times) and max(command.at for command in imported) < times[0]


def test_the_services_models_accept_every_command(runner: AthleteFile) -> None:
    since = date(2022, 8, 22)
    commands = [opening_command(runner, EVENING), *planning_commands(runner, EVENING)]
    commands += import_commands(runner, since) + live_commands(runner, since)
    checked = [parse(MODELS[command.key], command.data) for command in commands if command.key in MODELS]
    assert len(checked) > 70


def test_a_recorded_session_comes_back_as_it_was(runner: AthleteFile) -> None:
    for command in live_commands(runner, date(2022, 8, 22)):
        if command.key == "load.record-session":
            done = parse(RecordSession, command.data).done
            assert done == next(session for session in runner.sessions if session.id == done.id)


def test_a_file_without_an_athlete_cannot_be_played() -> None:
    nobody = parse_athlete_file("wellness: [{date: 2026-03-01}]\n", "a.yaml")
    with pytest.raises(ValueError, match="without an athlete"):
        opening_command(nobody, EVENING)


def test_marked_days_are_sent_and_no_goals_mean_no_goals_command() -> None:
    text = "athlete: {id: a, timezone: UTC}\ndays: [{date: 2026-03-01, state: sick}]\navailability: []\n"
    file = parse_athlete_file(text, "a.yaml")
    (marked,) = live_commands(file, date(2026, 3, 1))
    assert marked.data == {"athlete": "a", "date": "2026-03-01", "state": "sick"}
    assert [command.key for command in planning_commands(file, EVENING)] == ["scheduling.set-availability"]
