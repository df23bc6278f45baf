"""A week costs at most its budget of work, says what was left undone, and says the same on every machine."""

import resource
import time
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.scheduling.weeks import ALL_DAY, Case, again
from services.scheduling.domain.placing.budget import WEEK_SECONDS
from services.scheduling.domain.placing.planning import OutOfTime, plan_week
from services.scheduling.domain.week_plan import WeekInputs
from shared.messages.values import Limits, PlannedSession
from shared.ops.heavy_work import HeavyLimits
from shared.ops.settings import Settings
from shared.rules.evaluation.tenant_rules import TenantRules

RUNS, REGIONS, EFFORTS = (
    ("easy", "tempo", "intervals", "long"),
    ("upper", "lower", "full"),
    ("heavy", "light", "moderate", "max"),
)
FULL = Case("", again(20), ALL_DAY, Limits()).inputs


def mixed(count: int) -> WeekInputs:
    """All sorts of sessions, ten a day: a search without end."""
    sessions = [
        PlannedSession.model_validate(
            {"id": f"s{n}", "duration_min": 20 + n}
            | (
                {"kind": "run", "type": RUNS[n % 4]}
                if n % 2
                else {"kind": "lift", "region": REGIONS[n % 3], "effort": EFFORTS[n % 4]}
            )
        )
        for n in range(count)
    ]
    return Case("", sessions, ALL_DAY, Limits(max_sessions_per_day=10, min_rest_days=0)).inputs


def test_the_best_calendar_so_far_is_given_and_says_that_it_is_not_proved(rules: TenantRules) -> None:
    planned = plan_week(mixed(30), rules)
    told = planned.as_json()
    assert planned.status == "planned" and not planned.optimal and len(planned.sessions) == 30
    assert told["budget"]["code"] == "not_proved" and "no hard rule is broken" in told["budget"]["text"]
    assert plan_week(mixed(30), rules).as_json() == told


@pytest.mark.parametrize("budget_s", [4.0, 0.001])
def test_a_week_without_end_is_undecided_in_bounded_time_and_memory(rules: TenantRules, budget_s: float) -> None:
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    planned = plan_week(mixed(60), rules, budget_s=budget_s)
    assert planned.status == "undecided" and planned.sessions == () and planned.conflict == ()
    assert planned.as_json()["budget"]["code"] == "undecided"
    assert time.process_time() - began < 15  # it was 62 s
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # kilobytes; it was 1.5 GB


def test_an_explanation_that_is_not_finished_holds_all_that_may_matter_and_says_so(rules: TenantRules) -> None:
    whole, hurried = (plan_week(FULL, rules, budget_s=budget_s) for budget_s in (4.0, 0.2))
    assert whole.status == hurried.status == "infeasible" and "budget" not in whole.as_json()
    assert hurried.as_json()["budget"]["code"] == "not_minimal"
    assert len(hurried.conflict) > len(whole.conflict)
    assert hurried.suggestions


def test_a_small_week_never_hears_of_budgets(rules: TenantRules) -> None:
    seven = replace(FULL, sessions=FULL.sessions[:7])
    assert "budget" not in plan_week(seven, rules).as_json()


def test_work_that_was_ended_from_outside_is_undecided_and_not_another_calendar(rules: TenantRules) -> None:
    def ended(*_: Any) -> Any:
        raise OutOfTime

    planned = plan_week(FULL, rules, ended)
    assert planned.status == "undecided"
    assert planned.as_json()["budget"]["code"] == "out_of_time"


def test_a_service_plans_what_the_command_plans() -> None:
    assert Settings().planning_week_seconds == HeavyLimits().budget_s == WEEK_SECONDS
