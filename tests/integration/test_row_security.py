"""PostgreSQL keeps tenants apart even where a query forgets to: as the services connect, not as the owner."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import ProgrammingError

from services.load.store import LoadAthleteRow
from shared.bus.delivery.processor import Processor
from shared.contract.words import SERVICES
from shared.db.delivery_tables import InboxRow
from shared.db.engine import Database
from shared.db.migrations import SchemaOutdated
from shared.db.row_security import act_for
from shared.messages.envelope import Delivery
from shared.ops.settings import Settings
from shared.rules.lifecycle.rule_book import open_rules
from tandem.offline.shipped_rules import shipped_rules
from tandem.runtime.databases import check_databases, unbound_services, upgrade_databases
from tandem.runtime.service_classes import service_named
from tests.postgres import Postgres

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Deployed:
    """``owner`` and ``service``: the addresses of the two roles."""

    owner: str
    service: str

    @property
    def settings(self) -> Settings:
        return Settings(database_url=self.service, database_owner_url=self.owner)


@pytest.fixture(scope="module")
def deployed(postgres: Postgres) -> Deployed:
    owner = postgres.new_database()
    role = make_url(owner).set(username=f"services_{uuid.uuid4().hex[:8]}", password="s\"e'cret")
    found = Deployed(owner, role.render_as_string(hide_password=False))
    for _ in range(2):
        upgrade_databases(found.settings, SERVICES)
    return found


@pytest.fixture
def load(deployed: Deployed) -> Iterator[Database]:
    database = Database("load", deployed.service)
    yield database
    database.dispose()


def put(tenant: str, athlete: str) -> Delivery:
    body = {"athlete": athlete, "timezone": "Europe/Berlin"}
    headers = {
        "ce-id": uuid.uuid4().hex,
        "ce-source": "/test",
        "ce-type": "tandem.athlete.put.v1",
        "ce-specversion": "1.0",
    }
    return Delivery(
        "command",
        f"{tenant}.athlete.put",
        json.dumps(body).encode(),
        "application/json",
        headers=headers,
        user_id=tenant,
    )


def athletes(database: Database, tenant: str | None) -> set[str]:
    """A query that forgot its tenant."""
    with database.transaction() as db:
        act_for(db, tenant)
        return set(db.scalars(select(LoadAthleteRow.athlete)))


def test_a_batch_of_several_tenants_is_one_transaction_and_each_sees_its_own(load: Database) -> None:
    with open_rules(shipped_rules()) as rules:
        source = type("Source", (), {"for_tenant": lambda self, tenant: rules})()
        # Time enough for one transaction on a busy machine.
        processor = Processor("load", service_named("load").routes, load, source, lambda: NOW, budget_s=60.0)
        sent = [put("acme", "a1"), put("globex", "g1"), put("acme", "a2"), put("globex", "a1")]
        batch = processor.process(sent)
    assert batch.done == 4
    with load.transaction() as db:
        stamps = {(row.tenant, row.outcome) for row in db.execute(select(InboxRow.tenant, InboxRow.outcome))}
    assert stamps == {("acme", "accepted"), ("globex", "accepted")}
    assert athletes(load, "acme") == {"a1", "a2"}
    assert athletes(load, "globex") == {"g1", "a1"}
    assert athletes(load, None) == set()


def test_another_tenants_row_can_neither_be_written_nor_changed_nor_deleted(load: Database) -> None:
    with load.transaction() as db:
        act_for(db, "hooli")
        db.add(LoadAthleteRow(tenant="hooli", athlete="h1", published_days={}, published_spikes={}))
    with pytest.raises(ProgrammingError, match="row-level security"), load.transaction() as db:
        act_for(db, "initech")
        db.add(LoadAthleteRow(tenant="hooli", athlete="h2", published_days={}, published_spikes={}))
    with load.transaction() as db:
        act_for(db, "initech")
        changed = db.execute(text("UPDATE athletes SET told_days = '{\"x\": 1}'"))
        deleted = db.execute(text("DELETE FROM athletes"))
    assert (changed.rowcount, deleted.rowcount) == (0, 0)  # type: ignore[attr-defined]
    assert athletes(load, "hooli") == {"h1"}


def test_what_a_session_still_holds_is_written_for_the_tenant_it_was_made_for(load: Database) -> None:
    with load.transaction() as db:
        for tenant in ("pied", "piper"):
            act_for(db, tenant)
            db.add(LoadAthleteRow(tenant=tenant, athlete="same", published_days={}, published_spikes={}))
    assert athletes(load, "pied") == {"same"}


def test_a_pooled_connection_forgets_for_whom_it_acted(load: Database) -> None:
    assert athletes(load, "acme") | athletes(load, None) == athletes(load, "acme")
    with load.transaction() as db:
        assert db.scalar(text("SELECT current_setting('tandem.tenant', true)")) in (None, "")


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_with_a_tenant_is_secured_in_every_service(deployed: Deployed, service: str) -> None:
    owner = Database(service, deployed.owner)
    with owner.transaction() as db:
        rows = db.execute(
            text(
                "SELECT c.relname, c.relrowsecurity, count(p.polname) FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_policy p ON p.polrelid = c.oid"
                " WHERE n.nspname = :schema AND c.relkind = 'r' GROUP BY 1, 2"
            ),
            {"schema": service},
        ).all()
    owner.dispose()
    secured = {name for name, on, policies in rows if on and policies == 1}
    wanted = {name for name, table in service_named(service).metadata.tables.items() if "tenant" in table.columns}
    assert secured == wanted
    assert {name for name, _, _ in rows} - secured == {"alembic_version"}


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE athletes",
        "ALTER TABLE athletes DISABLE ROW LEVEL SECURITY",
        "DROP POLICY one_tenant ON athletes",
        "CREATE TABLE mine (x int)",
        "TRUNCATE athletes",
        "UPDATE alembic_version SET version_num = 'x'",
        "SET SESSION AUTHORIZATION tandem",
    ],
)
def test_the_service_role_owns_nothing(load: Database, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="must be|permission denied"), load.transaction() as db:
        db.execute(text(statement))


def test_it_is_told_when_the_policies_do_not_bind_the_role(deployed: Deployed) -> None:
    assert unbound_services(deployed.settings, SERVICES) == []
    assert unbound_services(Settings(database_url=deployed.owner), SERVICES) == list(SERVICES)


def test_the_service_role_can_check_its_revision(deployed: Deployed, postgres: Postgres) -> None:
    assert set(check_databases(deployed.settings, SERVICES)) == set(SERVICES)
    with pytest.raises(SchemaOutdated):
        check_databases(Settings(database_url=postgres.new_database()), SERVICES)
