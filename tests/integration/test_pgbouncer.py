"""PgBouncer in transaction mode, as the scaling page promises: whichever session a transaction gets, it is its own."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import eventlet
import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import OperationalError

from services.load.store import LoadAthleteRow
from services.recovery.store import RecoveryAthleteRow
from shared.bus.transport.hub import HUB
from shared.contract.words import SERVICES
from shared.db.engine import Database
from shared.db.row_security import act_for
from shared.ops.settings import Settings
from tandem.runtime.databases import check_databases, unbound_services, upgrade_databases
from tests.broker import Broker
from tests.contract.commands import RULES
from tests.platform import PlatformClient
from tests.postgres import Postgres, pooled
from tests.processes import ServiceProcess

ROLE = "pooled_services"


@pytest.fixture(scope="module")
def url(postgres: Postgres) -> Iterator[str]:
    """The services' address: a role that owns nothing, two sessions of the server for all of them."""
    owner = postgres.new_database()
    with pooled(owner, ["tandem", ROLE], sessions=2) as by_way:
        services = make_url(by_way).set(username=ROLE).render_as_string(hide_password=False)
        settings = Settings(database_url=services, database_owner_url=by_way)
        upgrade_databases(settings, SERVICES)
        yield services


def test_the_tables_are_made_and_checked_by_way_of_it(url: str) -> None:
    settings = Settings(database_url=url)
    assert set(check_databases(settings, SERVICES)) == set(SERVICES)
    assert unbound_services(settings, SERVICES) == []


def test_twelve_at_once_over_two_sessions_each_find_their_schema_and_their_tenant(url: str) -> None:
    rows = {"load": LoadAthleteRow, "recovery": RecoveryAthleteRow}
    values = {"load": {"published_days": {}, "published_spikes": {}}, "recovery": {"published_days": {}}}
    databases = {name: Database(name, url, True, 30, 300, hub=HUB) for name in rows}

    def work(service: str, tenant: str) -> None:
        kind = rows[service]
        for number in range(15):
            with databases[service].transaction() as db:
                act_for(db, tenant)
                db.execute(text("SELECT pg_sleep(0.001)"))  # the others have their turn, on the same sessions
                db.add(kind(tenant=tenant, athlete=f"{service}-{number}", **values[service]))
            with databases[service].batch() as db:
                act_for(db, tenant)
                found = set(db.scalars(select(kind.athlete)))
            assert found == {f"{service}-{made}" for made in range(number + 1)}

    for one in [eventlet.spawn(work, service, f"tenant-{number}") for service in rows for number in range(6)]:
        one.wait()
    for database in databases.values():
        with database.transaction() as db:
            assert db.scalar(text("SELECT current_setting('tandem.tenant', true)")) in (None, "")
        database.dispose()


def test_a_statement_that_takes_too_long_is_given_up_there_too_and_nobody_elses(url: str) -> None:
    strict, patient = Database("load", url, True, 1, hub=HUB), Database("load", url)
    with pytest.raises(OperationalError, match="statement timeout"), strict.transaction() as db:
        db.execute(text("SELECT pg_sleep(60)"))
    with patient.transaction() as db:
        assert db.scalar(text("SHOW statement_timeout")) == "0"


def test_the_four_services_work_behind_it(url: str, broker: Broker, tmp_path: Path) -> None:
    variables = {"TANDEM_AMQP_URI": broker.uri, "TANDEM_DATABASE_URL": url, "TANDEM_RULES_DIR": str(RULES)}
    process = ServiceProcess(tmp_path, "tandem", ("serve", *SERVICES), variables).start()
    platform = PlatformClient(broker.uri, "pooled", *make_tenant(broker))
    try:
        assert platform.tell("athlete.put", {"athlete": "a1", "timezone": "Etc/UTC"})["type"].endswith("accepted.v1")
        run = {"session": "s1", "start": "2026-03-02T07:00:00+01:00", "duration_min": 45, "kind": "run", "type": "easy"}
        assert platform.tell("load.record-session", {"athlete": "a1", **run, "rpe": 4})["type"].endswith("accepted.v1")
        answer = platform.tell("load.get-load", {"athlete": "a1", "date": "2026-03-02"})
        assert answer["data"]["streams"]["run"]["load"] == 180, json.dumps(answer)
    finally:
        platform.close()
        process.terminate()
        assert process.wait() == 0
    assert '"level": "error"' not in process.log.read_text()


def make_tenant(broker: Broker) -> tuple[str, str]:
    password = uuid.uuid4().hex
    broker.control("add_user", "pooled", password)
    broker.control("set_permissions", "pooled", ".*", ".*", ".*")
    return "pooled", password
