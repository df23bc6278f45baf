"""Verdicts on proposed calendars: the settled figures, the way out, and what must not matter."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scheduling.domain.checking.check import check_week, nearest_legal_start
from services.scheduling.domain.checking.verdict import Verdict
from shared.messages.validation import InvalidInput
from shared.messages.values import Limits, PlannedSession, Profile
from shared.rules.evaluation.tenant_rules import TenantRules
from tests.independent_checker import broken
from tests.unit.services.scheduling.calendars import PRIORITIES, at, lift, plain, run, tagged_sessions, walk, windows

BERLIN = ZoneInfo("Europe/Berlin")
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def athlete(priority: Any = "balanced", **more: Any) -> Profile:
    return Profile(timezone="Europe/Berlin", priority=priority, **more)


def judge(rules: TenantRules, *sessions: PlannedSession, priority: str = "balanced", **more: Any) -> Verdict:
    return check_week(sessions, athlete(priority), rules, **more)


def refused_by(verdict: Verdict) -> list[str]:
    return [finding.rule for finding in verdict.violations]


def test_a_violation_says_what_was_measured_and_where_to_go(rules: TenantRules) -> None:
    verdict = judge(
        rules, at(lift("squat"), "2026-03-13T18:00:00+01:00"), at(run("long", 100, "long"), "2026-03-14T08:00:00+01:00")
    )
    assert verdict.verdict == "refused"
    (violation,) = verdict.as_json()["violations"]
    assert violation["rule"] == "heavy-lower-near-long-run"
    assert violation["severity"] == "hard"
    assert violation["sessions"] == ["squat", "long"]
    assert (violation["measured"], violation["limit"]) == ({"gap_hours": 13.0}, {"gap_hours": 24.0})
    assert violation["nearest_legal_start"] == {"session": "long", "start": "2026-03-14T19:00:00+01:00"}
    assert violation["source"]
    assert {decided.rule for decided in verdict.decided_by} >= {"heavy-lower-near-long-run"}


def test_exactly_the_limit_is_kept(rules: TenantRules) -> None:
    friday = at(lift("squat"), "2026-03-13T07:00:00+01:00")
    assert judge(rules, friday, at(run("long", 100, "long"), "2026-03-14T08:00:00+01:00")).verdict == "accepted"
    assert judge(rules, friday, at(run("long", 100, "long"), "2026-03-14T07:59:00+01:00")).verdict == "refused"


def test_gaps_are_elapsed_time_when_the_clocks_change(rules: TenantRules) -> None:
    # From Saturday 08:00 to Sunday 08:00 only 23 hours pass in the night of 29 March.
    saturday = at(lift("squat"), "2026-03-28T07:00:00+01:00")
    verdict = judge(rules, saturday, at(run("long", 100, "long"), "2026-03-29T08:00:00+02:00"))
    (violation,) = verdict.violations
    assert violation.measured == {"gap_hours": 23.0}
    assert violation.nearest_legal_start is not None
    assert violation.nearest_legal_start.start.isoformat() == "2026-03-29T09:00:00+02:00"


def test_over_midnight_and_over_the_weeks_edge(rules: TenantRules) -> None:
    sunday = at(lift("squat", effort="moderate"), "2026-03-15T21:00:00+01:00")
    assert refused_by(judge(rules, sunday, at(run("easy"), "2026-03-16T03:59:00+01:00"))) == ["lift-run-gap"]


def test_overlap_is_a_violation_not_bad_input(rules: TenantRules) -> None:
    verdict = judge(
        rules, at(walk("a", 60), "2026-03-10T07:00:00+01:00"), at(walk("b", 60), "2026-03-10T07:30:00+01:00")
    )
    (violation,) = verdict.violations
    assert (violation.rule, violation.measured) == ("overlap", {"gap_hours": -0.5})
    assert violation.nearest_legal_start is not None
    assert violation.nearest_legal_start.start.isoformat() == "2026-03-10T08:00:00+01:00"


@pytest.mark.parametrize(
    ("priority", "minutes", "verdict", "warned"),
    [
        ("strength", 15, "accepted", False),
        ("strength", 16, "accepted", True),
        ("strength", 20, "accepted", True),
        ("strength", 21, "refused", False),
        ("balanced", 20, "accepted", False),
        ("balanced", 30, "accepted", True),
        ("balanced", 31, "refused", False),
        ("endurance", 30, "accepted", False),
        ("endurance", 31, "refused", False),
    ],
)
def test_the_stacked_runs_cap_follows_the_priority(
    rules: TenantRules, priority: str, minutes: int, verdict: str, warned: bool
) -> None:
    judged = judge(
        rules,
        at(lift("squat"), "2026-03-10T07:00:00+01:00"),
        at(run("easy", minutes), "2026-03-10T08:00:00+01:00"),
        priority=priority,
    )
    assert judged.verdict == verdict
    assert any(w.rule.startswith("stacked-run-length") for w in judged.warnings) is warned


def test_day_and_week_limits(rules: TenantRules) -> None:
    day = [at(walk(f"w{hour}", 20), f"2026-03-10T{hour:02}:00:00+01:00") for hour in (7, 12, 18)]
    verdict = judge(rules, *day, limits=Limits(max_sessions_per_day=2, min_rest_days=0))
    (violation,) = verdict.violations
    assert (violation.measured, violation.limit) == ({"sessions_per_day": 3}, {"sessions_per_day": 2})
    assert violation.nearest_legal_start is not None
    assert violation.nearest_legal_start.start.isoformat() == "2026-03-11T00:00:00+01:00"
    week = [at(walk(f"d{day}", 20), f"2026-03-{day:02}T07:00:00+01:00") for day in range(9, 16)]
    (violation,) = judge(rules, *week, limits=Limits(min_rest_days=1)).violations
    assert (violation.rule, violation.measured) == ("rest-days", {"rest_days": 0})
    assert violation.nearest_legal_start is not None
    assert violation.nearest_legal_start.start.isoformat() == "2026-03-14T23:59:00+01:00"
    assert judge(rules, *week).verdict == "accepted"


def test_what_is_settled_counts_but_is_not_judged(rules: TenantRules) -> None:
    squat = at(lift("squat"), "2026-03-13T18:00:00+01:00")
    long = at(run("long", 100, "long"), "2026-03-14T08:00:00+01:00")
    assert judge(rules, context=[squat, long]).verdict == "accepted"
    verdict = judge(rules, long, context=[squat])
    assert refused_by(verdict) == ["heavy-lower-near-long-run"]


def test_an_untagged_session_gets_no_exception_and_says_so(rules: TenantRules) -> None:
    verdict = judge(
        rules,
        at(PlannedSession(id="gym", kind="lift", duration_min=60), "2026-03-10T07:00:00+01:00"),
        at(run("easy", 60), "2026-03-10T09:00:00+01:00"),
    )
    assert refused_by(verdict) == ["lift-run-gap"]
    assert any("'gym' has no region" in note for note in verdict.notes)


def test_sessions_need_starts_and_ids_of_their_own(rules: TenantRules) -> None:
    with pytest.raises(InvalidInput) as error:
        judge(rules, run("a"), at(run("b"), "2026-03-10T07:00:00+01:00"), at(run("b"), "2026-03-11T07:00:00+01:00"))
    assert [problem.pointer for problem in error.value.problems] == ["/sessions/0/start", "/sessions/2/id"]


def test_the_way_out_stays_inside_the_availability(rules: TenantRules) -> None:
    squat = at(lift("squat"), "2026-03-13T18:00:00+01:00")
    long = at(run("long", 100, "long"), "2026-03-14T08:00:00+01:00")
    mornings = windows(("06:00", "09:00"))
    nearest = nearest_legal_start("long", [squat, long], athlete(), rules, windows=mornings)
    assert nearest is not None
    assert nearest.start.isoformat() == "2026-03-15T06:00:00+01:00"
    assert nearest_legal_start("long", [squat, long], athlete(), rules, windows=[]) is None


calendars = st.integers(2, 6).flatmap(
    lambda count: st.tuples(*(st.tuples(tagged_sessions(f"s{i}"), st.integers(0, 14 * 24 * 4)) for i in range(count)))
)


def placed(drawn: tuple[tuple[PlannedSession, int], ...]) -> list[PlannedSession]:
    first = datetime(2026, 3, 9, tzinfo=BERLIN)
    return [at(session, first + timedelta(minutes=15 * quarter)) for session, quarter in drawn]


@QUICK
@given(drawn=calendars, priority=st.sampled_from(PRIORITIES))
def test_the_verdict_is_that_of_the_independent_checker(
    rules: TenantRules, drawn: tuple[tuple[PlannedSession, int], ...], priority: str
) -> None:
    sessions = placed(drawn)
    verdict = judge(rules, *sessions, priority=priority)
    against = broken(plain(sessions), "Europe/Berlin", priority)
    assert (verdict.verdict == "refused") is bool(against), (verdict.violations, against)


@QUICK
@given(drawn=calendars, minutes=st.integers(-14, 14), data=st.data())
def test_neither_order_nor_a_shift_of_minutes_matters(
    rules: TenantRules, drawn: tuple[tuple[PlannedSession, int], ...], minutes: int, data: st.DataObject
) -> None:
    # Starts are quarters of an hour away from midnight, so that a few minutes never cross it.
    sessions = [
        at(s, s.start.replace(hour=12)) if s.start is not None and s.start.hour == 0 and s.start.minute == 0 else s
        for s in placed(drawn)
    ]
    shuffled = data.draw(st.permutations(sessions))
    assert judge(rules, *shuffled).as_json() == judge(rules, *sessions).as_json()
    moved = [at(s, s.start + timedelta(minutes=abs(minutes))) for s in sessions if s.start is not None]
    first, second = judge(rules, *sessions), judge(rules, *moved)
    assert second.verdict == first.verdict
    assert [f.rule for f in second.violations] == [f.rule for f in first.violations]


@QUICK
@given(drawn=calendars, priority=st.sampled_from(PRIORITIES))
def test_the_nearest_legal_start_is_legal_and_nothing_nearer_is(
    rules: TenantRules, drawn: tuple[tuple[PlannedSession, int], ...], priority: str
) -> None:
    sessions = placed(drawn)
    moved = sessions[0]
    if moved.type == "race" or moved.start is None:
        return
    nearest = nearest_legal_start(moved.id, sessions, athlete(priority), rules)

    def legal(start: datetime) -> bool:
        lines = broken(plain([at(moved, start)]), "Europe/Berlin", priority, plain(sessions[1:]))
        return not lines

    if nearest is None:
        nearer = timedelta(days=7)
    else:
        assert legal(nearest.start)
        nearer = abs(nearest.start - moved.start) - timedelta(minutes=1)
    for minutes in {0, 1, int(nearer.total_seconds() // 60), *range(0, max(0, int(nearer.total_seconds() // 60)), 45)}:
        if timedelta(0) <= timedelta(minutes=minutes) <= nearer:
            assert not legal(moved.start + timedelta(minutes=minutes))
            assert not legal(moved.start - timedelta(minutes=minutes))
