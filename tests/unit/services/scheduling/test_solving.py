"""Days and times solved apart cost what the whole week solved at once costs."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scheduling.domain.calendar import entry_of, local_time
from services.scheduling.domain.checking.check import check_week
from services.scheduling.domain.placing import pair_costs
from services.scheduling.domain.placing.attempting import pose
from services.scheduling.domain.placing.budget import Budget
from services.scheduling.domain.placing.pair_costs import PairTables
from services.scheduling.domain.placing.placement import Placement, PlacementProblem
from services.scheduling.domain.placing.planning import ask
from services.scheduling.domain.placing.preferences import POINT, Preferences, preference_cost
from services.scheduling.domain.placing.solving import best_placement
from services.scheduling.domain.week_plan import WeekInputs
from shared.messages.values import Limits, PlannedSession, Profile, Window
from shared.rules.evaluation.tenant_rules import TenantRules
from tests.unit.services.scheduling.calendars import PRIORITIES, at, lift, run, weeks, windows

MONDAY = date(2026, 3, 9)
TIMES = windows(("06:30", "08:30"), ("17:00", "20:00"), days=("mon", "tue", "thu", "sat"))
SOME_WEEKS = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def cost(problem: PlacementProblem, placed: Placement, inputs: WeekInputs, rules: TenantRules) -> int:
    """What a placement costs by the rules' own verdict."""
    who = inputs.profile or Profile(timezone=inputs.zone.key)
    calendar = [
        at(piece.session, local_time(int(piece.starts[placed.chosen[piece.id]]), inputs.zone))
        for piece in problem.pieces
    ]
    verdict = check_week(calendar, who, rules, problem.limits)
    assert verdict.violations == ()
    wishes = Preferences.from_settings(rules.settings("sequencing"), who.day_strategy)
    penalties = round(sum(warning.penalty for warning in verdict.warnings) * POINT)
    return penalties + preference_cost([entry_of(session, inputs.zone) for session in calendar], wishes)


def both_ways(
    rules: TenantRules, sessions: list[PlannedSession], times: list[Window], who: Profile
) -> list[int | None]:
    inputs = WeekInputs(MONDAY, sessions, who.zone, times, Limits(max_sessions_per_day=2, min_rest_days=3), who)
    settled = rules.settings("sequencing")
    problem = pose(ask(inputs, rules), False, Budget(20.0))
    wishes = Preferences.from_settings(settled, who.day_strategy)
    found: list[int | None] = []
    for max_cuts in (60, 0):
        placed = best_placement(problem, wishes, (), PairTables(Budget(20.0)), max_cuts)
        assert placed is None or placed.optimal
        found.append(None if placed is None else cost(problem, placed, inputs, rules))
    return found


@SOME_WEEKS
@given(sessions=weeks(6), priority=st.sampled_from(PRIORITIES), strategy=st.sampled_from(("spread", "cluster", None)))
def test_both_ways_of_solving_cost_the_same(
    rules: TenantRules, sessions: list[PlannedSession], priority: Any, strategy: Any
) -> None:
    who = Profile(timezone="Europe/Berlin", priority=priority, day_strategy=strategy)
    apart, at_once = both_ways(rules, sessions, TIMES, who)
    assert apart == at_once


def test_days_that_fit_in_twos_but_not_in_threes_are_cut(rules: TenantRules) -> None:
    # On two short days each two of these find times; the three that a day would hold do not.
    sessions = [lift("squat"), run("long", 95, "long"), run("fast", 40, "intervals"), lift("press", region="upper")]
    times = windows(("06:00", "09:00"), ("18:00", "20:00"), days=("mon", "tue", "wed"))
    who = Profile(timezone="Europe/Berlin")
    apart, at_once = both_ways(rules, sessions, times, who)
    assert apart == at_once


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_few_strained_rules_cost_what_many_would(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = np.random.default_rng(count)
    refused = drawn.random((30, 40)) < 0.2
    strained = [drawn.random((30, 40)) < 0.3 for _ in range(count)]
    penalties = [10_000 * number for number in (3, 5, 3, 8, 1)][:count]
    summed = sum((matrix * points for matrix, points in zip(strained, penalties, strict=True)), 0 * refused)
    for bits in (pair_costs._MAX_BITS, -1):
        monkeypatch.setattr(pair_costs, "_MAX_BITS", bits)
        ranks, costs = pair_costs._ranked(refused, strained, penalties)
        assert list(costs) == sorted(set(costs)) and costs[0] == 0
        assert (costs[ranks] == np.where(refused, pair_costs.REFUSED, summed)).all()
