"""The service's conversations: what is asked, what is told, and that order does not matter."""

import itertools
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from services.scheduling.store import OverrideRow, PlanRow, SchedulingAthletes
from shared.bus.routes import Rejected
from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.lifecycle.rule_book import open_rules
from tests.unit.services.scheduling.conftest import MONDAY, RULES, SchedulingDesk

OPEN = [{"day": day, "from": "06:00", "to": "09:00"} for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
LIFT: dict[str, Any] = {"id": "squat", "duration_min": 60, "kind": "lift", "region": "lower", "effort": "heavy"}
LONG: dict[str, Any] = {"id": "long", "duration_min": 100, "kind": "run", "type": "long"}
EASY: dict[str, Any] = {"id": "easy", "duration_min": 40, "kind": "run", "type": "easy"}


def availability(desk: SchedulingDesk, **limits: int) -> Mapping[str, Any]:
    return desk.send("scheduling.set-availability", {"athlete": "a1", "windows": OPEN, **limits})


def starts(week: Mapping[str, Any]) -> dict[str, str]:
    return {session["id"]: session["start"] for session in week["sessions"]}


def targets(desk: SchedulingDesk, *sessions: dict[str, Any], week_start: str = MONDAY, **more: Any) -> None:
    body = {"athlete": "a1", "week_start": week_start, "number": 3, "phase": "build", "sessions": list(sessions)}
    desk.send("periodization.week-targets-set", {**body, **more})


def test_a_week_is_planned_told_and_answered(desk: SchedulingDesk) -> None:
    desk.put()
    availability(desk)
    assert desk.plan([LIFT, LONG, EASY]) == {"effect": "applied", "status": "planned"}
    (event,) = desk.events("week-planned")
    week = desk.week()
    assert week == event
    assert set(starts(week)) == {"squat", "long", "easy"}
    assert all(session["why"] for session in week["sessions"])
    assert {decided["rule"] for decided in week["decided_by"]} >= {"heavy-lower-near-long-run"}


def test_the_calendar_can_be_had_as_icalendar(desk: SchedulingDesk) -> None:
    desk.put()
    desk.plan([LIFT])
    answer = desk.week(format="ics")
    assert answer["ics"].startswith("BEGIN:VCALENDAR")
    assert "UID:acme/a1/2026-03-09/squat@tandem" in answer["ics"]


def test_what_is_asked_before_the_athlete_is_known_waits(desk: SchedulingDesk) -> None:
    waits = {"effect": "pending", "code": "waits_for_athlete", "pending": "athlete"}
    assert availability(desk) == waits
    assert desk.plan([LIFT, LONG]) == waits
    assert desk.events("week-planned") == []
    desk.put()
    assert set(starts(desk.week())) == {"squat", "long"}


def test_a_week_without_sessions_waits_for_the_seasons(desk: SchedulingDesk) -> None:
    desk.put()
    assert desk.plan() == {"effect": "pending", "code": "waits_for_targets", "pending": "targets"}
    targets(desk, LIFT, EASY)
    assert set(starts(desk.week())) == {"squat", "easy"}


def test_the_coming_week_is_planned_when_its_targets_come(desk: SchedulingDesk) -> None:
    desk.put()
    targets(desk, LIFT)
    assert set(starts(desk.week())) == {"squat"}


def test_a_later_week_is_planned_when_its_turn_comes(desk: SchedulingDesk) -> None:
    desk.put()
    targets(desk, LIFT, week_start="2026-03-16")
    desk.tick()
    with pytest.raises(Rejected, match="not planned"):
        desk.week("2026-03-16")
    desk.now += timedelta(days=7)
    desk.tick()
    assert set(starts(desk.week("2026-03-16"))) == {"squat"}
    told = len(desk.events("week-planned"))
    desk.tick()
    assert len(desk.events("week-planned")) == told


def test_changed_availability_plans_the_week_anew(desk: SchedulingDesk) -> None:
    desk.put()
    desk.plan([EASY])
    evening = [{"day": "tue", "from": "18:00", "to": "20:00"}]
    desk.send("scheduling.set-availability", {"athlete": "a1", "windows": evening})
    assert starts(desk.week()) == {"easy": "2026-03-10T18:00:00+01:00"}
    assert len(desk.events("week-planned")) == 2


def test_no_time_at_all_is_told_with_its_conflict(desk: SchedulingDesk) -> None:
    desk.put()
    desk.send("scheduling.set-availability", {"athlete": "a1", "windows": []})
    assert desk.plan([EASY]) == {"effect": "applied", "status": "infeasible"}
    (event,) = desk.events("week-infeasible")
    assert {member["kind"] for member in event["conflict"]} == {"availability", "session"}
    assert event["suggestions"]


def test_a_move_against_a_hard_rule_is_refused_with_the_way_out(desk: SchedulingDesk) -> None:
    desk.put()
    desk.plan([{**LIFT, "start": "2026-03-13T07:00:00+01:00"}, {**LONG, "start": "2026-03-15T07:00:00+01:00"}])
    with pytest.raises(Rejected) as refused:
        desk.send("scheduling.move-session", {"athlete": "a1", "session": "long", "start": "2026-03-14T07:00:00+01:00"})
    (problem,) = refused.value.problems
    assert (problem.pointer, problem.code) == ("/start", "heavy-lower-near-long-run")
    assert "2026-03-14T08:00:00+01:00" in problem.message
    assert starts(desk.week())["long"] == "2026-03-15T07:00:00+01:00"


def test_a_legal_move_is_told_and_survives_a_new_plan(desk: SchedulingDesk) -> None:
    desk.put()
    desk.plan([LIFT])
    desk.send("scheduling.move-session", {"athlete": "a1", "session": "squat", "start": "2026-03-11T12:00:00+01:00"})
    assert starts(desk.week())["squat"] == "2026-03-11T12:00:00+01:00"
    (adjusted,) = desk.events("session-adjusted")
    assert adjusted["after"]["start"] == "2026-03-11T12:00:00+01:00"
    availability(desk)
    assert starts(desk.week())["squat"] == "2026-03-11T12:00:00+01:00"


def test_an_override_breaks_the_rule_and_stays_on_record(desk: SchedulingDesk) -> None:
    desk.put()
    desk.plan([{**LIFT, "start": "2026-03-13T07:00:00+01:00"}, {**LONG, "start": "2026-03-15T07:00:00+01:00"}])
    answer = desk.send(
        "scheduling.move-session",
        {
            "athlete": "a1",
            "session": "long",
            "start": "2026-03-14T07:00:00+01:00",
            "override": {"by": "coach Kim", "reason": "the club runs on Saturday"},
        },
    )
    assert [one["rule"] for one in answer["overridden"]] == ["heavy-lower-near-long-run"]
    with desk.database.transaction() as db:
        (record,) = db.scalars(select(OverrideRow)).all()
        assert (record.by, record.reason) == ("coach Kim", "the club runs on Saturday")
    availability(desk)
    assert starts(desk.week())["long"] == "2026-03-14T07:00:00+01:00"


def test_a_race_is_never_moved(desk: SchedulingDesk) -> None:
    desk.put()
    race = {"id": "race", "duration_min": 100, "kind": "run", "type": "race", "start": "2026-03-15T10:00:00+01:00"}
    desk.plan([race])
    with pytest.raises(Rejected, match="race"):
        desk.send("scheduling.move-session", {"athlete": "a1", "session": "race", "start": "2026-03-14T10:00:00+01:00"})


def test_an_unknown_session_cannot_be_moved(desk: SchedulingDesk) -> None:
    desk.put()
    with pytest.raises(Rejected) as refused:
        desk.send("scheduling.move-session", {"athlete": "a1", "session": "x", "start": "2026-03-14T10:00:00+01:00"})
    assert refused.value.problems[0].code == "unknown_session"


def readiness(desk: SchedulingDesk, day: str, *today: dict[str, Any], intensity: str = "easy") -> None:
    gate = {"intensity": intensity, "volume_factor": 0.6, "reason": "sleep", "rules": []}
    desk.send("recovery.readiness-assessed", {"athlete": "a1", "date": day, "gate": gate, "today": list(today)})


def test_todays_gate_adjusts_todays_session_and_gives_it_back(desk: SchedulingDesk) -> None:
    desk.put()
    planned = {"id": "fast", "duration_min": 50, "kind": "run", "type": "tempo", "start": "2026-03-10T07:00:00+01:00"}
    desk.plan([planned])
    desk.now = datetime(2026, 3, 10, 5, 0, tzinfo=UTC)
    eased = {**planned, "type": "easy", "duration_min": 30, "changed": True, "why": "sleep limits"}
    readiness(desk, "2026-03-10", eased)
    (adjusted,) = desk.events("session-adjusted")
    assert (adjusted["before"]["type"], adjusted["after"]["type"]) == ("tempo", "easy")
    (session,) = desk.week()["sessions"]
    assert (session["type"], session["duration_min"], session["changed"]) == ("easy", 30.0, True)
    assert session["start"] == "2026-03-10T07:00:00+01:00"
    assert session["end"] == "2026-03-10T07:30:00+01:00"
    readiness(desk, "2026-03-10", eased)
    assert len(desk.events("session-adjusted")) == 1
    readiness(desk, "2026-03-10", {**planned, "changed": False}, intensity="full")
    assert desk.events("session-adjusted")[-1]["after"]["type"] == "tempo"
    assert desk.week()["sessions"][0]["type"] == "tempo"


def test_the_past_and_today_stay_when_the_week_is_planned_anew(desk: SchedulingDesk) -> None:
    desk.put()
    desk.plan([LIFT, LONG, EASY])
    before = starts(desk.week())
    first = min(before.values())
    desk.now = datetime.fromisoformat(first) + timedelta(hours=1)
    evenings = [{"day": day, "from": "18:00", "to": "21:00"} for day in ("mon", "tue", "wed", "thu", "fri", "sat")]
    desk.send("scheduling.set-availability", {"athlete": "a1", "windows": evenings})
    after = starts(desk.week())
    today = first[:10]
    for name, start in before.items():
        if start[:10] <= today:
            assert after[name] == start
        else:
            assert after[name][11:13] >= "18"


def test_a_done_session_stands_where_it_was_done(desk: SchedulingDesk) -> None:
    desk.put()
    availability(desk)
    desk.plan([LIFT, LONG])
    done = {
        "athlete": "a1",
        "session": "done1",
        "revision": 0,
        "start": "2026-03-10T12:00:00+01:00",
        "end": "2026-03-10T13:00:00+01:00",
        "duration_min": 60,
        "kind": "lift",
        "region": "lower",
        "effort": "heavy",
        "planned": "squat",
        "lift": 480.0,
    }
    desk.send("load.session-scored", done)
    assert starts(desk.week())["squat"] == "2026-03-10T12:00:00+01:00"
    long = datetime.fromisoformat(starts(desk.week())["long"])
    assert abs(long - datetime.fromisoformat("2026-03-10T12:30:00+01:00")) > timedelta(hours=24)
    desk.send("load.session-scored", {**done, "revision": 1, "removed": True})
    assert datetime.fromisoformat(starts(desk.week())["squat"]).hour < 9


def test_check_week_answers_like_the_offline_command(desk: SchedulingDesk) -> None:
    calendar = [{**LIFT, "start": "2026-03-13T19:00:00+01:00"}, {**LONG, "start": "2026-03-14T08:00:00+01:00"}]
    nobody = desk.send("scheduling.check-week", {"sessions": calendar})
    assert nobody["verdict"] == "refused"
    assert nobody["athlete"] is None
    desk.put()
    known = desk.send("scheduling.check-week", {"athlete": "a1", "sessions": calendar})
    (violation,) = known["violations"]
    assert violation["rule"] == "heavy-lower-near-long-run"
    assert (violation["measured"], violation["limit"]) == ({"gap_hours": 12.0}, {"gap_hours": 24.0})
    assert violation["nearest_legal_start"] == {"session": "long", "start": "2026-03-14T20:00:00+01:00"}


def test_after_lift_advice_is_answered(desk: SchedulingDesk) -> None:
    desk.put(priority="strength")
    answer = desk.send(
        "scheduling.after-lift-advice",
        {
            "athlete": "a1",
            "lift": {"kind": "lift", "region": "lower", "effort": "heavy"},
            "run": {"kind": "run", "type": "easy", "duration_min": 45},
        },
    )
    assert answer["athlete"] == "a1"
    assert answer["answer"] in ("shorten", "separate", "swap")


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("scheduling.get-week", {"athlete": "nobody", "week_start": MONDAY}),
        ("scheduling.check-week", {"athlete": "nobody", "sessions": []}),
    ],
)
def test_questions_about_nobody_are_rejected(desk: SchedulingDesk, key: str, body: dict[str, Any]) -> None:
    desk.put()
    for tenant in ("acme", "other"):
        asked = body if tenant == "acme" else {**body, "athlete": "a1"}
        with pytest.raises(Rejected) as refused:
            desk.send(key, asked, tenant=tenant)
        assert refused.value.problems[0].code == "unknown_athlete"


