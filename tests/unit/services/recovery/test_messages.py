"""Mornings, loads and calendars in any order: the same readiness; each change told once."""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.recovery.messages import EVENTS
from shared.bus.routes import Rejected
from tests.unit.services.recovery.conftest import TODAY, RecoveryDesk

OpenDesk = Callable[[], RecoveryDesk]


def load_assessed(
    ago: int = 0, ratio: float | None = 1.0, status: str = "ok", state: str | None = None
) -> dict[str, Any]:
    day = (TODAY - timedelta(days=ago)).isoformat()
    figures: dict[str, Any] = {"date": day, "state": state}
    for stream in ("run", "lift", "combined"):
        figures |= {f"acwr_{stream}": ratio, f"status_{stream}": status, f"band_{stream}": None}
    return {"athlete": "a1", "date": day, "streams": {}, "alerts": [], "provisional": True, "days": [figures]}


def session_scored(session: str, ago: int, rpe: float | None = 3, removed: bool = False, **more: Any) -> dict[str, Any]:
    day = (TODAY - timedelta(days=ago)).isoformat()
    event = {"athlete": "a1", "session": session, "date": day, "kind": "run", "type": "easy", "rpe": rpe}
    return {**event, "removed": removed, "e1rm": [], **more}


def week_planned(*sessions: dict[str, Any], week_start: date = date(2026, 3, 30)) -> dict[str, Any]:
    return {"athlete": "a1", "week_start": week_start.isoformat(), "status": "planned", "sessions": list(sessions)}


INTERVALS = {
    "id": "p1",
    "kind": "run",
    "type": "intervals",
    "duration_min": 60,
    "start": "2026-04-01T17:00:00+02:00",
    "end": "2026-04-01T18:00:00+02:00",
    "why": ["quality run of the week"],
}


def test_a_morning_is_assessed_and_told(desk: RecoveryDesk) -> None:
    desk.put()
    assert desk.morning(sleep_hours=5, mood=2, stress=4) == {"effect": "applied"}
    told = desk.events("readiness-assessed")[-1]
    assert (told["date"], told["score"], told["colour"]) == ("2026-04-01", 34.375, "yellow")
    assert told["gate"]["intensity"] == "reduced"
    assert "gate-reduced-under-67" in [decided["rule"] for decided in told["decided_by"]]
    (day,) = told["days"]
    assert (day["date"], day["score"], day["sleep_hours"]) == ("2026-04-01", 34.375, 5)


def test_two_messages_complete_one_morning_and_the_newer_corrects_the_older(desk: RecoveryDesk) -> None:
    desk.put()
    first, second = (datetime(2026, 4, 1, hour, tzinfo=UTC) for hour in (5, 6))
    body = {"athlete": "a1", "date": "2026-04-01"}
    desk.send("recovery.record-wellness", {**body, "sleep_hours": 4}, at=second, id="x")
    desk.send("recovery.record-wellness", {**body, "sleep_hours": 8, "sleep_quality": 2}, at=first, id="y")
    factors = {factor["name"]: factor for factor in desk.readiness()["factors"]}
    assert factors["sleep"]["value"] == 4
    assert factors["sleep"]["status"] == "poor-quality"


def test_the_same_messages_in_any_order_give_the_same_readiness(open_desk: OpenDesk) -> None:
    at = datetime(2026, 4, 1, 5, tzinfo=UTC)
    messages: list[tuple[str, dict[str, Any]]] = [("athlete.put", {"athlete": "a1", "timezone": "Europe/Berlin"})]
    for ago in range(30):
        day = (TODAY - timedelta(days=ago)).isoformat()
        morning = {
            "athlete": "a1",
            "date": day,
            "sleep_hours": 6.5 + ago % 3,
            "resting_hr": 50 + ago % 4,
            "fatigue": 2 + ago % 2,
        }
        messages.append(("recovery.record-wellness", morning))
        messages.append(("load.load-assessed", load_assessed(ago, 1.0 + ago / 40, state="sick" if ago == 20 else None)))
        messages.append(("load.session-scored", session_scored(f"s{ago}", ago, 3 if ago else 6)))
    messages.append(("load.session-scored", session_scored("s3", 3, removed=True)))
    messages.append(("scheduling.week-planned", week_planned(INTERVALS)))
    numbered = [(key, body, at + timedelta(seconds=index), f"n{index}") for index, (key, body) in enumerate(messages)]
    answers = []
    for seed in range(4):
        order = list(numbered)
        if seed:
            random.Random(seed).shuffle(order)
            order += order[:10]
        desk = open_desk()
        for key, body, time, identity in order:
            desk.send(key, body, at=time, id=identity)
        answers.append(desk.readiness())
    assert answers[0]["today"][0]["id"] == "p1"
    assert [sign["name"] for sign in answers[0]["signs"]] == ["effort"]
    assert all(answer == answers[0] for answer in answers)


