"""The migrations make exactly the tables that the models describe, and the use cases run on them, on both databases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from services.periodization.store import Tables
from shared.db.engine import Database
from shared.db.migrations import upgrade
from shared.rules.decisions import Rules
from tests.unit.services.periodization.conftest import Periodization
from tests.unit.services.periodization.test_erase import everything_named
from tests.unit.services.periodization.test_handlers import ATHLETE, GOALS, deload_weeks, load_of, readiness_of

MIGRATIONS = Path(__file__).resolve().parents[4] / "services" / "periodization" / "migrations"


def test_the_newest_revision_is_what_the_models_say_and_can_be_undone(database_url: str) -> None:
    upgrade("periodization", database_url, MIGRATIONS)
    database = Database("periodization", database_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        assert set(inspect(connection).get_table_names()) == {*Tables.metadata.tables, "alembic_version"}
        command.check(config)  # raises when the models say anything else
        command.downgrade(config, "base")
        connection.commit()
        assert inspect(connection).get_table_names() == ["alembic_version"]
    database.dispose()


def test_an_athletes_way_from_put_to_erase(database_url: str, rules: Rules) -> None:
    upgrade("periodization", database_url, MIGRATIONS)
    database = Database("periodization", database_url, durable=False)
    service = Periodization(database, rules)
    service.now = datetime(2026, 3, 12, 12, tzinfo=UTC)
    service.take("periodization.set-goals", GOALS)
    service.take("athlete.put", ATHLETE)
    service.take("recovery.readiness-assessed", readiness_of("2026-03-11", witnesses=1))
    service.take("load.load-assessed", load_of("2026-03-11", acwr_combined=1.6))
    service.take("load.load-assessed", load_of("2026-03-11", acwr_combined=1.7))
    service.take("periodization.start-deload", {"athlete": "a1", "from": "2026-03-30", "days": 7})
    assert deload_weeks(service) == [3, 5, 9]
    service.now += timedelta(days=1)
    service.tick()
    service.take("athlete.erase", {"athlete": "a1"}, correlation_id="c1", reply_to="tenant.acme.replies")
    for other in ("scheduling", "load", "recovery"):
        service.take(f"{other}.athlete-erased", {"athlete": "a1", "service": other}, correlation_id="c1")
    assert len(service.late_replies) == 1
    assert everything_named(service, "a1") == []
    database.dispose()
