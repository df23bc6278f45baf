"""The migrations make exactly the tables that the models describe."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from services.periodization.store import Table
from shared.db.engine import Database
from shared.db.migrations import upgrade

MIGRATIONS = Path(__file__).resolve().parents[4] / "services" / "periodization" / "migrations"


def test_the_newest_revision_is_what_the_models_say_and_can_be_undone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/periodization.sqlite"
    upgrade("periodization", url, MIGRATIONS)
    database = Database("periodization", url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        assert set(inspect(connection).get_table_names()) == {*Table.metadata.tables, "alembic_version"}
        command.check(config)  # raises when the models say anything else
        command.downgrade(config, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
    database.dispose()