def test_mornings_wait_for_their_athlete(desk: RecoveryDesk) -> None:
    waits = {"effect": "pending", "code": "waits_for_athlete"}
    assert desk.morning(sleep_hours=6) == {**waits, "pending": "athlete", "items": [{"id": "sleep_hours", **waits}]}
    desk.send("load.load-assessed", load_assessed(0, 1.5))
    assert desk.emitted == []
    with pytest.raises(Rejected) as refused:
        desk.readiness()
    assert refused.value.problems[0].code == "unknown_athlete"
    desk.put()
    told = desk.events("readiness-assessed")[-1]
    scores = {factor["name"]: factor["score"] for factor in told["factors"]}
    assert (scores["sleep"], scores["load_run"]) == (50, 50)


def test_another_tenants_athlete_is_unknown(desk: RecoveryDesk) -> None:
    desk.put()
    with pytest.raises(Rejected):
        desk.send("recovery.get-readiness", {"athlete": "a1"}, tenant="other")


def test_todays_sessions_pass_the_gate_and_other_days_do_not(desk: RecoveryDesk) -> None:
    desk.put()
    desk.morning(sleep_hours=6, mood=3, stress=4)
    late = {**INTERVALS, "id": "p2", "start": "2026-04-01T23:30:00Z", "end": "2026-04-02T00:30:00Z"}
    desk.send("scheduling.week-planned", week_planned(INTERVALS, late))
    (session,) = desk.events("readiness-assessed")[-1]["today"]
    assert (session["id"], session["type"], session["duration_min"]) == ("p1", "threshold", 48)
    assert session["why"]
    assert desk.readiness(date="2026-04-02")["today"][0]["id"] == "p2"


def test_what_did_not_change_is_not_told_again(desk: RecoveryDesk) -> None:
    desk.put()
    desk.send("load.load-assessed", load_assessed())
    told = len(desk.events("readiness-assessed"))
    desk.send("load.load-assessed", load_assessed())
    assert len(desk.events("readiness-assessed")) == told


def test_a_late_morning_tells_every_day_that_it_changes(desk: RecoveryDesk) -> None:
    desk.put()
    for ago in (20, 6, 4):
        desk.morning(ago, sleep_hours=8)
    desk.morning(5, sleep_hours=5)
    told = desk.events("readiness-assessed")[-1]
    assert told["date"] == "2026-04-01"
    assert [day["date"] for day in told["days"]] == [
        (TODAY - timedelta(days=ago)).isoformat() for ago in (5, 4, 3, 2, 1, 0)
    ]
    desk.morning(19, sleep_hours=8)
    told = desk.events("readiness-assessed")[-1]
    assert [day["date"] for day in told["days"]] == ["2026-03-13", "2026-04-01"]


def test_what_was_told_day_by_day_adds_up_to_the_same_in_any_order(open_desk: OpenDesk) -> None:
    rows = [
        (ago, {"sleep_hours": 6.0 + ago % 3, "resting_hr": 50 + ago * 7 % 5, "mood": 1 + ago % 5}) for ago in range(40)
    ]
    heard = []
    for order in (rows, rows[::-1], rows[1::2] + rows[::2]):
        desk = open_desk()
        desk.put()
        for ago, fields in order:
            desk.morning(ago, **fields)
        heard.append({day["date"]: day for event in desk.events("readiness-assessed") for day in event["days"]})
    assert len(heard[0]) == 40
    assert heard[0] == heard[1] == heard[2]


