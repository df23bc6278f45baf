"""Sessions in any order, twice, changed, removed, without an athlete: the same state and figures each time."""

import itertools
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.load.messages import EVENTS, ImportSessions
from shared.bus.routes import Rejected
from shared.rules.evaluation.tenant_rules import TenantRules
from tests.unit.services.load.conftest import LoadDesk, easy_run

TODAY = date(2026, 4, 1)
LAST_MONTH = [TODAY - timedelta(days=ago) for ago in range(27, -1, -1)]


def test_a_recorded_session_is_scored_told_and_assessed(desk: LoadDesk) -> None:
    desk.put()
    assert desk.send("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY, 60, 5)}) == {"effect": "applied"}
    (scored,) = desk.events("session-scored")
    assert (scored["run"], scored["combined"], scored["method"], scored["status"]) == (
        300,
        300,
        "session-rpe",
        "measured",
    )
    assert (scored["date"], scored["removed"]) == ("2026-04-01", False)
    assessed = desk.events("load-assessed")[-1]
    assert assessed["streams"]["run"]["load"] == 300
    assert assessed["provisional"] is True
    assert [day["date"] for day in assessed["days"]] == ["2026-04-01"]


def test_the_highest_revision_wins_then_the_later_time_then_the_greater_id(tmp_path: Path, rules: TenantRules) -> None:
    early, late = (datetime(2026, 4, 1, hour, tzinfo=UTC) for hour in (8, 9))
    versions = [
        (easy_run("s1", TODAY, 10, 1, revision=0), late, "z"),
        (easy_run("s1", TODAY, 20, 1, revision=1), early, "y"),
        (easy_run("s1", TODAY, 30, 1, revision=1), late, "a"),
        (easy_run("s1", TODAY, 40, 1, revision=1), late, "b"),
    ]
    loads = set()
    for index, order in enumerate(list(itertools.permutations(versions))[::3]):
        folder = tmp_path / str(index)
        folder.mkdir()
        desk = LoadDesk(folder, rules, datetime(2026, 4, 1, 20, tzinfo=UTC))
        desk.put()
        for body, at, identity in order:
            desk.send("load.record-session", {"athlete": "a1", **body}, at=at, id=identity)
        loads.add(desk.load()["streams"]["run"]["load"])
        desk.database.dispose()
    assert loads == {40}


def test_a_removal_and_a_record_may_arrive_in_either_order(tmp_path: Path, rules: TenantRules) -> None:
    first, second, third = (datetime(2026, 4, 1, hour, tzinfo=UTC) for hour in (8, 9, 10))
    recorded = ("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY, 60, 5)}, first)
    removed = ("load.remove-session", {"athlete": "a1", "session": "s1"}, second)
    again = ("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY, 30, 2)}, third)
    for messages, expected in (((recorded, removed), 0.0), ((recorded, removed, again), 60.0)):
        for index, order in enumerate(itertools.permutations(messages)):
            folder = tmp_path / f"{len(messages)}-{index}"
            folder.mkdir()
            desk = LoadDesk(folder, rules, datetime(2026, 4, 1, 20, tzinfo=UTC))
            desk.put()
            desk.send("load.mark-day", {"athlete": "a1", "date": "2026-04-01", "state": "rest"})
            for key, body, at in order:
                desk.send(key, body, at=at)
            assert desk.load()["streams"]["run"]["load"] == expected, order
            desk.database.dispose()


def test_a_removal_is_told_and_takes_the_load_away(desk: LoadDesk) -> None:
    desk.put()
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY - timedelta(days=1))})
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s2", TODAY)})
    desk.send("load.remove-session", {"athlete": "a1", "session": "s2"})
    gone = desk.events("session-scored")[-1]
    assert (gone["session"], gone["removed"], gone["combined"]) == ("s2", True, 0)
    assert desk.load()["streams"]["run"]["load"] is None, "today is unknown again, not rest"


