"""Messages in, state and events out, on a real SQLite database; in any order, with the same end."""

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.periodization.messages import EVENTS
from services.periodization.store import Tables
from shared.bus.routes import APPLIED, DUPLICATE, WAITS_FOR_ATHLETE, Accepted, Rejected
from shared.db.engine import Database
from shared.messages.json_text import MAX_BYTES, canonical
from shared.rules.decisions import Rules
from tests.unit.services.periodization.conftest import Periodization

WEEK = timedelta(days=7)
ATHLETE = {"athlete": "a1", "timezone": "Europe/Berlin"}
TEMPLATE = {
    "run_minutes": 240,
    "long_run_minutes": 90,
    "quality_runs": 1,
    "lifts": 3,
    "lower_sets": 16,
    "upper_sets": 18,
}
GOALS: dict[str, Any] = {
    "athlete": "a1",
    "goals": [{"id": "g1", "kind": "race", "class": "A", "date": "2026-05-24", "distance_km": 21.1}],
    "season_start": "2026-03-02",
    "week_template": TEMPLATE,
}


def load_of(*days: str, athlete: str = "a1", **figures: Any) -> dict[str, Any]:
    told = [{"date": day, "status_combined": "ok", "state": None, **figures} for day in days]
    return {"athlete": athlete, "date": days[-1], "streams": {}, "alerts": [], "provisional": False, "days": told}


def readiness_of(*days: str, **facts: Any) -> dict[str, Any]:
    return {"athlete": "a1", "date": days[-1], "score": 50, "days": [{"date": day, **facts} for day in days]}


def deload_weeks(periodization: Periodization, athlete: str = "a1") -> list[int]:
    answer = periodization.answer("periodization.get-season", {"athlete": athlete})
    return [week["number"] for week in answer["weeks"] if week["deload"]]


def test_goals_give_a_season_and_targets_with_sessions(periodization: Periodization) -> None:
    periodization.take("athlete.put", ATHLETE)
    outcome = periodization.take("periodization.set-goals", GOALS)
    assert outcome == Accepted(APPLIED, {"athlete": "a1"})
    (planned,) = periodization.emitted("season-planned")
    assert [week["deload"] for week in planned["weeks"]].count(True) == 2
    targets = periodization.emitted("week-targets-set")
    assert [week["week_start"] for week in targets][:2] == ["2026-03-02", "2026-03-09"]
    assert len(targets) == 12
    assert targets[0]["targets"]["run_minutes"] == 240
    assert "2026-03-02.long-run" in [session["id"] for session in targets[0]["sessions"]]
    assert targets[3]["decided_by"][0]["rule"] == "every-fourth-week"


def test_every_event_fits_its_model(periodization: Periodization) -> None:
    periodization.take("athlete.put", ATHLETE)
    periodization.take("periodization.set-goals", GOALS)
    periodization.take("periodization.start-deload", {"athlete": "a1", "from": "2026-03-09", "reason": "exams"})
    text = 'id: acme.deload\nversion: "1.0.0"\nextends: base.deload\noverride: {every-fourth-week: {because: ours}}\n'
    periodization.take("rules.put-pack", {"text": text, "author": "Kim", "reason": "ours"})
    periodization.take(
        "rules.activate-pack", {"pack": "acme.deload", "version": "1.0.0", "author": "Kim", "reason": "ours"}
    )
    periodization.take("athlete.erase", {"athlete": "a1"})
    assert {f"periodization.{name}" for name, _ in periodization.events} == set(EVENTS)
    for name, data in periodization.events:
        EVENTS[f"periodization.{name}"].model_validate(data)


def test_the_longest_season_fits_into_an_event(periodization: Periodization) -> None:
    """Of a season that runs for six years the weeks of the last year and all to come are told."""
    periodization.take("athlete.put", ATHLETE)
    far = {"id": "far", "kind": "race", "class": "A", "date": "2030-02-24", "distance_km": 42.2}
    tests = [
        {"id": f"t{n}", "kind": "strength", "class": "B", "lift": "squat", "date": str(date(2026, 4, 4) + n * WEEK * 8)}
        for n in range(20)
    ]
    began = str(date(2026, 3, 2) - 300 * WEEK)
    body = {**GOALS, "season_start": began, "goals": [*GOALS["goals"], far, *tests]}
    assert isinstance(periodization.take("periodization.set-goals", body), Accepted)
    (planned,) = periodization.emitted("season-planned")
    EVENTS["periodization.season-planned"].model_validate(planned)
    assert len(canonical(planned)) < MAX_BYTES * 0.9
    assert planned["weeks_before"] > 200
    assert planned["weeks"][0]["number"] == planned["weeks_before"] + 1
    assert planned["weeks"][-1]["start"] >= "2026-03-30"


