"""The same random athlete, to the four services and as a file: the same season, the same verdict, the same week."""

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from shared.rules.evaluation.tenant_rules import TenantRules
from tests.random_athletes import NOW, ZONES, RandomAthlete, Sent, random_athlete
from tests.random_plans import RandomPlans, plans
from tests.service_and_file import Services, different, offline, running_services


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    names = ("load", "recovery", "periodization", "scheduling")
    with running_services(tmp_path_factory.mktemp("services"), names) as running:
        yield running


@pytest.mark.timeout(900)  # a minute of CPU; on a machine with much else to do that is several
@settings(max_examples=100)
@given(plans())
def test_season_check_and_week(services: Services, rules: TenantRules, random_plans: RandomPlans) -> None:
    ask = services.sent(random_plans.athlete, *random_plans.sent_too)
    season = offline(random_plans.athlete, rules).season()
    assert different(ask("periodization.get-season"), season.as_json()) == []
    verdict = offline(random_plans.file_with_calendar(), rules).check()
    assert different(ask("scheduling.check-week", sessions=random_plans.calendar), verdict.as_json()) == []
    asked = {} if random_plans.week is None else {"sessions": random_plans.week}
    ask("scheduling.plan-week", week_start=str(random_plans.week_start), **asked)
    services.running.settle()
    week = offline(random_plans.file_with_week(), rules).week()
    assert different(_published_week(services, ask, random_plans), week.as_json()) == []


@pytest.mark.parametrize(("days_before", "jump"), [(26, True), (30, True), (31, False)])
def test_a_long_run_is_measured_by_those_of_the_last_30_days(
    services: Services, rules: TenantRules, days_before: int, jump: bool
) -> None:
    tuesday = NOW.replace(hour=7, minute=0) + timedelta(days=6)
    earlier = {"id": "earlier", "kind": "run", "type": "long", "duration_min": 80, "rpe": 4}
    earlier["start"] = (tuesday - timedelta(days=days_before)).isoformat()
    run = {"id": "run", "kind": "run", "type": "long", "duration_min": 150, "start": tuesday.isoformat()}
    athlete = RandomAthlete({"athlete": {"id": "random", "timezone": "UTC"}, "sessions": [earlier]})
    of_service = services.sent(athlete)("scheduling.check-week", sessions=[run])
    of_file = offline(athlete.with_file(week={"start": "2026-04-06", "sessions": [run]}), rules).check().as_json()
    assert different(of_service, of_file) == []
    assert any(one["rule"] == "long-run-jump" for one in of_file["warnings"]) == jump


@pytest.mark.parametrize("seed", range(6))
def test_todays_planned_session_passes_the_same_gate(services: Services, rules: TenantRules, seed: int) -> None:
    """What scheduling publishes reaches recovery; offline the file's own week stands for it."""
    athlete = random_athlete(seed, ["suppressed", "one item only"] if seed == 1 else ["suppressed"], ZONES[seed])
    start = datetime.combine(athlete.today, time(21), athlete.zone)
    run = {"id": "planned", "kind": "run", "type": "easy", "duration_min": 50, "start": start.isoformat()}
    monday = str(athlete.today - timedelta(days=athlete.today.weekday()))
    ask = services.sent(athlete, Sent("scheduling.plan-week", {"week_start": monday, "sessions": [run]}))
    readiness = offline(athlete.with_file(week={"start": monday, "sessions": [run]}), rules).readiness().as_json()
    assert [one["id"] for one in readiness["today"]] == ["planned"]
    assert different(ask("recovery.get-readiness"), readiness) == []


def _published_week(services: Services, ask: Callable[..., Any], random_plans: RandomPlans) -> dict[str, Any]:
    """As it was planned: what ``get-week`` answers of this week has today's gate on it."""
    told = [event.data for event in services.running.events if "scheduling.week-" in event.name]
    if not told:
        return dict(ask("scheduling.get-week", week_start=str(random_plans.week_start)))
    week = dict(told[-1])
    del week["athlete"]
    return week
