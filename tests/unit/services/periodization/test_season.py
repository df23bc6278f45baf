"""The settled season, by hand: growth, deloads, tapers, tests, peak mileage and what happens where they meet."""

from datetime import date, timedelta

import pytest

from services.periodization.domain import CoachDeload, Season, SeasonWeek
from shared.messages.values import Profile, WeekTemplate
from shared.rules.decisions import Rules
from tests.unit.services.periodization.seasons import START, TEMPLATE, race, season, strength_test

RACE = race("2026-05-24", distance_km=21.1)  # the Sunday of week 12


def week(planned: Season, number: int) -> SeasonWeek:
    return planned.weeks[number - 1]


def deloads(planned: Season) -> list[int]:
    return [week.number for week in planned.weeks if week.deload]


def days(first: str, count: int, **facts: object) -> dict[date, dict[str, object]]:
    start = date.fromisoformat(first)
    return {start + timedelta(days=offset): dict(facts) for offset in range(count)}


class TestGrowth:
    def test_minutes_grow_six_percent_a_build_week_up_to_130_percent(self, rules: Rules) -> None:
        minutes = [week.run_minutes for week in season(rules, RACE).weeks]
        assert minutes[:3] == pytest.approx([240, 254.4, 269.664])
        assert minutes[4:7] == pytest.approx([285.84384, 302.9944704, 312])
        assert minutes[8:10] == pytest.approx([312, 312])

    def test_without_a_race_minutes_hold(self, rules: Rules) -> None:
        planned = season(rules, strength_test("2026-05-20"))
        assert {week.run_minutes for week in planned.weeks if not week.deload and week.number != 12} == {240.0}

    def test_long_run_grows_with_the_minutes(self, rules: Rules) -> None:
        assert week(season(rules, RACE), 2).long_run_minutes == pytest.approx(95.4)

    def test_a_race_after_the_season_still_pulls(self, rules: Rules) -> None:
        planned = season(rules, race("2026-08-30"))
        assert week(planned, 2).run_minutes == pytest.approx(254.4)
        assert planned.goals[0].standing == "after-season"
        assert not any(week.phase in ("taper", "race") for week in planned.weeks)

    def test_a_race_in_the_week_after_the_season_is_tapered_to(self, rules: Rules) -> None:
        planned = season(rules, race("2026-05-31"))
        assert week(planned, 12).phase == "taper"

    def test_a_race_in_the_past_changes_nothing(self, rules: Rules) -> None:
        planned = season(rules, race("2026-02-22"))
        assert [week.run_minutes for week in planned.weeks] == [week.run_minutes for week in season(rules).weeks]
        assert planned.goals[0].standing == "before-season"

    def test_after_the_last_race_minutes_are_the_templates(self, rules: Rules) -> None:
        planned = season(rules, race("2026-04-05"))
        assert week(planned, 5).phase == "race"
        assert week(planned, 6).phase == "recovery"
        assert week(planned, 7).run_minutes == 240.0

    def test_the_same_week_comes_out_however_many_are_asked_for(self, rules: Rules) -> None:
        assert season(rules, RACE, weeks=5).weeks == season(rules, RACE).weeks[:5]


