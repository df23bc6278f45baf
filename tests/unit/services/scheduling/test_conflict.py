"""Weeks that cannot be placed: the conflict really cannot hold, and without any one member it can."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import pytest

from services.scheduling.domain.placing.planning import plan_week
from services.scheduling.domain.week_plan import ConflictMember, WeekInputs, WeekPlan
from shared.messages.values import Limits, PlannedSession, Profile, Window
from shared.rules.model import Rule
from tests.unit.services.scheduling.calendars import at, lift, run, windows
from tests.unit.services.scheduling.hand_rules import HandRules, leaf, pair_rule

MONDAY = date(2026, 3, 9)
WHO = Profile(timezone="Europe/Berlin")
LIFT_THEN_RUN = pair_rule("day-apart", [leaf("first_kind", "lift")], [leaf("then_kind", "run")], 24)
RUN_THEN_LIFT = pair_rule("day-apart-back", [leaf("first_kind", "run")], [leaf("then_kind", "lift")], 24)
TWO_LIFTS = pair_rule("lifts-apart", [leaf("first_kind", "lift")], [leaf("then_kind", "lift")], 48)
RULES = (LIFT_THEN_RUN, RUN_THEN_LIFT, TWO_LIFTS)
MORNING = (("07:00", "08:00"),)


def plan(
    rules: Sequence[Rule],
    sessions: Sequence[PlannedSession],
    times: Sequence[Window] | None,
    limits: Limits,
    context: Sequence[PlannedSession] = (),
) -> WeekPlan:
    return plan_week(WeekInputs(MONDAY, sessions, WHO.zone, times, limits, WHO, context), HandRules(*rules))


def only(
    members: Collection[ConflictMember],
    sessions: Sequence[PlannedSession],
    times: Sequence[Window] | None,
    limits: Limits,
    context: Sequence[PlannedSession],
) -> WeekPlan:
    """The week with nothing in force but these members."""
    named: dict[str, set[str]] = {}
    for member in members:
        named.setdefault(member.kind, set()).add(member.id)
    on = named.get("limit", set())
    return plan(
        [rule for rule in RULES if rule.id in named.get("rule", set())],
        [s for s in sessions if s.id in named.get("fixed" if s.start else "session", set())],
        times if "availability" in named else windows(("00:00", "24:00")),
        Limits(
            max_sessions_per_day=limits.max_sessions_per_day if "max_sessions_per_day" in on else 10,
            min_rest_days=limits.min_rest_days if "min_rest_days" in on else 0,
        ),
        [s for s in context if s.id in named.get("context", set())],
    )


FREE = Limits(max_sessions_per_day=10, min_rest_days=0)
CASES: dict[str, tuple[list[PlannedSession], list[Window] | None, Limits, list[PlannedSession], set[str]]] = {
    "two fixed sessions too near": (
        [
            at(lift("squat"), "2026-03-10T07:00:00+01:00"),
            at(run("easy"), "2026-03-10T18:00:00+01:00"),
            run("other"),
            lift("later"),
        ],
        None,
        Limits(),
        [],
        {"squat", "easy", "day-apart"},
    ),
    "a session longer than any window": (
        [run("long", 100, "long"), lift("squat")],
        windows(*MORNING),
        FREE,
        [],
        {"long", "availability"},
    ),
    "no time at all": ([run("easy")], [], FREE, [], {"easy", "availability"}),
    "more sessions than days": (
        [run(f"r{n}") for n in range(4)],
        windows(("06:00", "21:00")),
        Limits(max_sessions_per_day=1, min_rest_days=4),
        [],
        {"r0", "r1", "r2", "r3", "max_sessions_per_day", "min_rest_days"},
    ),
    "a session done last night": (
        [run("easy")],
        windows(("07:00", "08:00"), days=("mon",)),
        FREE,
        [at(lift("squat"), "2026-03-08T19:00:00+01:00")],
        {"easy", "squat", "day-apart", "availability"},
    ),
    "three lifts in too few days": (
        [lift("a"), lift("b"), lift("c"), run("easy")],
        windows(*MORNING, days=("mon", "tue", "wed", "thu")),
        FREE,
        [],
        {"a", "b", "c", "lifts-apart", "availability"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_conflict_is_minimal(case: str) -> None:
    sessions, times, limits, context, expected = CASES[case]
    planned = plan(RULES, sessions, times, limits, context)
    assert planned.status == "infeasible"
    assert planned.sessions == ()
    assert {member.id for member in planned.conflict} == expected
    assert only(planned.conflict, sessions, times, limits, context).status == "infeasible"
    for left_out in planned.conflict:
        rest = [member for member in planned.conflict if member != left_out]
        assert only(rest, sessions, times, limits, context).status == "planned", left_out


def test_each_member_and_each_suggestion_speaks_to_a_person() -> None:
    sessions, times, limits, context, _ = CASES["two fixed sessions too near"]
    document: dict[str, Any] = plan(RULES, sessions, times, limits, context).as_json()
    assert [member["kind"] for member in document["conflict"]] == ["fixed", "fixed", "rule"]
    assert "is fixed at Tue 2026-03-10 18:00" in document["conflict"][0]["message"]
    assert any("let the planner place it" in line for line in document["suggestions"])
    assert any("day-apart" in line for line in document["suggestions"])
    assert [decided["rule"] for decided in document["decided_by"]] == ["day-apart"]


def test_a_window_too_short_is_named_with_the_length_needed() -> None:
    sessions, times, limits, context, _ = CASES["a session longer than any window"]
    planned = plan(RULES, sessions, times, limits, context)
    assert any("at least 1 h 40 min" in line and "'long'" in line for line in planned.suggestions)