def test_overreaching_is_flagged_once_when_it_begins_and_again_when_it_gets_worse(desk: RecoveryDesk) -> None:
    desk.put()
    for ago in range(8, -1, -1):
        desk.morning(ago, soreness=4, stress=4, mood=2 if ago < 8 else 3)
    desk.morning(0, sleep_hours=8)
    flags = [(flag["action"], len(flag["asked_for"]) > 0) for flag in desk.events("overreaching-flagged")]
    assert flags == [("watch", True), ("pull-back", True)]
    worst = desk.events("overreaching-flagged")[-1]
    assert {sign["name"] for sign in worst["signs"]} == {"soreness", "stress", "mood"}
    assert [decided["rule"] for decided in worst["decided_by"]] == ["pull-back-on-three-lasting-signs"]


def test_a_past_row_of_signs_that_is_over_raises_nothing(desk: RecoveryDesk) -> None:
    desk.put()
    for ago in range(40, 20, -1):
        desk.morning(ago, soreness=5, fatigue=5, mood=1)
    assert desk.events("overreaching-flagged") == []


def test_an_erased_athlete_leaves_nothing_and_is_not_brought_back(desk: RecoveryDesk) -> None:
    desk.put()
    desk.morning(sleep_hours=6)
    desk.send("load.load-assessed", load_assessed())
    desk.send("load.session-scored", session_scored("s1", 0))
    desk.send("scheduling.week-planned", week_planned(INTERVALS))
    desk.send("athlete.erase", {"athlete": "a1"})
    assert desk.events("athlete-erased") == [{"athlete": "a1", "service": "recovery", "effect": "applied"}]
    desk.send("load.load-assessed", load_assessed())
    desk.send("load.session-scored", session_scored("s2", 0))
    desk.send("scheduling.week-planned", week_planned(INTERVALS))
    desk.send("recovery.record-wellness", {"athlete": "a1", "date": "2026-04-01", "mood": 3}, at=desk.now)
    with desk.database.engine.connect() as connection:
        for table in ("athletes", "mornings", "load_days", "done_sessions", "planned_weeks"):
            assert connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar() == 0, table
    desk.put()
    assert desk.readiness()["score"] is None


TRIED = {
    "number": 1, "action": "activate", "kind": "recovery", "pack": "acme.recovery", "starts": "2026-03-02",
    "author": "Kim", "reason": "ours", "at": "2026-03-02T12:00:00Z", "message": "m1",
    "sent": {
        "pack": "acme.recovery", "version": "1.0.0", "kind": "recovery", "hash": "h", "effective_from": None,
        "text": 'id: acme.recovery\nversion: "1.0.0"\nextends: base.recovery\nsettings: {sleep_full_hours: {value: 9}}',
        "author": "Kim", "reason": "ours", "at": "2026-03-02T12:00:00Z",
    },
}  # fmt: skip


def test_every_event_is_what_its_model_declares(desk: RecoveryDesk) -> None:
    desk.put()
    desk.send("scheduling.week-planned", week_planned(INTERVALS))
    for ago in range(9, -1, -1):
        desk.morning(ago, soreness=4, stress=4, mood=1, rmssd_ms=50.5, resting_hr=50, aches=False)
    desk.send("periodization.rules-tried", TRIED)
    desk.send("athlete.erase", {"athlete": "a1"})
    assert {f"recovery.{event.name}" for event in desk.emitted} == set(EVENTS)
    for event in desk.emitted:
        told = EVENTS[f"recovery.{event.name}"].model_validate(event.data)
        assert told.model_dump(mode="json") == event.data


def test_a_reply_says_which_items_a_later_morning_holds(desk: RecoveryDesk) -> None:
    desk.put()
    early, late = desk.now - timedelta(hours=2), desk.now - timedelta(hours=1)
    instead = {"time": late.isoformat().replace("+00:00", "Z"), "id": "w2"}
    lost = {"id": "mood", "effect": "none", "code": "superseded", "superseded_by": instead}

    def told(at: datetime, id: str, **items: int) -> Mapping[str, Any]:
        body = {"athlete": "a1", "date": TODAY.isoformat(), **items}
        return desk.send("recovery.record-wellness", body, at=at, id=id)

    assert told(late, "w2", mood=4) == {"effect": "applied"}
    assert told(late, "w2", mood=4)["code"] == "duplicate"
    assert told(early, "w1", mood=3, stress=2) == {"effect": "applied", "items": [lost]}
    assert told(early, "w0", mood=3)["superseded_by"] == instead
    assert told(late, "w3") == {"effect": "none", "code": "unchanged"}