def test_a_hundred_goals_of_the_longest_names_fit_into_every_message(periodization: Periodization) -> None:
    periodization.take("athlete.put", ATHLETE)
    goals = [
        {"id": f"g{n}", "kind": "race", "class": "AB"[n % 2], "distance_km": 10, "name": "🏃" * 500,
         "date": str(date(2026, 3, 8) + n * WEEK)}
        for n in range(100)
    ]  # fmt: skip
    assert isinstance(periodization.take("periodization.set-goals", {**GOALS, "goals": goals}), Accepted)
    sizes = {name: len(canonical(data)) for name, data in periodization.events}
    assert max(sizes.values()) < MAX_BYTES * 0.9
    answer = periodization.answer("periodization.get-season", {"athlete": "a1", "weeks": 104})
    assert len(canonical(answer)) < MAX_BYTES * 0.9
    assert [goal["id"] for goal in answer["goals"]] == [goal["id"] for goal in goals]


def test_a_command_without_a_profile_is_kept_until_it_comes(periodization: Periodization) -> None:
    waiting = periodization.take("periodization.set-goals", GOALS)
    assert isinstance(waiting, Accepted) and waiting.effect == WAITS_FOR_ATHLETE
    assert waiting.data["pending"] == "athlete"
    assert periodization.events == []
    periodization.take("athlete.put", ATHLETE)
    assert len(periodization.emitted("week-targets-set")) == 12


def test_weeks_that_are_over_are_not_told(periodization: Periodization) -> None:
    periodization.now = datetime(2026, 3, 20, 12, tzinfo=UTC)
    periodization.take("athlete.put", ATHLETE)
    periodization.take("periodization.set-goals", GOALS)
    assert periodization.emitted("week-targets-set")[0]["week_start"] == "2026-03-16"


def test_the_same_again_tells_nothing(periodization: Periodization) -> None:
    periodization.take("athlete.put", ATHLETE)
    periodization.take("periodization.set-goals", GOALS)
    told = len(periodization.events)
    periodization.take("athlete.put", ATHLETE)
    periodization.take("periodization.set-goals", GOALS)
    periodization.tick()
    assert len(periodization.events) == told


def test_a_trigger_tells_only_the_weeks_that_it_changes(periodization: Periodization) -> None:
    periodization.take("athlete.put", ATHLETE)
    periodization.take("periodization.set-goals", GOALS)
    periodization.now = datetime(2026, 3, 12, 12, tzinfo=UTC)
    periodization.take("recovery.readiness-assessed", readiness_of("2026-03-11", witnesses=1))
    periodization.events.clear()
    periodization.take("load.load-assessed", load_of("2026-03-11", acwr_combined=1.6))
    told = [week["week_start"] for week in periodization.emitted("week-targets-set")]
    assert told[0] == "2026-03-16"
    assert "2026-03-09" not in told
    (started,) = periodization.emitted("deload-started")
    assert (started["from"], started["cause"]) == ("2026-03-16", "early")
    assert started["decided_by"][0]["rule"] == "early-on-combined-ratio"
    assert deload_weeks(periodization) == [3, 7]


def test_load_and_readiness_of_one_day_stand_side_by_side(periodization: Periodization) -> None:
    periodization.take("athlete.put", ATHLETE)
    periodization.take("periodization.set-goals", GOALS)
    periodization.now = datetime(2026, 3, 12, 12, tzinfo=UTC)
    days = ("2026-03-08", "2026-03-09", "2026-03-10", "2026-03-11")
    periodization.take("recovery.readiness-assessed", readiness_of(*days, witnesses=2))
    periodization.take("load.load-assessed", load_of(*days, acwr_combined=1.0))
    assert deload_weeks(periodization) == [3, 7]


