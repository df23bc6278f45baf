"""Load and recovery on both databases, on the tables that the migrations make: the same answers."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from alembic import command

import services.load
import services.recovery
from shared.db import migrations
from shared.db.engine import Database, create_schema
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


def test_a_revision_of_milliseconds_is_stored_and_wins(database_url: str, tmp_path: Path) -> None:
    with open_rules(RULES, evaluator="reference") as rules:
        load = LoadDesk(tmp_path, rules, NOW, upgraded("load", services.load, database_url))
        load.put()
        for revision, minutes in ((1775073600000, 40), (1775073600001, 50), (1775073599999, 60), (2**53 - 1, 70)):
            session = easy_run("s1", TODAY, minutes, 1) | {"revision": revision}
            load.send("load.record-session", {"athlete": "a1", **session})
        assert load.load()["streams"]["run"]["load"] == 70
        load.database.dispose()


def test_an_inbox_of_before_keeps_its_rows_and_knows_the_same_id_of_two_sources(database_url: str) -> None:
    folder = Path(services.load.__file__).parent / "migrations"
    database = Database("load", database_url)
    create_schema(database)
    insert = (
        "INSERT INTO inbox (tenant, message_id, {source}handler, body_hash, outcome, received_at) "
        "VALUES ('acme', 'm1', {value}'load.mark-day', 'h', 'accepted', '2026-04-01 08:00:00')"
    )
    with database.engine.connect() as connection:
        config = migrations._config(folder)
        config.attributes |= {"connection": connection, "service": "load"}
        command.upgrade(config, "0007")
        connection.exec_driver_sql(insert.format(source="", value=""))
        connection.commit()
        command.upgrade(config, "head")
        connection.exec_driver_sql(insert.format(source="source, ", value="'/p', "))
        connection.commit()
        found = connection.exec_driver_sql("SELECT source, message_id FROM inbox ORDER BY source").all()
        assert [tuple(row) for row in found] == [("", "m1"), ("/p", "m1")]
        command.downgrade(config, "0007")
        connection.commit()
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM inbox").scalar() == 1
    database.dispose()
