"""The nightly recalibration: each athlete's own midnight, once, however late; and spikes told when they begin."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.load.messages import RecordSession
from services.load.use_cases.assess import midnight_after
from shared.bus.routes import Rejected
from shared.messages.validation import InvalidInput, parse
from tests.unit.services.load.conftest import LoadDesk, easy_run

TODAY = date(2026, 4, 1)


def test_the_local_day_is_recalibrated_once_it_is_over(desk: LoadDesk) -> None:
    desk.put()
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY, 60, 5)})
    desk.now = datetime(2026, 4, 1, 21, 59, 59, tzinfo=UTC)
    assert desk.tick() == []
    desk.now = datetime(2026, 4, 1, 22, 0, tzinfo=UTC)
    (told,) = desk.tick()
    assert (told.name, told.data["date"]) == ("load-assessed", "2026-04-02")
    assert [(day["date"], day["state"]) for day in told.data["days"]] == [("2026-04-02", "unknown")]
    assert desk.tick() == [], "idempotent"


def test_missed_midnights_are_caught_up_in_one_step(desk: LoadDesk) -> None:
    desk.put()
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY)})
    desk.now += timedelta(days=5)
    (told,) = desk.tick()
    assert [day["date"] for day in told.data["days"]] == [f"2026-04-0{n}" for n in range(2, 7)]
    assert desk.tick() == []


def test_each_athlete_has_a_midnight_of_their_own(desk: LoadDesk) -> None:
    desk.put("berlin", "Europe/Berlin")
    desk.put("auckland", "Pacific/Auckland")
    desk.put("honolulu", "Pacific/Honolulu")
    turns = {}
    for hour in range(1, 26):
        desk.now = datetime(2026, 4, 1, 20, tzinfo=UTC) + timedelta(hours=hour)
        for told in desk.tick():
            turns.setdefault(told.athlete, []).append(desk.now.strftime("%d %H"))
    assert turns == {"berlin": ["01 22"], "auckland": ["02 11"], "honolulu": ["02 10"]}


@pytest.mark.parametrize(
    ("zone", "day", "midnight"),
    [
        ("Europe/Berlin", date(2026, 3, 28), "2026-03-28T23:00:00+00:00"),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-29T22:00:00+00:00"),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-25T23:00:00+00:00"),
        ("Asia/Beirut", date(2026, 3, 28), "2026-03-28T22:00:00+00:00"),
    ],
)
def test_midnight_across_daylight_saving(zone: str, day: date, midnight: str) -> None:
    """In Beirut clocks jump from 0:00 to 1:00: the day is over when that midnight would have been."""
    assert midnight_after(day, ZoneInfo(zone)).isoformat() == midnight
    assert midnight_after(day, ZoneInfo(zone)).astimezone(ZoneInfo(zone)).date() == day + timedelta(days=1)


def test_an_athlete_who_is_not_known_yet_is_not_assessed(desk: LoadDesk) -> None:
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY)})
    desk.now += timedelta(days=3)
    assert desk.tick() == []


def spiking(desk: LoadDesk, through: date) -> None:
    """Four weeks of 35 minutes a day that jump to 150 in the last week."""
    sessions = [
        easy_run(f"s{ago}", through - timedelta(days=ago), 150 if ago < 7 else 35, distance_km=10) for ago in range(28)
    ]
    desk.send("load.import-sessions", {"athlete": "a1", "sessions": sessions})


def test_a_spike_is_told_when_it_begins_and_not_every_day(desk: LoadDesk) -> None:
    desk.put()
    spiking(desk, TODAY)
    (told,) = desk.events("load-spiked")
    assert told["date"] == "2026-04-01"
    assert [(alert["code"], alert["stream"]) for alert in told["alerts"]] == [
        ("load-danger", "run"),
        ("load-danger", "combined"),
    ]
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s0", TODAY, 151, revision=1, distance_km=10)})
    desk.now += timedelta(days=1)
    desk.tick()
    tomorrow = TODAY + timedelta(days=1)
    desk.send("load.record-session", {"athlete": "a1", **easy_run("next", tomorrow, 150, distance_km=10)})
    assert desk.events("load-assessed")[-1]["streams"]["run"]["band"] == "danger"
    assert len(desk.events("load-spiked")) == 1


def test_filling_in_history_raises_nothing_about_the_past(desk: LoadDesk) -> None:
    desk.put()
    spiking(desk, TODAY - timedelta(days=60))
    assert desk.events("load-spiked") == []
    assert [event["date"] for event in desk.events("load-assessed")] == ["2026-04-01", "2026-04-01"]


def test_a_single_run_too_long_is_told(desk: LoadDesk) -> None:
    desk.put()
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY - timedelta(days=3), 60)})
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s2", TODAY, 90)})
    (told,) = desk.events("load-spiked")
    assert [(alert["code"], alert["sessions"]) for alert in told["alerts"]] == [("long-run-spike", ["s2"])]


def test_a_new_time_zone_changes_no_past_day(desk: LoadDesk) -> None:
    desk.put(timezone="Europe/Berlin")
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY), "start": "2026-03-31T20:30:00Z"})
    scored = desk.events("session-scored")[-1]
    assert (scored["date"], scored["timezone"]) == ("2026-03-31", "Europe/Berlin")
    desk.put(timezone="Pacific/Auckland")
    assert desk.load(date="2026-03-31")["streams"]["run"]["load"] == 200
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s2", TODAY), "start": "2026-03-31T20:40:00Z"})
    assert desk.events("session-scored")[-1]["date"] == "2026-03-31", "recorded late, done while the athlete was there"
    desk.now += timedelta(days=2)
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s3", TODAY), "start": "2026-04-02T20:30:00Z"})
    assert desk.events("session-scored")[-1]["date"] == "2026-04-03"


def test_an_older_profile_says_where_the_athlete_was_in_whatever_order(desk: LoadDesk) -> None:
    yesterday = desk.now - timedelta(days=1)
    said = [
        ("athlete.put", {"timezone": "Asia/Tokyo", "level": "advanced"}, desk.now),
        ("athlete.put", {"timezone": "Europe/Berlin"}, yesterday),
        ("load.record-session", easy_run("s1", TODAY), desk.now),
    ]
    for name, order in enumerate(permutations(said)):
        for key, body, at in order:
            desk.send(key, {"athlete": f"a{name}", **body}, at=at)
        assert desk.events("session-scored")[-1]["date"] == "2026-04-01", order
        assert desk.load(f"a{name}", date="2026-04-01")["streams"]["run"]["load"] == 200


def test_a_session_counts_on_the_day_of_the_place_where_it_was_done(desk: LoadDesk) -> None:
    desk.put(timezone="Europe/Berlin")
    for clock, day in (
        ({"start": "2026-03-30T06:00:00+13:00"}, "2026-03-30"),
        ({"start": "2026-03-29T17:00:00Z", "timezone": "Pacific/Auckland"}, "2026-03-30"),
        ({"start": "2026-03-30T06:00:00+13:00", "timezone": "Pacific/Auckland"}, "2026-03-30"),
        ({"start": "2026-03-29T17:00:00Z"}, "2026-03-29"),
    ):
        desk.send("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY), **clock})
        assert desk.events("session-scored")[-1]["date"] == day


@pytest.mark.parametrize(
    ("clock", "code"),
    [
        ({"start": "2026-03-30T06:00:00+02:00", "timezone": "Pacific/Auckland"}, "offset_mismatch"),
        ({"start": "1969-12-31T23:00:00Z"}, "too_old"),
        ({"duration_min": 96 * 60 + 1}, "less_than_equal"),
    ],
)
def test_a_time_that_cannot_be_is_refused(clock: dict[str, Any], code: str) -> None:
    parse(RecordSession, {"athlete": "a1", **easy_run("s1", TODAY), "duration_min": 96 * 60})
    with pytest.raises(InvalidInput) as refused:
        parse(RecordSession, {"athlete": "a1", **easy_run("s1", TODAY), **clock})
    assert [problem.code for problem in refused.value.problems] == [code]


def test_what_is_more_than_a_day_ahead_is_refused_and_nothing_of_it_kept(desk: LoadDesk) -> None:
    desk.put()
    ahead = {**easy_run("s2", TODAY), "start": "2026-04-02T20:00:01Z"}
    for key, body, pointer in (
        ("load.record-session", ahead, "/start"),
        ("load.import-sessions", {"sessions": [easy_run("s1", TODAY), ahead]}, "/sessions/1/start"),
        ("load.mark-day", {"date": "2026-04-04", "state": "rest"}, "/date"),
    ):
        with pytest.raises(Rejected) as refused:
            desk.send(key, {"athlete": "a1", **body})
        assert [(one.pointer, one.code) for one in refused.value.problems] == [(pointer, "future")]
    assert desk.events("session-scored") == []
    desk.send("load.record-session", {"athlete": "a1", **ahead, "start": "2026-04-02T20:00:00Z"})
    assert len(desk.events("session-scored")) == 1


def test_a_past_day_is_asked_with_what_is_known_now(desk: LoadDesk) -> None:
    desk.put()
    for ago in (9, 0):
        desk.send("load.record-session", {"athlete": "a1", **easy_run(f"s{ago}", TODAY - timedelta(days=ago))})
    answer = desk.load(date="2026-03-27", days=3)
    assert (answer["date"], answer["provisional"], answer["streams"]["run"]["load"]) == ("2026-03-27", False, 0)
    assert [day["date"] for day in answer["days"]] == ["2026-03-25", "2026-03-26", "2026-03-27"]
