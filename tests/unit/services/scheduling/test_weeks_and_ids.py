"""A session is known by its week and its id, a week by the day on which the athlete's weeks begin."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import text

import services.scheduling
from services.scheduling.domain.checking.check import check_week
from shared.bus.routes import Rejected
from shared.db import migrations
from shared.db.engine import Database
from shared.messages.json_text import MAX_BYTES, canonical
from shared.messages.values import Limits, PlannedSession, Profile
from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.model import told_apart
from tests.unit.services.scheduling.conftest import MONDAY, SchedulingDesk
from tests.unit.services.scheduling.test_messages import EASY, LIFT, LONG, readiness, starts, targets

NEXT = "2026-03-16"
SQUATS = {"kind": "lift", "region": "lower", "duration_min": 60}
MAX_ON_SUNDAY = {**SQUATS, "athlete": "a1", "effort": "max", "start": "2026-03-08T18:00:00+01:00"}
FAST_ON_MONDAY = {"id": "fast", "start": "2026-03-09T06:00:00+01:00", "duration_min": 40, "kind": "run"}


def proposal(lift: str) -> list[dict[str, Any]]:
    heavy = {**SQUATS, "id": lift, "effort": "heavy", "start": "2026-03-12T18:00:00+01:00"}
    return [{**FAST_ON_MONDAY, "type": "intervals"}, heavy]


@pytest.mark.parametrize("lift", ["squats", "squats-wk2"])
def test_last_weeks_session_counts_whatever_this_weeks_are_called(desk: SchedulingDesk, lift: str) -> None:
    desk.put()
    desk.send("load.session-scored", {**MAX_ON_SUNDAY, "session": "squats", "date": "2026-03-08"})
    verdict = desk.send("scheduling.check-week", {"athlete": "a1", "sessions": proposal(lift)})
    (violation,) = verdict["violations"]
    assert violation["measured"]["gap_hours"] == 11.0
    assert violation["sessions"] == ["done/squats" if lift == "squats" else "squats", "fast"]


def test_the_planner_keeps_its_distance_from_last_weeks_namesake(desk: SchedulingDesk) -> None:
    desk.put()
    desk.send("load.session-scored", {**MAX_ON_SUNDAY, "session": "squats", "date": "2026-03-08"})
    desk.plan([{**SQUATS, "id": "squats", "effort": "heavy"}, {**FAST_ON_MONDAY, "start": None, "type": "intervals"}])
    fast = datetime.fromisoformat(starts(desk.week())["fast"])
    assert fast >= datetime.fromisoformat("2026-03-09T19:00:00+01:00")


def test_a_template_comes_back_every_week(desk: SchedulingDesk) -> None:
    desk.put()
    desk.plan([LIFT, LONG, EASY])
    desk.plan([LIFT, LONG, EASY], week_start=NEXT)
    first, second = desk.week(), desk.week(NEXT)
    assert set(starts(first)) == set(starts(second)) == {"squat", "long", "easy"}
    ends = max(datetime.fromisoformat(one["end"]) for one in first["sessions"])
    assert ends < datetime.fromisoformat(min(starts(second).values()))
    week_days = [{**one, "start": start} for one in (LIFT, LONG) for start in (starts(first)[one["id"]],)]
    later = [{**one, "start": start} for one in (LIFT, LONG) for start in (starts(second)[one["id"]],)]
    asked = {"athlete": "a1", "sessions": [*week_days, *later]}
    assert desk.send("scheduling.check-week", asked)["verdict"] == "accepted"
    with pytest.raises(Rejected) as refused:
        desk.send("scheduling.check-week", {"athlete": "a1", "sessions": [*week_days, week_days[0]]})
    assert [(p.pointer, p.code) for p in refused.value.problems] == [("/sessions/2/id", "duplicate")]


def test_two_weeks_in_one_proposal_are_told_apart(rules: TenantRules) -> None:
    heavy = {**SQUATS, "id": "squats", "effort": "heavy"}
    sessions = [
        PlannedSession.model_validate(one)
        for one in (
            {**heavy, "start": "2026-03-09T18:00:00+01:00"},
            {**heavy, "start": "2026-03-22T19:00:00+01:00"},
            {"id": "long", "kind": "run", "type": "long", "duration_min": 100, "start": "2026-03-23T07:00:00+01:00"},
        )
    ]
    verdict = check_week(sessions, Profile(timezone="Europe/Berlin"), rules)
    assert [one.sessions for one in verdict.violations] == [("2026-03-16/squats", "long")]


def test_a_done_session_stands_for_the_planned_one_of_its_week_or_of_the_week_it_names(desk: SchedulingDesk) -> None:
    desk.put()
    desk.plan([LIFT])
    desk.plan([LIFT], week_start=NEXT)
    done = {**SQUATS, "athlete": "a1", "session": "d1", "start": "2026-03-17T12:00:00+01:00", "date": "2026-03-17"}
    desk.send("load.session-scored", {**done, "effort": "heavy", "planned": "squat"})
    assert starts(desk.week(NEXT))["squat"] == "2026-03-17T12:00:00+01:00"
    assert starts(desk.week())["squat"] < NEXT
    early = {**done, "session": "d2", "start": "2026-03-15T12:00:00+01:00", "date": "2026-03-15", "effort": "heavy"}
    desk.send("load.session-scored", {**done, "effort": "heavy", "removed": True})
    desk.send("load.session-scored", {**early, "planned": {"week": NEXT, "id": "squat"}})
    assert starts(desk.week(NEXT))["squat"] == "2026-03-15T12:00:00+01:00"
    assert starts(desk.week())["squat"] != "2026-03-15T12:00:00+01:00"


def refused(desk: SchedulingDesk, start: str, **more: Any) -> list[str]:
    with pytest.raises(Rejected) as rejected:
        desk.send("scheduling.move-session", {"athlete": "a1", "session": "squat", "start": start, **more})
    return [problem.code for problem in rejected.value.problems]


def test_a_move_says_which_week_where_two_hold_the_id(desk: SchedulingDesk) -> None:
    desk.put()
    desk.plan([LIFT])
    desk.plan([LIFT], week_start=NEXT)
    assert refused(desk, "2026-03-18T12:00:00+01:00") == ["ambiguous"]
    assert refused(desk, "2026-03-18T12:00:00+01:00", week="2026-03-23") == ["unknown_session"]
    body = {"athlete": "a1", "session": "squat", "start": "2026-03-18T12:00:00+01:00", "week": NEXT}
    before = starts(desk.week())
    desk.send("scheduling.move-session", body)
    assert starts(desk.week(NEXT))["squat"] == "2026-03-18T12:00:00+01:00"
    assert starts(desk.week()) == before
    assert desk.events("session-adjusted")[-1]["week_start"] == NEXT
    desk.put(level="advanced")
    assert starts(desk.week(NEXT))["squat"] == "2026-03-18T12:00:00+01:00"
    assert starts(desk.week()) == before
    desk.now += timedelta(days=10)
    later = {**body, "start": "2026-03-19T12:00:00+01:00"}
    del later["week"]
    desk.send("scheduling.move-session", later)
    assert starts(desk.week(NEXT))["squat"] == "2026-03-19T12:00:00+01:00"


@pytest.mark.parametrize("override", [{}, {"override": {"by": "coach Kim", "reason": "because"}}])
def test_a_move_stays_in_its_week_and_ahead_of_now_whoever_asks(desk: SchedulingDesk, override: dict[str, Any]) -> None:
    desk.put()
    desk.plan([LIFT])
    assert refused(desk, "2026-03-16T12:00:00+01:00", **override) == ["other_week"]
    assert refused(desk, "2020-03-10T12:00:00+01:00", **override) == ["other_week", "past"]
    desk.now = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
    assert refused(desk, "2026-03-10T09:30:00+01:00", **override) == ["past"]


def test_a_move_to_a_time_that_is_not_there_needs_an_override(desk: SchedulingDesk) -> None:
    desk.put()
    windows = [{"day": day, "from": "06:00", "to": "09:00"} for day in ("mon", "wed", "fri")]
    desk.send("scheduling.set-availability", {"athlete": "a1", "windows": windows})
    desk.plan([LIFT])
    start = "2026-03-12T12:00:00+01:00"
    assert refused(desk, start) == ["availability"]
    answer = desk.send(
        "scheduling.move-session",
        {"athlete": "a1", "session": "squat", "start": start, "override": {"by": "Kim", "reason": "a free noon"}},
    )
    assert [one["rule"] for one in answer["overridden"]] == ["availability"]
    desk.put(level="advanced")
    assert starts(desk.week())["squat"] == start


def test_a_week_begins_where_the_athletes_do_and_is_not_over(desk: SchedulingDesk) -> None:
    desk.put()
    for week_start, codes, nearest in (
        ("2026-03-11", ["wrong_weekday"], MONDAY),
        ("2026-03-15", ["wrong_weekday"], NEXT),
        ("2020-01-06", ["past"], "2020-01-06"),
    ):
        with pytest.raises(Rejected) as rejected:
            desk.plan([LIFT], week_start=week_start)
        assert [problem.code for problem in rejected.value.problems] == codes
        assert nearest in rejected.value.problems[0].message
    desk.put(week_starts_on="sun")
    desk.plan([LIFT], week_start="2026-03-08")
    with pytest.raises(Rejected, match="Sunday"):
        desk.plan([LIFT])


@pytest.mark.parametrize(("starts_on", "week_start"), [("sun", "2026-03-08"), ("sat", "2026-03-07"), ("mon", MONDAY)])
def test_a_changed_gate_is_heard_in_weeks_of_every_start(desk: SchedulingDesk, starts_on: str, week_start: str) -> None:
    desk.put(timezone="America/New_York", week_starts_on=starts_on)
    planned = {"id": "fast", "duration_min": 50, "kind": "run", "type": "tempo", "start": "2026-03-11T07:00:00-04:00"}
    targets(desk, planned, week_start=week_start)
    assert set(starts(desk.week(week_start))) == {"fast"}
    desk.now = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
    readiness(desk, "2026-03-11", {**planned, "type": "easy", "changed": True, "why": "sleep limits"})
    (adjusted,) = desk.events("session-adjusted")
    assert (adjusted["week_start"], adjusted["after"]["type"]) == (week_start, "easy")


def test_rest_days_are_counted_in_the_athletes_weeks(rules: TenantRules) -> None:
    def at(day: int) -> PlannedSession:
        start = f"2026-03-{day:02}T18:00:00-04:00"
        return PlannedSession.model_validate(
            {"id": f"d{day}", "kind": "run", "type": "easy", "duration_min": 30, "start": start}
        )

    sunday_to_saturday = [at(day) for day in range(15, 22)]
    for starts_on in ("sun", "mon"):
        profile = Profile.model_validate({"timezone": "America/New_York", "week_starts_on": starts_on})
        verdict = check_week(sunday_to_saturday, profile, rules, Limits(min_rest_days=1))
        assert any(one.rule == "rest-days" for one in verdict.violations) is (starts_on == "sun")


def test_moves_from_before_weeks_told_ids_apart_keep_their_session(database_url: str) -> None:
    folder = Path(services.scheduling.__file__ or "").parent / "migrations"
    migrations.upgrade("scheduling", database_url, folder, until="0006")
    held, gone = "2026-03-11T11:00:00+00:00", "2026-03-19T11:00:00+00:00"
    version = {"told_at": held, "told_id": "m1"}
    database = Database("scheduling", database_url)
    try:
        with database.engine.begin() as connection:
            for session, start in (("squat", held), ("gone", gone)):
                row = {"tenant": "acme", "athlete": "a1", "session": session, "start": start, **version}
                connection.execute(
                    text(
                        "INSERT INTO moves (tenant, athlete, session, start, overridden, told_at, told_id) "
                        "VALUES (:tenant, :athlete, :session, :start, '[]', :told_at, :told_id)"
                    ),
                    row,
                )
            for week_start, placed in (("2026-03-02", "squat"), (MONDAY, "squat"), (NEXT, "other")):
                connection.execute(
                    text(
                        "INSERT INTO plans (tenant, athlete, week_start, document, placed, earlier, made_on, digest) "
                        "VALUES ('acme', 'a1', :week_start, '{}', :placed, '[]', '2026-03-06', '')"
                    ),
                    {"week_start": week_start, "placed": json.dumps([{"id": placed}])},
                )
        assert migrations.upgrade("scheduling", database_url, folder) == migrations.newest(folder)
        with database.engine.begin() as connection:
            moves = connection.execute(text("SELECT session, week_start FROM moves ORDER BY session")).all()
            assert [(one[0], str(one[1])) for one in moves] == [("gone", NEXT), ("squat", MONDAY)]
    finally:
        database.dispose()


def test_a_limit_missed_by_seconds_is_not_shown_as_kept(rules: TenantRules) -> None:
    squats = {**SQUATS, "id": "squats", "effort": "heavy", "start": "2026-03-02T07:00:12+01:00"}
    long = {**LONG, "start": "2026-03-03T08:00:00+01:00"}
    (violation,) = check_week([PlannedSession.model_validate(one) for one in (squats, long)], None, rules).violations
    assert "starts 23 h 59 min 48 s after" in violation.message
    assert "at least 24 h are needed" in violation.message


def test_a_calendar_of_sessions_at_one_time_is_judged_within_bounds(desk: SchedulingDesk) -> None:
    long_names = [f"{at}".ljust(128, "x") for at in range(60)]
    at_once = {**SQUATS, "effort": "heavy", "start": "2026-03-12T18:00:00+01:00"}
    verdict = desk.send("scheduling.check-week", {"sessions": [{**at_once, "id": name} for name in long_names]})
    assert len(verdict["violations"]) + verdict["violations_more"] >= 60 * 59 / 2
    assert len(canonical(verdict)) < MAX_BYTES
    desk.put()
    desk.plan([{**at_once, "id": name, "start": f"2026-03-{9 + at % 7:02}T{5 + at // 7 * 2:02}:00:00+01:00"}
               for at, name in enumerate(long_names[:56])])  # fmt: skip
    assert all(len(canonical(event.data)) < MAX_BYTES for event in desk.emitted)


def events_of(desk: SchedulingDesk, week_start: str = MONDAY, tenant: str = "acme") -> dict[str, Any]:
    """The week's events by UID, as a calendar program reads them."""
    asked = {"athlete": "a1", "week_start": week_start, "format": "ics"}
    text = desk.send("scheduling.get-week", asked, tenant=tenant)["ics"]
    found = list(Calendar.from_ical(text).walk("VEVENT"))
    by_uid = {str(event["uid"]): event for event in found}
    assert len(by_uid) == len(found)
    return by_uid