def test_sessions_wait_for_their_athlete_and_lose_nothing(desk: LoadDesk) -> None:
    reply = desk.send("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY, 60, 5)})
    waits = {"effect": "pending", "code": "waits_for_athlete", "pending": "athlete"}
    assert reply == waits
    assert desk.send("load.mark-day", {"athlete": "a1", "date": "2026-03-30", "state": "sick"}) == waits
    assert desk.emitted == []
    with pytest.raises(Rejected) as refused:
        desk.load()
    assert refused.value.problems[0].code == "unknown_athlete"
    desk.put()
    assert desk.load()["streams"]["run"]["load"] == 300
    assert [event["session"] for event in desk.events("session-scored")] == ["s1"]
    (assessed,) = desk.events("load-assessed")
    states = {day["date"]: day["state"] for day in assessed["days"]}
    assert (states["2026-03-30"], states["2026-03-31"], states["2026-04-01"]) == ("sick", "rest", None)


def test_another_tenants_athlete_is_unknown(desk: LoadDesk) -> None:
    desk.put()
    with pytest.raises(Rejected) as refused:
        desk.send("load.get-load", {"athlete": "a1"}, tenant="other")
    assert refused.value.problems[0].code == "unknown_athlete"
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY)}, tenant="other")
    assert desk.load()["streams"]["run"]["status"] == "no-data"


def month(desk_sessions: int = 28) -> list[dict[str, Any]]:
    return [easy_run(f"s{index:02d}", day, 40 + index % 5) for index, day in enumerate(LAST_MONTH[:desk_sessions])]


def test_an_import_equals_single_records_and_assesses_once(tmp_path: Path, rules: TenantRules) -> None:
    answers, heard = [], []
    for name, batches in (
        ("one", [month()]),
        ("single", [[s] for s in month()]),
        ("back", [[s] for s in month()][::-1]),
    ):
        folder = tmp_path / name
        folder.mkdir()
        desk = LoadDesk(folder, rules, datetime(2026, 4, 1, 20, tzinfo=UTC))
        desk.put()
        before = len(desk.events("load-assessed"))
        for batch in batches:
            desk.send("load.import-sessions", {"athlete": "a1", "sessions": batch})
        assert len(desk.events("load-assessed")) - before == len(batches)
        assert len(desk.events("session-scored")) == 28
        answers.append(desk.load(days=40))
        heard.append({day["date"]: day for event in desk.events("load-assessed") for day in event["days"]})
        desk.database.dispose()
    assert answers[0] == answers[1] == answers[2]
    told = [{day: figures for day, figures in of.items() if figures["status_run"] != "no-data"} for of in heard]
    assert told[0] == told[1] == told[2], "what was told day by day adds up to the same"
    assert len(told[0]) == 28
    assert answers[0]["streams"]["run"]["status"] == "ok"


def test_an_import_takes_each_session_once() -> None:
    with pytest.raises(ValidationError, match="s01"):
        ImportSessions.model_validate({"athlete": "a1", "sessions": [easy_run("s01", TODAY), easy_run("s01", TODAY)]})


def test_a_later_effort_changes_the_estimates_that_lean_on_it(tmp_path: Path, rules: TenantRules) -> None:
    """Own median effort: whatever the order of arrival, the estimate is the same, and a changed one is told again."""
    efforts = [easy_run(f"e{ago}", TODAY - timedelta(days=ago), 30, rpe) for ago, rpe in ((9, 2), (8, 3), (7, 5))]
    unstated = easy_run("u", TODAY, 60, None)
    figures = set()
    for index, order in enumerate(list(itertools.permutations([*efforts, unstated]))[::4]):
        folder = tmp_path / str(index)
        folder.mkdir()
        desk = LoadDesk(folder, rules, datetime(2026, 4, 1, 20, tzinfo=UTC))
        desk.put()
        for body in order:
            desk.send("load.record-session", {"athlete": "a1", **body})
        last = [event for event in desk.events("session-scored") if event["session"] == "u"][-1]
        figures.add((last["method"], last["status"], last["run"], desk.load()["streams"]["run"]["load"]))
        desk.database.dispose()
    assert figures == {("own-median-effort", "estimated", 180.0, 180.0)}


