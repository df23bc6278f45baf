"""A week's targets as sessions: nothing lost, nothing made up, ids that stay, and a calendar that can be kept."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from services.periodization.domain import SeasonWeek, fill_week
from services.scheduling.domain.placing.planning import plan_week
from services.scheduling.domain.week_plan import WeekInputs
from shared.contract.words import Level, Priority
from shared.messages.values import Goal, Limits, PlannedSession, Profile, WeekTemplate
from shared.rules.decisions import Rules
from tests.unit.services.periodization.seasons import race, season, strength_test

BERLIN = Profile(timezone="Europe/Berlin")
HALF = race("2026-05-24", distance_km=21.1)


def runs(sessions: tuple[PlannedSession, ...], *types: str) -> list[PlannedSession]:
    return [one for one in sessions if one.kind == "run" and one.type != "race" and (not types or one.type in types)]


def lifts(sessions: tuple[PlannedSession, ...]) -> list[PlannedSession]:
    return [one for one in sessions if one.kind == "lift"]


def filled(
    rules: Rules, number: int, *goals: Goal, profile: Profile = BERLIN, **changed: object
) -> tuple[SeasonWeek, tuple[PlannedSession, ...]]:
    week = season(rules, *goals, profile=profile, **changed).weeks[number - 1]
    return week, fill_week(week, profile, goals, rules)


@pytest.mark.parametrize("number", range(1, 13))
def test_runs_make_the_weeks_minutes_and_keep_the_easy_share(rules: Rules, number: int) -> None:
    week, sessions = filled(rules, number, HALF)
    total = sum(run.duration_min for run in runs(sessions))
    hard = sum(run.duration_min for run in runs(sessions, "tempo", "threshold", "intervals", "hills"))
    assert total == round(week.run_minutes)
    assert hard <= (1 - week.easy_share) * total + 1e-6
    long = sum(run.duration_min for run in runs(sessions, "long"))
    assert abs(long - week.long_run_minutes) <= 2.5
    assert sum(run.duration_min % 5 != 0 for run in runs(sessions)) <= 1
    assert all(lift.duration_min % 5 == 0 for lift in lifts(sessions))


def test_the_contracts_first_week(rules: Rules) -> None:
    _, sessions = filled(rules, 1)
    assert {session.id: session.duration_min for session in sessions} == {
        "2026-03-02.lower-lift": 45,  # 10 + 16 · 2/3 · 3.5 = 47.3
        "2026-03-02.upper-lift": 50,  # 10 + 18 · 2/3 · 3.5 = 52
        "2026-03-02.full-lift": 45,  # 10 + (16 + 18)/3 · 3 = 44
        "2026-03-02.long-run": 90,
        "2026-03-02.quality-run": 20,  # a tenth of 240, down to a mark
        "2026-03-02.easy-run": 45,
        "2026-03-02.easy-run-2": 45,
        "2026-03-02.easy-run-3": 40,
    }


def test_beginners_train_the_whole_body_and_never_heavy(rules: Rules) -> None:
    beginner = Profile(timezone="UTC", level="beginner")
    _, sessions = filled(rules, 1, profile=beginner)
    assert {(lift.region, lift.effort) for lift in lifts(sessions)} == {("full", "moderate")}


def test_four_lifts_take_turns_between_lower_and_upper(rules: Rules) -> None:
    template = WeekTemplate(run_minutes=120, lifts=4, lower_sets=16, upper_sets=16)
    _, sessions = filled(rules, 1, template=template)
    assert [lift.region for lift in lifts(sessions)] == ["lower", "upper", "lower", "upper"]


def test_one_lift_holds_both_halves(rules: Rules) -> None:
    _, sessions = filled(rules, 1, template=WeekTemplate(run_minutes=120, lifts=1, lower_sets=8, upper_sets=8))
    assert [lift.region for lift in lifts(sessions)] == ["full"]


@pytest.mark.parametrize(("minutes", "expected"), [(0, 0), (9, 0), (12, 12), (25, 25)])
def test_few_minutes_are_one_run_or_none(rules: Rules, minutes: int, expected: int) -> None:
    _, sessions = filled(rules, 1, template=WeekTemplate(run_minutes=minutes))
    assert [run.duration_min for run in runs(sessions)] == ([expected] if expected else [])


def test_many_minutes_are_cut_into_no_more_runs_than_a_week_can_hold(rules: Rules) -> None:
    template = WeekTemplate(
        run_minutes=1200, long_run_minutes=150, quality_runs=2, lifts=4, lower_sets=20, upper_sets=20
    )
    _, sessions = filled(rules, 1, template=template)
    assert len(sessions) == 10
    assert sum(run.duration_min for run in runs(sessions)) == 1200


class TestGoals:
    def test_a_race_is_a_key_run_on_its_date_as_long_as_its_target(self, rules: Rules) -> None:
        goal = race("2026-05-24", target_time_s=6300, distance_km=21.1)
        _, sessions = filled(rules, 12, goal)
        run = next(one for one in sessions if one.type == "race")
        assert run.id == "2026-05-24.race.race"
        assert run.key
        assert run.duration_min == 105
        assert run.start == datetime(2026, 5, 24, 9, tzinfo=ZoneInfo("Europe/Berlin"))

    @pytest.mark.parametrize(
        ("pace_s_per_km", "minutes"),
        [(None, 115), (240.0, 86)],  # 52 min · 2.11^1.06; 60 min · (21.1/15)^1.06
    )
    def test_without_a_target_time_riegel_estimates(
        self, rules: Rules, pace_s_per_km: float | None, minutes: float
    ) -> None:
        profile = Profile(timezone="Europe/Berlin", threshold_pace_s_per_km=pace_s_per_km)
        _, sessions = filled(rules, 12, HALF, profile=profile)
        assert next(one for one in sessions if one.type == "race").duration_min == minutes

    def test_a_race_stands_in_for_a_quality_run(self, rules: Rules) -> None:
        _, sessions = filled(rules, 10, race("2026-05-10", "C", distance_km=5))
        assert runs(sessions, "tempo", "threshold", "intervals", "hills") == []

    def test_no_heavy_legs_in_the_week_of_a_race(self, rules: Rules) -> None:
        _, sessions = filled(rules, 12, HALF)
        assert {lift.effort for lift in lifts(sessions) if lift.region != "upper"} <= {"light", "moderate"}

    @pytest.mark.parametrize(
        ("lift", "region"),
        [("back-squat", "lower"), ("Bench_Press", "upper"), ("leg-press", "lower"), ("yoke", "full")],
    )
    def test_a_strength_test_is_a_max_lift_of_its_region(self, rules: Rules, lift: str, region: str) -> None:
        _, sessions = filled(rules, 6, strength_test("2026-04-11", lift=lift))
        test = next(one for one in sessions if one.effort == "max")
        assert (test.region, test.key, test.id) == (region, True, "2026-04-11.strength.test")

    def test_it_takes_the_place_of_a_lift(self, rules: Rules) -> None:
        week, sessions = filled(rules, 6, strength_test("2026-04-11", lift="squat"))
        assert len(lifts(sessions)) == week.lift_sessions


def test_the_same_targets_give_the_same_ids(rules: Rules) -> None:
    assert filled(rules, 3, HALF)[1] == filled(rules, 3, HALF)[1]


@pytest.mark.parametrize(
    ("level", "priority", "number"),
    [
        ("beginner", "strength", 1),
        ("beginner", "balanced", 12),
        ("intermediate", "strength", 10),
        ("intermediate", "endurance", 12),
        ("advanced", "strength", 1),
        ("advanced", "hypertrophy", 4),
    ],
)
def test_weeks_of_every_level_can_be_placed(rules: Rules, level: Level, priority: Priority, number: int) -> None:
    profile = Profile(timezone="Europe/Berlin", level=level, priority=priority)
    week, sessions = filled(rules, number, HALF, profile=profile)
    inputs = WeekInputs(
        week_start=week.start,
        sessions=sessions,
        zone=profile.zone,
        windows=None,
        limits=Limits(),
        profile=profile.model_copy(update={"phase": week.phase}),
        context=(),
    )
    placed = plan_week(inputs, rules).as_json()
    assert placed["status"] == "planned", placed["conflict"]
    assert {session["id"] for session in placed["sessions"]} == {session.id for session in sessions}
