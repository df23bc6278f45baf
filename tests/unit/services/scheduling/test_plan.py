"""Placed weeks: never against a hard rule, never dearer than need be, the same whatever the order."""

import itertools
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scheduling.domain.availability import spans_of_week
from services.scheduling.domain.calendar import entry_of
from services.scheduling.domain.checking.check import check_week
from services.scheduling.domain.ics import CalendarOf, as_ics
from services.scheduling.domain.placing.planning import plan_week
from services.scheduling.domain.placing.preferences import POINT, Preferences, preference_cost
from services.scheduling.domain.week_plan import WeekInputs, WeekPlan
from shared.messages.values import Limits, PlannedSession, Profile, Window
from shared.rules.evaluation.tenant_rules import TenantRules
from tests.independent_checker import broken, outside
from tests.unit.services.scheduling.calendars import PRIORITIES, at, lift, plain, run, walk, weeks, windows

MONDAY = date(2026, 3, 9)
BERLIN = ZoneInfo("Europe/Berlin")
MORNING_AND_EVENING = (("06:30", "08:30"), ("17:00", "20:00"))
SOME_WEEKS = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# S27, the founding documents' sample week: Mon lower + easy, Wed upper, Thu intervals, Sat full body + easy, Sun long.
SAMPLE_DAYS = {"lower": 9, "easy-mon": 9, "upper": 11, "fast": 12, "full": 14, "easy-sat": 14, "long": 15, "next": 16}
SAMPLE = [
    lift("lower"),
    run("easy-mon", 35),
    lift("upper", region="upper"),
    run("fast", 50, "intervals"),
    lift("full", region="full"),
    run("easy-sat", 30),
    run("long", 90, "long"),
]


def plan(
    rules: TenantRules,
    sessions: Sequence[PlannedSession],
    times: Sequence[Window] | None = None,
    *,
    zone: str = "Europe/Berlin",
    week_start: date = MONDAY,
    limits: Limits | None = None,
    context: Sequence[PlannedSession] = (),
    **profile: Any,
) -> WeekPlan:
    who = Profile(timezone=zone, **profile)
    return plan_week(WeekInputs(week_start, sessions, who.zone, times, limits, who, context), rules)


def starts(planned: WeekPlan) -> dict[str, str]:
    return {one.session.id: one.start.isoformat() for one in planned.sessions}


@SOME_WEEKS
@given(sessions=weeks(6), priority=st.sampled_from(PRIORITIES))
def test_no_emitted_calendar_breaks_a_hard_rule(
    rules: TenantRules, sessions: list[PlannedSession], priority: Any
) -> None:
    times = windows(*MORNING_AND_EVENING)
    settled = [at(lift("last"), "2026-03-08T18:00:00+01:00"), at(run("then", 95, "long"), "2026-03-16T06:30:00+01:00")]
    planned = plan(rules, sessions, times, priority=priority, context=settled)
    if planned.status == "infeasible":
        assert planned.conflict
        return
    calendar = planned.as_json()["sessions"]
    assert {one["id"] for one in calendar} == {session.id for session in sessions}
    assert broken(calendar, "Europe/Berlin", priority, plain(settled), 2, 1) == []
    plain_windows = [window.model_dump(by_alias=True) for window in times]
    assert outside(calendar, [w | {"day": w["day"] or ""} for w in plain_windows], "Europe/Berlin") == []
    assert all(one["why"] for one in calendar)


@settings(SOME_WEEKS, max_examples=10)
@given(sessions=weeks(3), strategy=st.sampled_from(("spread", "cluster", None)), priority=st.sampled_from(PRIORITIES))
def test_small_weeks_cost_no_more_than_the_best_of_all(
    rules: TenantRules, sessions: list[PlannedSession], strategy: Any, priority: Any
) -> None:
    times = windows(("06:00", "08:00"), ("17:00", "18:00"), days=("mon", "wed"))
    who = Profile(timezone="Europe/Berlin", priority=priority, day_strategy=strategy)
    limits = Limits(max_sessions_per_day=2, min_rest_days=5)
    planned = plan_week(WeekInputs(MONDAY, sessions, who.zone, times, limits, who), rules)
    best = cheapest(rules, sessions, times, who, limits)
    assert (planned.cost if planned.status == "planned" else None) == best