def test_erasing_leaves_nothing_and_earlier_messages_bring_nothing_back(desk: SchedulingDesk) -> None:
    before = desk.now
    desk.put()
    desk.plan([LIFT, LONG])
    desk.send("athlete.erase", {"athlete": "a1"}, at=desk.now + timedelta(minutes=1))
    assert desk.events("athlete-erased") == [{"athlete": "a1", "service": "scheduling", "effect": "applied"}]
    desk.send("scheduling.plan-week", {"athlete": "a1", "week_start": MONDAY, "sessions": [LIFT]}, at=before)
    targets(desk, LIFT)
    with desk.database.transaction() as db:
        for table in SchedulingAthletes.held:
            assert db.scalars(select(table)).all() == []


def test_any_order_of_messages_gives_the_same_week(open_desk: Callable[[], SchedulingDesk]) -> None:
    messages: list[tuple[str, dict[str, Any]]] = [
        ("athlete.put", {"athlete": "a1", "timezone": "Europe/Berlin", "priority": "strength"}),
        ("scheduling.set-availability", {"athlete": "a1", "windows": OPEN}),
        ("scheduling.plan-week", {"athlete": "a1", "week_start": MONDAY}),
        (
            "periodization.week-targets-set",
            {"athlete": "a1", "week_start": MONDAY, "phase": "build", "sessions": [LIFT, EASY]},
        ),
        (
            "load.session-scored",
            {
                "athlete": "a1",
                "session": "d1",
                "start": "2026-03-08T18:00:00+01:00",
                "duration_min": 100,
                "kind": "run",
                "type": "long",
            },
        ),
    ]
    weeks = []
    for order in list(itertools.permutations(range(len(messages))))[::17]:
        desk = open_desk()
        for index in order:
            key, body = messages[index]
            desk.send(key, body, at=desk.now + timedelta(seconds=index), id=f"m{index}")
        weeks.append(desk.week())
    assert all(week == weeks[0] for week in weeks)
    squat = datetime.fromisoformat(starts(weeks[0])["squat"])
    assert squat - datetime.fromisoformat("2026-03-08T19:40:00+01:00") >= timedelta(hours=24)