def test_a_planned_deload_starts_when_its_week_comes(periodization: Periodization) -> None:
    periodization.take("athlete.put", ATHLETE)
    periodization.take("periodization.set-goals", GOALS)
    periodization.now = datetime(2026, 3, 22, 22, 30, tzinfo=UTC)  # Sunday 23:30 in Berlin
    periodization.tick()
    assert periodization.emitted("deload-started") == []
    periodization.now = datetime(2026, 3, 22, 23, 5, tzinfo=UTC)  # Monday 00:05 in Berlin
    periodization.tick()
    periodization.tick()
    assert [one["from"] for one in periodization.emitted("deload-started")] == ["2026-03-23"]


def test_a_coach_deload_starts_a_deload(periodization: Periodization) -> None:
    periodization.take("athlete.put", ATHLETE)
    periodization.take("periodization.set-goals", GOALS)
    periodization.take(
        "periodization.start-deload", {"athlete": "a1", "from": "2026-03-09", "days": 7, "reason": "exams"}
    )
    (started,) = periodization.emitted("deload-started")
    assert started["reason"] == "coach's deload from 2026-03-09: exams"
    assert deload_weeks(periodization) == [2, 6, 10]


def test_an_edited_pack_is_planned_with_at_the_next_tick(
    periodization: Periodization, edited_rules: Callable[[str, str, str], Rules]
) -> None:
    periodization.take("athlete.put", ATHLETE)
    periodization.take("periodization.set-goals", GOALS)
    periodization.events.clear()
    periodization.rules = edited_rules("periodization", "set: {growth: 6 %}", "set: {growth: 5 %}")
    periodization.tick()
    second = periodization.emitted("week-targets-set")[0]
    assert second["week_start"] == "2026-03-09"
    assert second["targets"]["run_minutes"] == pytest.approx(252)


def test_goals_sent_again_keep_the_season_they_do_not_name(periodization: Periodization) -> None:
    periodization.take("athlete.put", ATHLETE)
    periodization.take("periodization.set-goals", GOALS)
    periodization.take(
        "periodization.set-goals", {"athlete": "a1", "goals": []}, at=periodization.now + timedelta(hours=1)
    )
    answer = periodization.answer("periodization.get-season", {"athlete": "a1"})
    assert answer["goals"] == []
    assert answer["weeks"][0]["start"] == "2026-03-02"
    assert answer["weeks"][1]["run_minutes"] == 240


class TestGetSeason:
    def test_answers_what_the_offline_command_says(self, periodization: Periodization) -> None:
        periodization.take("athlete.put", ATHLETE)
        periodization.take("periodization.set-goals", GOALS)
        answer = periodization.answer("periodization.get-season", {"athlete": "a1"})
        assert answer["athlete"] == "a1"
        assert len(answer["weeks"]) == 12
        assert answer["goals"][0]["id"] == "g1"

    def test_gives_the_weeks_asked_for_also_beyond_the_season(self, periodization: Periodization) -> None:
        periodization.take("athlete.put", ATHLETE)
        periodization.take("periodization.set-goals", GOALS)
        body = {"athlete": "a1", "from": "2026-05-20", "weeks": 3}
        weeks = periodization.answer("periodization.get-season", body)["weeks"]
        assert [week["start"] for week in weeks] == ["2026-05-18", "2026-05-25", "2026-06-01"]

    def test_an_athlete_without_goals_has_a_season_from_this_monday(self, periodization: Periodization) -> None:
        periodization.now = datetime(2026, 3, 4, 12, tzinfo=UTC)
        periodization.take("athlete.put", ATHLETE)
        weeks = periodization.answer("periodization.get-season", {"athlete": "a1"})["weeks"]
        assert weeks[0]["start"] == "2026-03-02"

    @pytest.mark.parametrize(("tenant", "athlete"), [("acme", "a2"), ("other", "a1")])
    def test_unknown_and_foreign_athletes_are_refused_alike(
        self, periodization: Periodization, tenant: str, athlete: str
    ) -> None:
        periodization.take("athlete.put", ATHLETE)
        with pytest.raises(Rejected) as refused:
            periodization.take("periodization.get-season", {"athlete": athlete}, tenant=tenant)
        assert [problem.code for problem in refused.value.problems] == ["unknown_athlete"]