class TestDeload:
    def test_weeks_4_8_and_12_without_a_race(self, rules: Rules) -> None:
        assert deloads(season(rules)) == [4, 8, 12]

    def test_cuts_sets_by_45_and_minutes_by_25_percent_and_keeps_sessions(self, rules: Rules) -> None:
        fourth = week(season(rules, RACE), 4)
        assert fourth.phase == "deload"
        assert fourth.run_minutes == pytest.approx(0.75 * 269.664)
        assert (fourth.lower_sets, fourth.upper_sets) == (pytest.approx(8.8), pytest.approx(9.9))
        assert fourth.lift_sessions == 3
        assert fourth.reasons == ("planned deload",)
        assert "every-fourth-week" in [decided.rule for decided in fourth.decided_by]

    def test_comes_early_in_the_week_after_its_trigger_and_the_next_four_weeks_later(self, rules: Rules) -> None:
        planned = season(rules, history=days("2026-03-11", 1, acwr_combined=1.6, witnesses=1), on=date(2026, 3, 12))
        assert deloads(planned) == [3, 7, 11]
        assert week(planned, 3).reasons[0].startswith("early deload after 2026-03-11")
        assert "early-on-combined-ratio" in [decided.rule for decided in week(planned, 3).decided_by]

    def test_a_ratio_that_cannot_be_read_triggers_nothing(self, rules: Rules) -> None:
        history = days("2026-03-11", 3, acwr_combined=1.6, witnesses=1, status_combined="provisional")
        assert deloads(season(rules, history=history, on=date(2026, 3, 20))) == [4, 8, 12]

    @pytest.mark.parametrize(("signs", "lasted", "expected"), [
        (2, 3, [4, 8, 12]), (2, 4, [3, 7, 11]), (1, 12, [4, 8, 12]),
    ])  # fmt: skip
    def test_two_signs_have_to_last_four_days(self, rules: Rules, signs: int, lasted: int, expected: list[int]) -> None:
        history = days("2026-03-09", lasted, witnesses=signs, hrv_low=True)
        assert deloads(season(rules, history=history, on=date(2026, 3, 20))) == expected

    @pytest.mark.parametrize(("lasted", "expected"), [(4, [4, 8, 12]), (5, [3, 7, 11])])
    def test_effort_drift_has_to_last_five_days(self, rules: Rules, lasted: int, expected: list[int]) -> None:
        history = days("2026-03-09", lasted, effort_drift=1.5)
        assert deloads(season(rules, history=history, on=date(2026, 3, 20))) == expected

    @pytest.mark.parametrize("stream", ["run", "lift"])
    def test_one_stream_has_to_stay_over_for_three_days(self, rules: Rules, stream: str) -> None:
        short = season(
            rules, history=days("2026-03-09", 2, **{f"acwr_{stream}": 1.6, "witnesses": 1}), on=date(2026, 3, 20)
        )
        long = season(
            rules, history=days("2026-03-09", 3, **{f"acwr_{stream}": 1.6, "witnesses": 1}), on=date(2026, 3, 20)
        )
        assert (deloads(short), deloads(long)) == ([4, 8, 12], [3, 7, 11])

    def test_a_trigger_within_a_deload_asks_for_no_second_one(self, rules: Rules) -> None:
        history = days("2026-03-09", 12, witnesses=2)  # weeks 2 and 3; week 3 is the deload it asks for
        assert deloads(season(rules, history=history, on=date(2026, 3, 30))) == [3, 7, 11]

    def test_a_ratio_alone_deloads_nobody(self, rules: Rules) -> None:
        history = days("2026-03-09", 12, acwr_combined=2.5, acwr_run=3.0, witnesses=0)
        assert deloads(season(rules, history=history, on=date(2026, 3, 30))) == [4, 8, 12]

    def test_days_after_today_are_not_looked_at(self, rules: Rules) -> None:
        assert deloads(
            season(rules, history=days("2026-03-11", 1, acwr_combined=1.6, witnesses=1), on=date(2026, 3, 10))
        ) == [
            4,
            8,
            12,
        ]

    def test_a_trigger_in_the_week_before_the_season_makes_its_first_week_light(self, rules: Rules) -> None:
        planned = season(rules, history=days("2026-02-26", 1, acwr_combined=1.6, witnesses=1))
        assert deloads(planned) == [1, 5, 9]

    def test_a_coach_decides_and_the_clock_starts_again(self, rules: Rules) -> None:
        planned = season(rules, coach_deloads=[CoachDeload(date(2026, 3, 9), 7, "exams")])
        assert deloads(planned) == [2, 6, 10]
        assert week(planned, 2).reasons == ("coach's deload from 2026-03-09: exams",)
        assert [decided.rule for decided in week(planned, 2).decided_by][0] == "coach-asks"

    def test_a_coach_deload_over_two_weeks_makes_the_one_light_that_it_mostly_covers(self, rules: Rules) -> None:
        wednesday = season(rules, coach_deloads=[CoachDeload(date(2026, 3, 11), 7)])
        friday = season(rules, coach_deloads=[CoachDeload(date(2026, 3, 13), 7)])
        assert (deloads(wednesday)[0], deloads(friday)[0]) == (2, 3)

    def test_two_weeks_from_a_coach_are_one_deload_told_once(self, rules: Rules) -> None:
        planned = season(rules, coach_deloads=[CoachDeload(date(2026, 3, 9), 14)])
        assert deloads(planned)[:2] == [2, 3]
        assert [(one.start, one.days) for one in planned.deloads if one.cause == "coach"] == [(date(2026, 3, 9), 14)]


