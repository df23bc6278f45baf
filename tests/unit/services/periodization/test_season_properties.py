"""What holds for every season, whatever the goals, the history and the coach."""

from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.periodization.domain import CoachDeload, SeasonInputs, fill_week, plan_season
from shared.contract.words import Level, Priority
from shared.messages.values import Goal, Profile, WeekTemplate
from shared.rules.decisions import Rules
from shared.rules.model import Facts

START = date(2028, 1, 3)  # a leap year lies ahead
A_TAPER_WEEKS = 2
TRAINING = ("base", "strength", "build", "peak")

days = st.integers(-30, 300).map(lambda offset: START + timedelta(days=offset))
goals = st.lists(
    st.builds(
        lambda kind, goal_class, day: {"kind": kind, "class": goal_class, "date": day},
        st.sampled_from(["race", "strength"]),
        st.sampled_from(["A", "B", "C"]),
        days,
    ),
    max_size=5,
).map(lambda found: [Goal.model_validate({"id": f"g{place}", **one}) for place, one in enumerate(found)])
templates = st.builds(
    WeekTemplate,
    run_minutes=st.floats(0, 900),
    long_run_minutes=st.floats(0, 240),
    quality_runs=st.integers(0, 3),
    lifts=st.integers(0, 7),
    lower_sets=st.floats(0, 60),
    upper_sets=st.floats(0, 60),
)
profiles = st.builds(
    lambda level, priority: Profile(timezone="Pacific/Auckland", level=level, priority=priority),
    st.sampled_from(Level.__args__),  # type: ignore[attr-defined]
    st.sampled_from(Priority.__args__),  # type: ignore[attr-defined]
)
histories = st.dictionaries(
    days,
    st.fixed_dictionaries({"acwr_combined": st.none() | st.floats(0, 3), "hrv_low": st.none() | st.booleans()}),
    max_size=40,
)
seasons = st.builds(
    SeasonInputs,
    start=st.integers(0, 6).map(lambda offset: START + timedelta(days=offset)),
    weeks=st.integers(1, 40),
    template=templates,
    goals=goals,
    profile=profiles,
    history=histories,
    coach_deloads=st.lists(st.builds(CoachDeload, start=days, days=st.integers(1, 21)), max_size=2),
    on=days,
)
thorough = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@thorough
@given(inputs=seasons)
def test_targets_are_never_negative_nor_more_than_the_ceiling(rules: Rules, inputs: SeasonInputs) -> None:
    for week in plan_season(inputs, rules).weeks:
        assert 0 <= week.run_minutes <= 1.3 * inputs.template.run_minutes + 1e-9
        assert 0 <= week.long_run_minutes <= week.run_minutes
        assert 0 <= week.lower_sets <= inputs.template.lower_sets
        assert 0 <= week.upper_sets <= inputs.template.upper_sets
        assert 0.8 <= week.easy_share <= 1
        assert week.deload == (week.phase == "deload")


@thorough
@given(inputs=seasons)
def test_never_four_training_weeks_in_a_row(rules: Rules, inputs: SeasonInputs) -> None:
    trained = 0
    for week in plan_season(inputs, rules).weeks:
        trained = trained + 1 if week.phase in TRAINING else 0
        assert trained <= 3


@thorough
@given(inputs=seasons)
def test_no_two_deloads_in_a_row_unless_a_coach_says_so(rules: Rules, inputs: SeasonInputs) -> None:
    weeks = plan_season(inputs, rules).weeks
    for before, after in zip(weeks, weeks[1:], strict=False):
        if before.deload and after.deload:
            assert any("coach" in reason for reason in (*before.reasons, *after.reasons))


@thorough
@given(inputs=seasons)
def test_every_a_race_is_tapered_to(rules: Rules, inputs: SeasonInputs) -> None:
    weeks = plan_season(inputs, rules).weeks
    for race in (goal for goal in inputs.goals if goal.kind == "race" and goal.goal_class == "A"):
        index = (race.date - inputs.start).days // 7
        for before in range(A_TAPER_WEEKS):
            if 0 <= index - before < len(weeks):
                light = weeks[index - before]
                assert light.phase in ("taper", "race")
                assert light.run_minutes <= 0.68 * 1.3 * inputs.template.run_minutes + 1e-9
                assert light.lower_sets <= 0.7 * inputs.template.lower_sets + 1e-9


@thorough
@given(inputs=seasons)
def test_minutes_never_grow_by_more_than_six_percent_between_training_weeks(rules: Rules, inputs: SeasonInputs) -> None:
    tests = {(goal.date - inputs.start).days // 7 for goal in inputs.goals if goal.kind == "strength"}
    before = None
    for week in plan_season(inputs, rules).weeks:
        if week.phase in TRAINING and week.number - 1 not in tests:
            assert before is None or week.run_minutes <= before * 1.06 + 1e-9
            before = week.run_minutes


@thorough
@given(inputs=seasons)
def test_the_same_week_comes_out_however_many_are_asked_for(rules: Rules, inputs: SeasonInputs) -> None:
    longer = SeasonInputs(
        inputs.start,
        inputs.weeks + 9,
        inputs.template,
        inputs.goals,
        inputs.profile,
        inputs.history,
        inputs.coach_deloads,
        inputs.on,
    )
    assert plan_season(longer, rules).weeks[: inputs.weeks] == plan_season(inputs, rules).weeks


@thorough
@given(inputs=seasons, number=st.integers(0, 39))
def test_filled_weeks_lose_no_minute_and_name_each_session_once(
    rules: Rules, inputs: SeasonInputs, number: int
) -> None:
    weeks = plan_season(inputs, rules).weeks
    week = weeks[number % len(weeks)]
    sessions = fill_week(week, inputs.profile, inputs.goals, rules)
    runs = [one.duration_min for one in sessions if one.kind == "run" and one.type != "race"]
    assert sum(runs) == (round(week.run_minutes) if round(week.run_minutes) >= 10 else 0)
    assert len({session.id for session in sessions}) == len(sessions)
    for goal in inputs.goals:
        named = [session for session in sessions if session.id.endswith(f".{goal.kind}.{goal.id}")]
        assert len(named) == (1 if week.start <= goal.date < week.end else 0)


def test_facts_of_any_name_are_taken(rules: Rules) -> None:
    history: dict[date, Facts] = {START: {"state": "sick", "nobody_knows_this": 3.0}}
    inputs = SeasonInputs(START, 4, WeekTemplate(run_minutes=100), (), None, history, (), START)
    assert len(plan_season(inputs, rules).weeks) == 4