def cheapest(
    rules: TenantRules, sessions: Sequence[PlannedSession], times: Sequence[Window], who: Profile, limits: Limits
) -> int | None:
    """The least cost over every calendar of half-hour starts, judged one by one; None when each is refused."""
    choices = []
    for session in sessions:
        length = round(session.duration_min * 60)
        starts = {
            start
            for span in spans_of_week(times, MONDAY, who.zone)
            for start in (*range(span.opens, span.closes - length + 1, 1800), span.closes - length)
            if span.holds(start, length)
        }
        choices.append([at(session, datetime.fromtimestamp(start, tz=who.zone)) for start in sorted(starts)])
    best: int | None = None
    preferences = Preferences.from_settings(rules.settings("sequencing"), who.day_strategy)
    # The independent checker sorts out most calendars; the rest is judged by the rules themselves.
    for calendar in itertools.product(*choices):
        if broken(plain(calendar), "Europe/Berlin", who.priority, (), 2, 5):
            continue
        preferred = preference_cost([entry_of(session, who.zone) for session in calendar], preferences)
        if best is not None and preferred >= best:
            continue
        verdict = check_week(calendar, who, rules, limits)
        if verdict.verdict == "accepted":
            cost = round(sum(warning.penalty for warning in verdict.warnings) * POINT) + preferred
            best = cost if best is None else min(best, cost)
    return best


@settings(SOME_WEEKS, max_examples=4)
@given(sessions=weeks(5), data=st.data())
def test_the_order_of_the_input_is_irrelevant(
    rules: TenantRules, sessions: list[PlannedSession], data: st.DataObject
) -> None:
    times = windows(*MORNING_AND_EVENING)
    shuffled = data.draw(st.permutations(sessions))
    turned = data.draw(st.permutations(times))
    assert plan(rules, sessions, times).as_json() == plan(rules, shuffled, turned).as_json()


def test_a_fixed_session_stays_and_the_rest_goes_around_it(rules: TenantRules) -> None:
    fixed = at(run("long", 100, "long"), "2026-03-11T11:15:00+01:00")
    planned = plan(rules, [fixed, lift("squat")], windows(("12:00", "14:00"), days=("tue", "thu", "wed")))
    assert starts(planned)["long"] == "2026-03-11T11:15:00+01:00"
    # 24 h after the run's end is Thursday 12:55, which is on no grid of half hours.
    assert starts(planned)["squat"] == "2026-03-12T12:55:00+01:00"
    why = {one.session.id: " ".join(one.why) for one in planned.sessions}
    assert "came with a start" in why["long"]
    assert "heavy-lower-near-long-run" in why["squat"]


def test_two_sessions_that_just_fit_are_found_between_grid_points(rules: TenantRules) -> None:
    times = [
        Window.model_validate({"day": "mon", "from": "07:10", "to": "08:15"}),
        Window.model_validate({"day": "tue", "from": "07:50", "to": "09:58"}),
    ]
    planned = plan(rules, [lift("squat", 50), run("long", 100, "long")], times)
    assert planned.status == "planned"
    assert broken(planned.as_json()["sessions"], "Europe/Berlin") == []


def test_starts_stand_on_marks_of_five_minutes(rules: TenantRules) -> None:
    # 31 minutes before a closing at 18:29 is 17:58; a day after Sunday's run ended at 09:08 is 09:08.
    settled = [at(run("last", 68, "long"), "2026-03-08T08:00:00+01:00")]
    times = windows(("09:01", "10:17"), ("17:31", "18:29"))
    sessions = [lift("squat", 31), lift("press", 29, "upper"), run("easy", 33), run("long", 68, "long")]
    planned = plan(rules, sessions, times, context=settled)
    assert planned.status == "planned"
    assert {one.start.minute % 5 for one in planned.sessions} == {0}
    assert {line for one in planned.sessions for line in one.why if "'" in line and "'s " not in line} == set()


def test_a_window_that_holds_no_mark_is_used_from_its_opening(rules: TenantRules) -> None:
    times = [Window.model_validate({"day": "tue", "from": "06:03", "to": "06:34"})]
    assert starts(plan(rules, [run("easy", 30)], times)) == {"easy": "2026-03-10T06:03:00+01:00"}


