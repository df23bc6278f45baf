"""Load and recovery on both databases, on the tables that the migrations make: the same answers."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import services.load
import services.recovery
from shared.db import migrations
from shared.rules.lifecycle.rule_book import open_rules
from tests.unit.services.load.conftest import RULES, LoadDesk, easy_run
from tests.unit.services.recovery.conftest import RecoveryDesk

TODAY = date(2026, 4, 1)
NOW = datetime(2026, 4, 1, 20, tzinfo=UTC)


def upgraded(service: str, module: Any, url: str) -> str:
    migrations.upgrade(service, url, Path(module.__file__).parent / "migrations")
    return url


def test_six_weeks_of_training_and_a_morning(database_url: str, tmp_path: Path) -> None:
    with open_rules(RULES, evaluator="reference") as rules:
        load = LoadDesk(tmp_path, rules, NOW, upgraded("load", services.load, database_url))
        recovery = RecoveryDesk(tmp_path, rules, NOW, upgraded("recovery", services.recovery, database_url))
        load.put()
        recovery.put()
        for ago in range(39, -1, -1):
            day = TODAY - timedelta(days=ago)
            body = easy_run(f"s{ago}", day, rpe=None if ago == 9 else 4)
            load.send("load.record-session", {"athlete": "a1", **body})
        load.send("load.remove-session", {"athlete": "a1", "session": "s36"})
        load.send("load.mark-day", {"athlete": "a1", "date": "2026-03-01", "state": "sick"})
        for event in load.emitted:
            if event.name in ("session-scored", "load-assessed"):
                recovery.send(f"load.{event.name}", event.data)
        recovery.morning(sleep_hours=6, aches=True)

        run = load.load()["streams"]["run"]
        assert (run["status"], run["band"], run["acwr"]["coupled"]) == ("ok", "optimal", 1)
        assert [e["method"] for e in load.events("session-scored")].count("own-median-effort") == 1
        answer = recovery.readiness()
        assert {f["name"] for f in answer["factors"] if f["score"] is not None} == {
            "sleep",
            "load_run",
            "load_combined",
        }
        assert [sign["name"] for sign in answer["signs"]] == ["aches"]

        load.now += timedelta(days=2)
        assert [event.name for event in load.tick()] == ["load-assessed"]
        assert load.tick() == []
        for desk in (load, recovery):
            desk.send("athlete.erase", {"athlete": "a1"})
            with desk.database.engine.connect() as connection:
                assert connection.exec_driver_sql("SELECT COUNT(*) FROM athletes").scalar() == 0
            desk.database.dispose()
