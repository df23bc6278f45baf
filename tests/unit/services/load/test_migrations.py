"""The migrations make exactly the tables that the store declares."""

import json
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.orm import Session

import services.load
from services.load.store import LoadAthleteRow, SessionRow, Tables
from shared.db import migrations
from shared.db.engine import Database

FOLDER = Path(services.load.__file__).parent / "migrations"


def test_the_newest_migration_equals_the_models(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/{{service}}.db"
    assert migrations.upgrade("load", url, FOLDER) == migrations.newest(FOLDER)
    assert migrations.upgrade("load", url, FOLDER) == migrations.check("load", url, FOLDER), "idempotent"
    database = Database("load", url)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Tables.metadata) == []
    database.dispose()


def test_every_table_of_the_service_has_the_tenant_in_its_key() -> None:
    for table in Tables.metadata.sorted_tables:
        assert "tenant" in table.primary_key.columns, table.name


def test_sessions_from_before_days_were_kept_get_theirs(database_url: str) -> None:
    migrations.upgrade("load", database_url, FOLDER, until="0008")
    database = Database("load", database_url)
    body = json.dumps({"id": "s", "start": "2026-03-31T22:30:00Z", "duration_min": 30, "kind": "run"})
    own = json.dumps({"id": "o", "start": "2026-04-01T06:00:00+13:00", "duration_min": 30, "kind": "run"})
    try:
        with database.engine.begin() as connection:
            for athlete, profile in (("a1", json.dumps({"timezone": "Europe/Berlin"})), ("a2", None)):
                connection.execute(
                    text(
                        "INSERT INTO athletes (tenant, athlete, profile, put_at, put_id, told_days, told_spikes)"
                        " VALUES ('acme', :athlete, :profile, '2026-03-01T00:00:00+00:00', 'm1', '{}', '{}')"
                    ),
                    {"athlete": athlete, "profile": profile},
                )
                for session, stored in (("s", body), ("o", own)):
                    connection.execute(
                        text(
                            "INSERT INTO sessions (tenant, athlete, session, counts, body, confirmed, zero_effort)"
                            " VALUES ('acme', :athlete, :session, :yes, :body, :no, :no)"
                        ),
                        {"athlete": athlete, "session": session, "body": stored, "yes": True, "no": False},
                    )
        migrations.upgrade("load", database_url, FOLDER)
        with Session(database.engine) as db:
            days = {(row.athlete, row.session): str(row.day) for row in db.scalars(select(SessionRow))}
            zones = {row.athlete: row.zones for row in db.scalars(select(LoadAthleteRow))}
    finally:
        database.dispose()
    kept = {("a1", "s"): "2026-04-01", ("a2", "s"): "2026-03-31"}
    assert days == {**kept, ("a1", "o"): "2026-04-01", ("a2", "o"): "2026-04-01"}
    assert zones == {"a1": [["2026-03-01T00:00:00.000000+00:00", "m1", "Europe/Berlin"]], "a2": None}