def test_reasons_are_few_and_name_days_and_sessions_as_people_do(rules: TenantRules) -> None:
    fixed = [at(lift("a"), "2026-03-13T07:00:00+01:00"), at(run("b", 90, "long"), "2026-03-14T09:00:00+01:00")]
    planned = plan(rules, fixed)
    why = {one.session.id: one.why for one in planned.sessions}
    assert "25 h before Saturday's long run (needs 24 h: heavy-lower-near-long-run)" in why["a"]
    assert "25 h after Friday's heavy lower lift (needs 24 h: heavy-lower-near-long-run)" in why["b"]
    assert all(len([line for line in lines if "needs" in line]) <= 2 for lines in why.values())
    assert "heavy-lower-near-long-run" in {one.rule for one in planned.decided_by}


def test_the_sample_week_is_refused_at_seven_everywhere(rules: TenantRules) -> None:
    at_seven = [at(s, f"2026-03-{SAMPLE_DAYS[s.id]:02}T07:00:00+01:00") for s in SAMPLE if "easy" not in s.id]
    next_monday = at(lift("next"), "2026-03-16T07:00:00+01:00")
    verdict = check_week([*at_seven, next_monday], Profile(timezone="Europe/Berlin"), rules)
    assert [(f.rule, f.sessions) for f in verdict.violations] == [
        ("heavy-lower-near-long-run", ("full", "long")),
        ("heavy-lower-near-long-run", ("long", "next")),
    ]
    planned = plan(rules, [*at_seven, next_monday])
    assert planned.status == "infeasible"


def test_the_sample_week_is_feasible_with_times(rules: TenantRules) -> None:
    clock = {"lower": "07:00", "easy-mon": "17:00", "upper": "07:00", "fast": "07:00", "full": "07:00"}
    clock |= {"easy-sat": "17:00", "long": "08:30", "next": "10:00"}
    calendar = [at(s, f"2026-03-{SAMPLE_DAYS[s.id]:02}T{clock[s.id]}:00+01:00") for s in (*SAMPLE, lift("next"))]
    assert check_week(calendar, Profile(timezone="Europe/Berlin"), rules).verdict == "accepted"
    planned = plan(rules, SAMPLE, context=[calendar[-1]])
    assert (planned.status, planned.optimal) == ("planned", True)


def test_without_availability_the_day_is_open_from_six_to_nine_and_it_says_so(rules: TenantRules) -> None:
    planned = plan(rules, [run("easy")])
    assert any("06:00 to 21:00" in note for note in planned.notes)
    assert plan(rules, [run("easy")], windows(("06:00", "21:00"))).notes == ()


def test_a_window_may_end_on_the_next_day(rules: TenantRules) -> None:
    night = [Window.model_validate({"day": "fri", "from": "23:30", "to": "00:30"})]
    assert starts(plan(rules, [run("late", 60)], night)) == {"late": "2026-03-13T23:30:00+01:00"}


def test_a_dated_window_counts_in_its_week_only(rules: TenantRules) -> None:
    once = [Window.model_validate({"date": "2026-03-12", "from": "10:00", "to": "11:00"})]
    assert starts(plan(rules, [run("easy")], once)) == {"easy": "2026-03-12T10:00:00+01:00"}
    assert plan(rules, [run("easy")], once, week_start=MONDAY + timedelta(days=7)).status == "infeasible"


@pytest.mark.parametrize(
    ("zone", "week_start", "gap"),
    [
        ("Europe/Berlin", date(2026, 3, 23), ("02:10", "02:50")),
        ("America/New_York", date(2026, 3, 2), ("02:10", "02:50")),
    ],
)
def test_a_window_inside_the_spring_gap_is_no_time(
    rules: TenantRules, zone: str, week_start: date, gap: tuple[str, str]
) -> None:
    times = windows(gap, days=("sun",))
    assert plan(rules, [run("easy", 20)], times, zone=zone, week_start=week_start).status == "infeasible"
    wide = windows(("01:30", "03:30"), days=("sun",))
    assert plan(rules, [run("easy", 60)], wide, zone=zone, week_start=week_start).status == "planned"
    assert plan(rules, [run("easy", 61)], wide, zone=zone, week_start=week_start).status == "infeasible"