def season(desk: SchedulingDesk, *starts: str, at: datetime | None = None) -> None:
    weeks = [{"number": number, "start": start} for number, start in enumerate(starts, 1)]
    desk.send("periodization.season-planned", {"athlete": "a1", "weeks": weeks}, at=at)


def test_a_week_that_the_season_gave_up_is_emptied(desk: SchedulingDesk) -> None:
    desk.put()
    targets(desk, LIFT)
    season(desk, MONDAY)
    assert set(starts(desk.week())) == {"squat"}
    season(desk, "2026-04-06")
    assert starts(desk.week()) == {}
    assert desk.events("week-planned")[-1]["sessions"] == []


def test_news_of_a_week_that_were_overtaken_by_its_withdrawal_do_not_bring_it_back(desk: SchedulingDesk) -> None:
    earlier = desk.now
    desk.put()
    season(desk, "2026-04-06", at=desk.now + timedelta(minutes=1))
    body = {"athlete": "a1", "week_start": MONDAY, "phase": "base", "sessions": [LIFT]}
    desk.send("periodization.week-targets-set", body, at=earlier)
    desk.tick()
    with pytest.raises(Rejected, match="not planned"):
        desk.week()


def test_a_week_asked_for_by_hand_stays_when_the_season_goes(desk: SchedulingDesk) -> None:
    desk.put()
    targets(desk, LIFT)
    desk.plan([EASY])
    season(desk, "2026-04-06")
    assert set(starts(desk.week())) == {"easy"}