class TestTaper:
    def test_to_an_a_race_two_weeks_with_a_mean_cut_of_half(self, rules: Rules) -> None:
        planned = season(rules, RACE)
        first, last = week(planned, 11), week(planned, 12)
        assert (first.phase, last.phase) == ("taper", "race")
        assert first.run_minutes + last.run_minutes == pytest.approx(312)
        assert first.run_minutes == pytest.approx(312 * 0.6742, rel=1e-3)
        assert (first.lower_sets, first.upper_sets) == (pytest.approx(11.2), pytest.approx(12.6))
        assert (last.lower_sets, last.upper_sets) == (pytest.approx(8.0), pytest.approx(9.0))
        assert first.reasons == ("taper to A race race on 2026-05-24",)

    def test_to_a_b_race_one_week_with_30_percent(self, rules: Rules) -> None:
        planned = season(rules, race("2026-04-05", "B"))
        assert week(planned, 5).run_minutes == pytest.approx(0.7 * 269.664)
        assert week(planned, 5).lower_sets == pytest.approx(0.7 * 16)
        assert week(planned, 5).phase == "race"

    def test_none_to_a_c_race(self, rules: Rules) -> None:
        with_race, without = season(rules, race("2026-05-10", "C")), season(rules, race("2026-06-28", "C"))
        assert week(with_race, 10).run_minutes == week(without, 10).run_minutes

    def test_wins_over_a_deload(self, rules: Rules) -> None:
        planned = season(rules, race("2026-04-26"))  # the Sunday of week 8
        assert deloads(planned) == [4, 12]
        assert [week(planned, number).phase for number in (7, 8)] == ["taper", "race"]

    def test_an_early_trigger_does_not_move_it(self, rules: Rules) -> None:
        planned = season(
            rules, RACE, history=days("2026-05-06", 1, acwr_combined=1.6, witnesses=1), on=date(2026, 5, 7)
        )
        assert week(planned, 11).phase == "taper"
        assert 11 not in deloads(planned)

    def test_a_race_early_in_its_week_is_tapered_to_in_the_weeks_before(self, rules: Rules) -> None:
        planned = season(rules, race("2026-05-18"))  # the Monday of week 12
        assert [week(planned, number).phase for number in (10, 11, 12)] == ["taper", "taper", "race"]
        assert week(planned, 12).run_minutes == week(planned, 11).run_minutes

    def test_two_races_in_a_row_both_count_and_the_stricter_wins(self, rules: Rules) -> None:
        planned = season(rules, race("2026-05-17", id="first"), race("2026-05-24", id="second"))
        assert [week(planned, number).phase for number in (10, 11, 12)] == ["taper", "race", "race"]
        assert week(planned, 11).lower_sets == pytest.approx(8.0)
        assert len(week(planned, 11).reasons) == 2

    def test_the_race_is_the_long_run_of_its_week(self, rules: Rules) -> None:
        assert week(season(rules, RACE), 12).long_run_minutes == 0.0


class TestStrengthTest:
    def test_minutes_down_30_and_sets_down_50_percent(self, rules: Rules) -> None:
        sixth = week(season(rules, strength_test("2026-04-11")), 6)
        assert sixth.run_minutes == pytest.approx(168)
        assert (sixth.lower_sets, sixth.upper_sets) == (8.0, 9.0)
        assert sixth.phase == "peak"
        assert sixth.priority == "strength"
        assert sixth.reasons == ("strength test week, loads kept",)

    def test_in_the_week_of_a_race_the_stricter_of_both_counts(self, rules: Rules) -> None:
        planned = season(rules, RACE, strength_test("2026-05-20"))
        alone = season(rules, RACE)
        assert week(planned, 12).run_minutes == pytest.approx(week(alone, 12).run_minutes)
        assert week(planned, 12).lower_sets == pytest.approx(8.0)