@pytest.mark.parametrize(
    ("zone", "week_start"), [("Europe/Berlin", date(2026, 10, 19)), ("America/New_York", date(2026, 10, 26))]
)
def test_the_autumn_hour_that_comes_twice_is_time_twice(rules: TenantRules, zone: str, week_start: date) -> None:
    times = windows(("00:30", "03:00"), days=("sun",))
    planned = plan(rules, [run("long", 210, "long")], times, zone=zone, week_start=week_start)
    assert planned.status == "planned"
    (one,) = planned.sessions
    assert (one.end - one.start.astimezone(ZoneInfo("UTC"))) == timedelta(minutes=210)


@pytest.mark.parametrize(
    ("zone", "week_start"), [("Europe/Berlin", date(2026, 3, 23)), ("America/New_York", date(2026, 3, 2))]
)
def test_24_hours_are_24_hours_in_the_week_of_23(rules: TenantRules, zone: str, week_start: date) -> None:
    times = windows(("07:00", "08:00"), days=("sat",)) + windows(("08:00", "10:00"), days=("sun",))
    planned = plan(rules, [lift("squat"), run("long", 60, "long")], times, zone=zone, week_start=week_start)
    assert planned.status == "planned"
    assert max(starts(planned).values()).startswith(f"{week_start + timedelta(days=6)}T09:00")
    assert broken(planned.as_json()["sessions"], zone) == []


def test_a_soft_rule_is_strained_only_where_nothing_else_fits(rules: TenantRules) -> None:
    sessions = [lift("press", region="upper", effort="moderate"), run("tempo", 40, "tempo")]
    tight = plan(rules, sessions, windows(("07:00", "09:00"), days=("tue",)))
    assert "upper-lift-near-quality-run" in [penalty.rule for penalty in tight.penalties]
    assert starts(tight)["press"] < starts(tight)["tempo"]
    assert "Accepted at a cost of 15" in " ".join(line for one in tight.sessions for line in one.why)
    wide = plan(rules, sessions, windows(("07:00", "09:00")))
    assert "upper-lift-near-quality-run" not in [penalty.rule for penalty in wide.penalties]


def test_a_long_run_takes_the_weekend_where_nothing_speaks_against_it(rules: TenantRules) -> None:
    planned = plan(rules, [run("long", 90, "long"), run("easy")], windows(("07:00", "09:00")))
    assert starts(planned)["long"][:10] in ("2026-03-14", "2026-03-15")
    weekdays = windows(("07:00", "09:00"), days=("tue", "thu"))
    assert plan(rules, [run("long", 90, "long")], weekdays).status == "planned"


def test_medium_hard_days_do_not_smear(rules: TenantRules) -> None:
    sessions = [lift(f"l{n}", 45, "upper", "moderate") for n in range(4)] + [run("tempo", 40, "tempo")]
    planned = plan(rules, sessions, windows(("07:00", "08:00"), days=("mon", "tue", "wed", "thu", "fri", "sat")))
    assert "medium-hard-smear" not in {penalty.rule for penalty in planned.penalties}
    assert planned.optimal


def test_what_is_done_already_may_exceed_the_limits(rules: TenantRules) -> None:
    done = [at(walk(f"w{hour}", 20), f"2026-03-09T{hour:02}:00:00+01:00") for hour in (7, 9, 12)]
    planned = plan(rules, [run("easy")], windows(("06:00", "21:00"), days=("mon", "tue")), context=done)
    assert starts(planned)["easy"].startswith("2026-03-10")


def test_the_calendar_file_keeps_its_ids_and_its_instants(rules: TenantRules) -> None:
    planned = plan(rules, [lift("squat"), run("easy")], windows(*MORNING_AND_EVENING))
    stamped = datetime(2026, 3, 6, 9, 0, tzinfo=ZoneInfo("UTC"))
    of = CalendarOf("acme", "a1", MONDAY)
    text = as_ics(planned.sessions, of, stamped, {}).decode()
    assert text == as_ics(planned.sessions, of, stamped, {}).decode()
    assert text.count("BEGIN:VEVENT") == 2
    assert "UID:acme/a1/2026-03-09/squat@tandem" in text
    assert text.count("SEQUENCE:0") == text.count("LAST-MODIFIED:20260306T090000Z") == 2
    assert "DTSTAMP:20260306T090000Z" in text
    first = min(one.start for one in planned.sessions).astimezone(ZoneInfo("UTC"))
    assert f"DTSTART:{first:%Y%m%dT%H%M%SZ}" in text