def test_other_rules_make_coming_weeks_anew_and_leave_the_past(
    desk: SchedulingDesk, rules: TenantRules, tmp_path: Path
) -> None:
    desk.put()
    availability(desk)
    desk.plan([{**LIFT, "start": "2026-03-10T07:00:00+01:00"}, {**LONG, "id": "long"}])
    far = "2026-03-23"
    desk.plan([{**LIFT, "id": "later"}], week_start=far)
    before = len(desk.events("week-planned"))
    desk.tick()
    assert len(desk.events("week-planned")) == before
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    pack = folder / "base" / "sequencing.yaml"
    text = pack.read_text()
    coarser = text.replace("planner_grid:\n    value: 30", "planner_grid:\n    value: 60", 1)
    assert coarser != text
    pack.write_text(coarser)
    with open_rules(folder, evaluator="reference") as edited:
        assert edited.pack("sequencing").hash != rules.pack("sequencing").hash
        desk.rules = edited
        desk.tick()
        with desk.database.transaction() as db:
            packs = {row.week_start.isoformat(): row.pack for row in db.scalars(select(PlanRow)).all()}
    assert packs == {MONDAY: edited.pack("sequencing").hash, far: rules.pack("sequencing").hash}
    assert starts(desk.week())["squat"] == "2026-03-10T07:00:00+01:00"


