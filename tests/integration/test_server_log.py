"""PostgreSQL's own log holds nothing of an athlete, whatever fails; where it would, the doctor says what to do."""

import contextlib
import uuid
from collections.abc import Callable, Iterator

import eventlet
import psycopg2
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.load.store import LoadAthleteRow
from shared.bus.transport.hub import HUB
from shared.db.bulk import Rows, write_rows
from shared.db.engine import Database
from shared.db.row_security import act_for
from shared.db.tables import table_of
from shared.ops.settings import Settings
from tandem.runtime.databases import log_cures, upgrade_databases
from tests.postgres import Postgres

CANARY = "canary-4711"


@pytest.fixture
def role() -> str:
    return f"services_{uuid.uuid4().hex[:8]}"


def settings_for(postgres: Postgres, role: str) -> Settings:
    owner = postgres.new_database()
    return Settings(
        database_url=make_url(owner).set(username=role).render_as_string(hide_password=False), database_owner_url=owner
    )


@pytest.fixture
def load(postgres: Postgres, role: str) -> Iterator[Database]:
    settings = settings_for(postgres, role)
    upgrade_databases(settings, ["load"])
    assert log_cures(settings, ["load"]) == []
    database = Database("load", settings.database_url, True, 1, hub=HUB)
    yield database
    database.dispose()


def new_lines(postgres: Postgres, seen: int) -> str:
    return (postgres.folder / "log").read_text(encoding="utf-8", errors="replace")[seen:]


def test_no_failure_of_a_statement_writes_a_value_into_the_servers_log(postgres: Postgres, load: Database) -> None:
    seen = len(new_lines(postgres, 0))
    row = {"tenant": "acme", "athlete": CANARY, "told_days": "{}", "told_spikes": "{}"}
    twice = Rows(table_of(LoadAthleteRow), tuple(row), [tuple(row.values())] * 2)
    long = Rows(table_of(LoadAthleteRow), tuple(row), [("acme", CANARY * 20, "{}", "{}")])
    insert = "INSERT INTO athletes (tenant, athlete, told_days, told_spikes)"
    named = {"a": CANARY}
    fails: dict[str, Callable[[Session], object]] = {
        "duplicate key": lambda db: write_rows(db, [twice]),
        "too long": lambda db: write_rows(db, [long]),
        "null value": lambda db: db.execute(text(f"{insert} VALUES ('acme', :a, NULL, '{{}}')"), named),
        "row-level security": lambda db: db.execute(text(f"{insert} VALUES ('other', :a, '{{}}', '{{}}')"), named),
        "invalid input syntax": lambda db: db.execute(text("SELECT CAST(:a AS int)"), named),
        "malformed array": lambda db: db.execute(text("SELECT CAST(:a AS int[])"), named),
        "statement timeout": lambda db: db.execute(text("SELECT pg_sleep(60), :a"), named),
        "syntax error": lambda db: db.execute(text("SELEKT :a"), named),
    }
    for words, fail in fails.items():
        with pytest.raises(DBAPIError, match=words), load.transaction() as db:
            act_for(db, "acme")
            fail(db)
    assert deadlocks(load.url) == 1
    assert CANARY not in new_lines(postgres, seen)


def deadlocks(url: URL) -> int:
    """Two transactions take the same two locks in the other order; how many of them the server gave up."""
    patient = Database("load", url.render_as_string(hide_password=False), True, 30, hub=HUB)
    lock = text("SELECT pg_advisory_xact_lock(:n), CAST(:a AS text)")

    def take(first: int, second: int) -> int:
        try:
            with patient.transaction() as db:
                db.execute(lock, {"n": first, "a": CANARY})
                eventlet.sleep(0.1)
                db.execute(lock, {"n": second, "a": CANARY})
        except DBAPIError as error:
            return int(isinstance(error.orig, psycopg2.errors.DeadlockDetected))
        return 0

    return sum(one.wait() for one in [eventlet.spawn(take, 1, 2), eventlet.spawn(take, 2, 1)])


def test_where_set_up_may_not_say_so_the_doctor_has_the_cure(postgres: Postgres, role: str) -> None:
    settings = settings_for(postgres, role)
    owner, database = f"{role}_owner", make_url(settings.database_url).database
    as_superuser(postgres, f"CREATE ROLE {owner} LOGIN CREATEROLE", f"ALTER DATABASE {database} OWNER TO {owner}")
    address = make_url(settings.database_owner_url or "").set(username=owner).render_as_string(hide_password=False)
    upgrade_databases(settings.model_copy(update={"database_owner_url": address}), ["load"])
    assert provoked(postgres, settings), "this server holds no values anyway: the test proves nothing"
    (cure,) = log_cures(settings, ["load"])
    as_superuser(postgres, cure)
    assert log_cures(settings, ["load"]) == []
    assert not provoked(postgres, settings)


def provoked(postgres: Postgres, settings: Settings) -> bool:
    """Whether the server's log holds the value of a statement that failed."""
    seen = len(new_lines(postgres, 0))
    database = Database("load", settings.database_url)
    with pytest.raises(DBAPIError), database.transaction() as db:
        db.execute(text("SELECT 1 / CAST(:zero AS int), :a"), {"zero": 0, "a": CANARY})
    database.dispose()
    return CANARY in new_lines(postgres, seen)


def as_superuser(postgres: Postgres, *statements: str) -> None:
    connection = psycopg2.connect(host="127.0.0.1", port=postgres.port, user="tandem", dbname="postgres")
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