def test_an_erased_athlete_leaves_nothing_and_is_not_brought_back_by_an_old_message(desk: LoadDesk) -> None:
    desk.put()
    sent = datetime(2026, 4, 1, 8, tzinfo=UTC)
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY)}, at=sent)
    desk.send("load.mark-day", {"athlete": "a1", "date": "2026-03-30", "state": "sick"})
    desk.send("athlete.erase", {"athlete": "a1"})
    assert desk.events("athlete-erased") == [{"athlete": "a1", "service": "load", "effect": "applied"}]
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s2", TODAY)}, at=sent)
    with desk.database.engine.connect() as connection:
        for table in ("athletes", "sessions", "marked_days"):
            assert connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar() == 0
    with pytest.raises(Rejected):
        desk.load()
    desk.put()
    assert desk.load()["streams"]["run"]["status"] == "no-data"


WIDER_BANDS = {
    "number": 1, "action": "activate", "kind": "recovery", "pack": "acme.recovery", "starts": "2026-03-02",
    "author": "Kim", "reason": "ours", "at": "2026-03-02T12:00:00Z", "message": "m1",
    "sent": {
        "pack": "acme.recovery", "version": "1.0.0", "kind": "recovery", "hash": "h", "effective_from": None,
        "text": 'id: acme.recovery\nversion: "1.0.0"\nextends: base.recovery\n'
        "settings: {load_band_danger_above: {value: 3}}\n",
        "author": "Kim", "reason": "ours", "at": "2026-03-02T12:00:00Z",
    },
}  # fmt: skip


def test_every_event_is_what_its_model_declares(desk: LoadDesk) -> None:
    desk.put()
    for body in month():
        desk.send("load.record-session", {"athlete": "a1", **body})
    desk.send("load.record-session", {"athlete": "a1", **easy_run("big", TODAY, 400, 9)})
    desk.send("periodization.rules-tried", WIDER_BANDS)
    (compared,) = [event.data for event in desk.emitted if event.name == "rules-compared"]
    assert {change["sentence"] for change in compared["changes"]} >= {"load of run: danger becomes caution"}
    desk.send("athlete.erase", {"athlete": "a1"})
    names = {event.name for event in desk.emitted}
    assert {f"load.{name}" for name in names} == set(EVENTS)
    for event in desk.emitted:
        assert EVENTS[f"load.{event.name}"].model_validate(event.data).model_dump(mode="json") == event.data


def test_a_reply_says_what_stands_instead(desk: LoadDesk) -> None:
    desk.put()
    eight, nine, ten = (datetime(2026, 4, 1, hour, tzinfo=UTC) for hour in (8, 9, 10))

    def told(key: str, at: datetime, id: str, **body: Any) -> Mapping[str, Any]:
        return desk.send(f"load.{key}", {"athlete": "a1", **body}, at=at, id=id)

    def lost(time: str, id: str, **revision: int) -> dict[str, Any]:
        instead = {"time": f"2026-04-01T{time}:00:00Z", "id": id, **revision}
        return {"effect": "none", "code": "superseded", "superseded_by": instead}

    applied, duplicate = {"effect": "applied"}, {"effect": "none", "code": "duplicate"}
    run = easy_run("s1", TODAY, revision=2)
    assert told("record-session", nine, "r9", **run) == applied
    assert told("record-session", nine, "r9", **run) == duplicate
    assert told("record-session", ten, "r10", **{**run, "revision": 1}) == lost("09", "r9", revision=2)
    assert told("remove-session", eight, "x8", session="s1") == lost("09", "r9", revision=2)
    assert told("remove-session", ten, "x10", session="s1") == applied
    assert told("remove-session", ten, "x10", session="s1") == duplicate
    assert told("record-session", nine, "r9b", **{**run, "revision": 3}) == lost("10", "x10")
    others = [easy_run("s1", TODAY, revision=1), easy_run("s2", TODAY)]
    partly = told("import-sessions", eight, "i8", sessions=others)
    assert partly == {"effect": "applied", "items": [{"id": "s1", **lost("09", "r9b", revision=3)}]}
    assert told("mark-day", nine, "m9", date="2026-03-30", state="sick") == applied
    assert told("mark-day", nine, "m9", date="2026-03-30", state="sick") == duplicate
    assert told("mark-day", eight, "m8", date="2026-03-30", state="rest") == lost("09", "m9")
    nobody = desk.send("load.import-sessions", {"athlete": "a2", "sessions": others[1:]})
    assert (nobody["effect"], nobody["code"]) == ("pending", "waits_for_athlete")
    assert nobody["items"] == [{"id": "s2", "effect": "pending", "code": "waits_for_athlete"}]
