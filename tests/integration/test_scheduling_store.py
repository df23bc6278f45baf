"""Scheduling on both databases, on the tables that the migrations make: one athlete's way from targets to erasure."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

import services.scheduling
from services.scheduling.store import SchedulingAthletes
from shared.bus.routes import Rejected
from shared.db import migrations
from shared.rules.lifecycle.rule_book import open_rules
from tests.unit.services.scheduling.conftest import MONDAY, RULES, SchedulingDesk
from tests.unit.services.scheduling.test_messages import (
    EASY,
    LIFT,
    LONG,
    availability,
    readiness,
    season,
    starts,
    targets,
)

FRIDAY = datetime(2026, 3, 6, 9, tzinfo=UTC)


def test_a_week_from_its_targets_to_the_erasure(database_url: str, tmp_path: Path) -> None:
    folder = Path(services.scheduling.__file__ or "").parent / "migrations"
    migrations.upgrade("scheduling", database_url, folder)
    with open_rules(RULES, evaluator="reference") as rules:
        desk = SchedulingDesk(tmp_path, rules, FRIDAY, database_url)
        desk.put()
        availability(desk)
        targets(desk, LIFT, LONG, EASY)
        season(desk, MONDAY, "2026-03-16")
        week = desk.week()
        assert set(starts(week)) == {"squat", "long", "easy"}
        assert week == desk.events("week-planned")[-1]

        desk.send(
            "scheduling.move-session", {"athlete": "a1", "session": "squat", "start": "2026-03-11T08:00:00+01:00"}
        )
        done = {"athlete": "a1", "session": "d1", "start": "2026-03-08T18:00:00+01:00", "duration_min": 60}
        desk.send("load.session-scored", {**done, "kind": "run", "type": "easy"})
        assert starts(desk.week())["squat"] == "2026-03-11T08:00:00+01:00"

        desk.now += timedelta(days=5)
        readiness(desk, "2026-03-11", {**LIFT, "effort": "moderate", "changed": True, "why": "sleep"})
        squat = next(one for one in desk.week()["sessions"] if one["id"] == "squat")
        assert (squat["effort"], squat["changed"]) == ("moderate", True)
        desk.tick()
        with pytest.raises(Rejected, match="no athlete"):
            desk.send("scheduling.get-week", {"athlete": "a1", "week_start": MONDAY}, tenant="other")

        desk.send("athlete.erase", {"athlete": "a1"}, at=desk.now + timedelta(minutes=1))
        with desk.database.transaction() as db:
            assert [db.scalars(select(table)).all() for table in SchedulingAthletes.held] == [
                [] for _ in SchedulingAthletes.held
            ]
        desk.database.dispose()
