"""What delivery forgets, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.bus.delivery.inbox import ERASURES, DeliveryStore, InboxEntry, Retention
from shared.db.common_tables import service_metadata
from shared.db.delivery_tables import InboxRow
from shared.db.engine import Database
from shared.db.migrations import create_all
from shared.db.tables import COLUMN_TYPES

NOW = datetime(2026, 3, 2, tzinfo=UTC)


class Tables(DeclarativeBase):
    metadata = service_metadata()
    type_annotation_map = COLUMN_TYPES


class Erasure(Tables):
    __tablename__ = ERASURES
    tenant: Mapped[str] = mapped_column(String(40), primary_key=True)
    athlete_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    erased_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    create_all(Database("keeping", database_url), Tables.metadata)
    database = Database("keeping", database_url)
    yield database
    database.dispose()


def test_what_is_older_than_its_time_is_forgotten_and_nothing_else(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.delivery.inbox.ROWS_PER_TRANSACTION", 1)
    store = DeliveryStore()
    with database.transaction() as db:
        store.add_tenants(db, ["acme", "bravo"], NOW)
        for tenant in ("acme", "bravo"):
            for days in (1, 29, 31):
                at = NOW - timedelta(days=days)
                store.write(db, [InboxEntry(tenant, f"m{days}", "/s", "toy.add", "h", None, "accepted", None, at)], ())
            for days in (31, 399, 401):
                db.add(Erasure(tenant=tenant, athlete_digest=f"d{days}", erased_at=NOW - timedelta(days=days)))
    Retention(database, store, Tables.metadata, timedelta(days=30), timedelta(days=400)).forget(NOW)
    with database.transaction() as db:
        inbox = {tuple(row) for row in db.execute(select(InboxRow.tenant, InboxRow.message_id))}
        erasures = {tuple(row) for row in db.execute(select(Erasure.tenant, Erasure.athlete_digest))}
    assert inbox == {(tenant, identity) for tenant in ("acme", "bravo") for identity in ("m1", "m29")}
    assert erasures == {(tenant, digest) for tenant in ("acme", "bravo") for digest in ("d31", "d399")}


def test_a_database_says_why_it_cannot_be_used(database: Database) -> None:
    assert database.problem(2.0) is None
    away = Database("away", "postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    assert away.problem(2.0) == "the database refuses: OperationalError"
    away.dispose()