def test_a_reply_says_what_stands_instead(desk: SchedulingDesk) -> None:
    early, late = desk.now - timedelta(hours=2), desk.now - timedelta(hours=1)
    stamp = late.isoformat().replace("+00:00", "Z")
    desk.put()

    def told(key: str, at: datetime, id: str, **body: Any) -> Mapping[str, Any]:
        return desk.send(f"scheduling.{key}", {"athlete": "a1", **body}, at=at, id=id)

    def lost(id: str) -> dict[str, Any]:
        return {"effect": "none", "code": "superseded", "superseded_by": {"time": stamp, "id": id}}

    assert told("set-availability", late, "w", windows=OPEN)["effect"] == "applied"
    assert told("set-availability", late, "w", windows=OPEN) == {"effect": "none", "code": "duplicate"}
    assert told("set-availability", early, "v", windows=[]) == lost("w")
    assert told("plan-week", late, "p", week_start=MONDAY, sessions=[EASY])["effect"] == "applied"
    assert told("plan-week", early, "o", week_start=MONDAY) == lost("p")
    moved = {"session": "easy", "start": "2026-03-12T08:00:00+01:00"}
    assert told("move-session", early, "n", **moved) == lost("p"), "the calendar it was meant for is gone"
    assert told("move-session", late, "q", **moved)["effect"] == "applied"
    assert told("move-session", late, "pz", **moved) == lost("q")