def test_no_two_sessions_share_a_uid_in_a_calendar_program(desk: SchedulingDesk) -> None:
    uids: list[str] = []
    for tenant in ("acme", "other"):
        desk.send("athlete.put", {"athlete": "a1", "timezone": "Europe/Berlin"}, tenant=tenant)
        for week_start in (MONDAY, NEXT):
            body = {"athlete": "a1", "week_start": week_start, "sessions": [LIFT, EASY]}
            desk.send("scheduling.plan-week", body, tenant=tenant)
            uids += events_of(desk, week_start, tenant)
    assert len(set(uids)) == len(uids) == 8


def test_a_session_counts_its_changes_and_is_cancelled_once(desk: SchedulingDesk) -> None:
    desk.put()
    desk.plan([LIFT, EASY])
    squat, easy = (f"acme/a1/{MONDAY}/{name}@tandem" for name in ("squat", "easy"))
    before = events_of(desk)
    assert [int(before[uid]["sequence"]) for uid in (squat, easy)] == [0, 0]
    desk.now += timedelta(hours=1)
    desk.send("scheduling.move-session", {"athlete": "a1", "session": "squat", "start": "2026-03-11T12:00:00+01:00"})
    moved = events_of(desk)
    assert [int(moved[uid]["sequence"]) for uid in (squat, easy)] == [1, 0]
    assert moved[squat]["last-modified"].dt == desk.now
    assert moved[easy]["last-modified"].dt == desk.now - timedelta(hours=1)
    desk.plan([LIFT])
    dropped = events_of(desk)
    assert (str(dropped[easy]["status"]), int(dropped[easy]["sequence"])) == ("CANCELLED", 1)
    assert dropped[easy]["dtstart"].dt == before[easy]["dtstart"].dt
    assert str(dropped[squat]["status"]) == "CONFIRMED"
    desk.plan([LIFT, EASY])
    back = events_of(desk)
    assert (str(back[easy]["status"]), int(back[easy]["sequence"])) == ("CONFIRMED", 2)


def test_todays_gate_is_a_change_of_the_session(desk: SchedulingDesk) -> None:
    desk.put()
    planned = {"id": "fast", "duration_min": 50, "kind": "run", "type": "tempo", "start": "2026-03-10T07:00:00+01:00"}
    desk.plan([planned])
    desk.now = datetime(2026, 3, 10, 5, 0, tzinfo=UTC)
    eased = {**planned, "type": "easy", "duration_min": 30, "changed": True, "why": "sleep limits"}
    for again in (eased, eased):
        readiness(desk, "2026-03-10", again)
    (event,) = events_of(desk).values()
    assert int(event["sequence"]) == 1
    assert event["dtend"].dt == datetime(2026, 3, 10, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [(0.79996, 0.8, "0.79996"), (0.75, 0.8, "0.75"), (1.50002, 1.5, "1.50002"), (1.5, 1.5, "1.5"), (66.55, 67, "66.5")],
)
def test_a_number_beside_its_limit_is_never_on_the_wrong_side(value: float, limit: float, text: str) -> None:
    assert told_apart(value, limit, 3) == text