class TestPeakMileage:
    def test_spares_the_legs_and_keeps_upper_sets(self, rules: Rules) -> None:
        planned = season(rules, RACE)
        peaks = [week.number for week in planned.weeks if "peak mileage week" in week.reasons]
        assert peaks == [5, 6, 7, 9, 10]  # 285.8 of 312 is 91.6 %; 269.7 would be 86.4 %
        assert week(planned, 9).lower_sets == pytest.approx(0.6 * 16)
        assert week(planned, 9).upper_sets == 18.0

    def test_there_is_none_where_mileage_does_not_grow(self, rules: Rules) -> None:
        assert all(week.lower_sets == 16.0 for week in season(rules).weeks if not week.deload)


class TestEasyShare:
    def test_mostly_easy_with_three_lifts_and_80_percent_with_two(self, rules: Rules) -> None:
        two = TEMPLATE.model_copy(update={"lifts": 2})
        assert week(season(rules), 1).easy_share == 0.9
        assert week(season(rules, template=two), 1).easy_share == 0.8

    def test_harder_running_is_kept_for_weeks_of_less_lifting(self, rules: Rules) -> None:
        assert week(season(rules, RACE), 9).easy_share == 0.8


class TestPhasesAndPriority:
    def test_a_race_block_goes_from_base_to_race(self, rules: Rules) -> None:
        phases = [week.phase for week in season(rules, RACE).weeks]
        assert phases == [
            *("base", "base", "strength", "deload", "strength", "build"),
            *("build", "deload", "peak", "peak", "taper", "race"),
        ]

    def test_lifting_leads_the_first_half_and_running_the_end(self, rules: Rules) -> None:
        priorities = [week.priority for week in season(rules, RACE).weeks]
        assert priorities[:5] == ["strength"] * 5
        assert priorities[8:] == ["endurance"] * 4

    def test_without_a_goal_the_athletes_own_priority_stays(self, rules: Rules) -> None:
        profile = Profile(timezone="UTC", priority="hypertrophy")
        assert {week.priority for week in season(rules, profile=profile).weeks} == {"hypertrophy"}


class TestOddSeasons:
    def test_no_profile_no_history_one_week(self, rules: Rules) -> None:
        planned = season(rules, profile=None, weeks=1)
        assert len(planned.weeks) == 1
        assert planned.weeks[0].priority == "balanced"

    def test_nothing_to_scale(self, rules: Rules) -> None:
        planned = season(rules, RACE, template=WeekTemplate(run_minutes=0))
        assert {(week.run_minutes, week.lower_sets, week.upper_sets) for week in planned.weeks} == {(0.0, 0.0, 0.0)}

    def test_weeks_begin_on_the_weekday_of_the_start_across_a_leap_day(self, rules: Rules) -> None:
        planned = season(rules, start=date(2028, 2, 24), weeks=3, on=date(2028, 2, 24))
        assert [week.start for week in planned.weeks] == [date(2028, 2, 24), date(2028, 3, 2), date(2028, 3, 9)]

    def test_a_race_on_a_leap_day(self, rules: Rules) -> None:
        planned = season(rules, race("2028-02-29"), start=date(2028, 2, 7), weeks=4, on=date(2028, 2, 7))
        assert planned.goals[0].week == 4

    def test_a_goal_in_a_far_century_is_listed_and_shapes_nothing(self, rules: Rules) -> None:
        planned = season(rules, race("2190-12-31"))
        assert planned.weeks == season(rules).weeks
        assert planned.goals[0].standing == "after-season"

    def test_a_season_of_no_weeks_is_refused(self, rules: Rules) -> None:
        with pytest.raises(ValueError, match="at least one week"):
            season(rules, weeks=0)

    def test_json_has_the_contracts_fields(self, rules: Rules) -> None:
        answer = season(rules, RACE).as_json()
        contract = {
            *("number", "start", "phase", "deload", "reasons", "run_minutes", "easy_share", "lift_sessions"),
            *("lower_sets", "upper_sets", "long_run_minutes", "priority"),
        }
        assert contract <= set(answer["weeks"][0])
        assert answer["weeks"][0]["start"] == START.isoformat()
        assert answer["goals"][0]["class"] == "A"
        assert answer["goals"][0]["week"] == 12
        assert {decided["pack"] for decided in answer["decided_by"]} == {"base.deload", "base.periodization"}