def test_tenants_share_no_athlete(periodization: Periodization) -> None:
    for tenant in ("acme", "other"):
        periodization.take("athlete.put", ATHLETE, tenant=tenant)
    periodization.take("periodization.set-goals", GOALS, tenant="acme")
    periodization.take("periodization.start-deload", {"athlete": "a1", "from": "2026-03-09"}, tenant="other")
    assert deload_weeks(periodization) == [4, 8]


def test_any_order_of_messages_ends_in_the_same_season(tmp_path: Path, rules: Rules) -> None:
    """The history of one athlete, each thing said at its own time, delivered in many orders."""
    start = datetime(2026, 3, 12, 8, tzinfo=UTC)
    said: list[tuple[str, dict[str, Any]]] = [
        ("athlete.put", {**ATHLETE, "level": "beginner"}),
        ("periodization.set-goals", {**GOALS, "goals": []}),
        ("load.load-assessed", load_of("2026-03-11", acwr_combined=1.6)),
        ("recovery.readiness-assessed", readiness_of("2026-03-11", witnesses=1)),
        ("athlete.put", {**ATHLETE, "level": "advanced"}),
        ("periodization.set-goals", {"athlete": "a1", "goals": GOALS["goals"]}),
        ("load.load-assessed", load_of("2026-03-11", acwr_combined=1.2)),
        ("periodization.start-deload", {"athlete": "a1", "from": "2026-03-30", "days": 7}),
    ]
    orders = list(itertools.permutations(range(len(said))))
    ends = set()
    for number, order in enumerate([orders[0], orders[-1], *orders[17 :: len(orders) // 12]]):
        database = Database("periodization", f"sqlite:///{tmp_path}/{number}.sqlite", durable=False)
        Tables.metadata.create_all(database.engine)
        service = Periodization(database, rules)
        service.now = start + timedelta(hours=1)
        for place in order:
            key, body = said[place]
            service.take(key, body, at=start + timedelta(minutes=place), id=f"m{place}")
        answer = service.answer("periodization.get-season", {"athlete": "a1"})
        weeks = {week["start"] for week in answer["weeks"]}
        told = {
            week["week_start"]: repr(week)
            for week in service.emitted("week-targets-set")
            if week["week_start"] in weeks
        }
        ends.add((repr(answer), repr(sorted(told.items()))))
        database.dispose()
    assert len(ends) == 1
    assert date(2026, 3, 30).isoformat() in next(iter(ends))[1]


def test_a_reply_says_which_choices_a_later_command_holds(periodization: Periodization) -> None:
    early, late = (datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (8, 9))
    later = {"effect": "none", "code": "superseded", "superseded_by": {"time": "2026-03-02T09:00:00Z", "id": "new"}}
    periodization.take("athlete.put", ATHLETE)
    periodization.take("periodization.set-goals", {"athlete": "a1", "goals": []}, at=late, id="new")
    both = {"athlete": "a1", "goals": [], "weeks": 10}
    partly = periodization.take("periodization.set-goals", both, at=early, id="old")
    assert isinstance(partly, Accepted)
    assert partly.data == {"effect": "applied", "athlete": "a1", "items": [{"id": "goals", **later}]}
    lost = periodization.take("periodization.set-goals", {"athlete": "a1", "goals": []}, at=early, id="older")
    assert isinstance(lost, Accepted)
    assert lost.data == {**later, "athlete": "a1", "items": [{"id": "goals", **later}]}
    deload = {"athlete": "a1", "from": "2026-03-09"}
    for at, id, effect in ((late, "d2", "applied"), (late, "d2", "none"), (early, "d1", "none")):
        outcome = periodization.take("periodization.start-deload", deload, at=at, id=id)
        assert isinstance(outcome, Accepted) and outcome.effect.word == effect
    noon = datetime(2026, 3, 3, 12, tzinfo=UTC)
    for whole in (APPLIED, DUPLICATE):
        assert periodization.take("athlete.put", ATHLETE, at=noon, id="p") == Accepted(whole, {"athlete": "a1"})
    older = periodization.take("athlete.put", ATHLETE, at=late, id="z")
    assert isinstance(older, Accepted)
    assert older.data["superseded_by"] == {"time": "2026-03-03T12:00:00Z", "id": "p"}
