"""Stored rule packs, on SQLite and PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from shared.db.common_tables import service_metadata
from shared.db.engine import Database
from shared.db.migrations import create_all
from shared.db.rule_store import RuleShelf, StoredActivation, StoredPack, StoredRules, forget_tenant, in_force
from shared.rules.rule_texts import RuleText, RuleTexts

METADATA = service_metadata()
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    create_all(Database("load", database_url), METADATA)
    opened = Database("load", database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def stored(database: Database) -> StoredRules:
    return StoredRules(database)


def pack(version: str, text: str = "x: ä", name: str = "acme.sequencing") -> StoredPack:
    return StoredPack(name, version, "sequencing", text, "h" * 64, None, "Kim", "why not", AT)


def activation(number: int, version: str | None, starts: date = MARCH, kind: Any = "sequencing") -> StoredActivation:
    action: Any = "activate" if version else "roll-back"
    return StoredActivation(number, action, kind, "acme.sequencing", version, starts, "Kim", "so", AT, f"m{number}")


def activate(database: Database, number: int, version: str, tenant: str = "acme", text: str = "x: ä") -> None:
    with database.transaction() as db:
        shelf = RuleShelf(db, tenant)
        shelf.put(pack(version, text))
        shelf.activate(activation(number, version))


def test_a_pack_is_kept_as_it_was_put_for_its_tenant(database: Database) -> None:
    with database.transaction() as db:
        RuleShelf(db, "acme").put(pack("1.0.0"))
        RuleShelf(db, "acme").put(pack("1.0.0", text="another"))
    with database.reading() as db:
        assert RuleShelf(db, "acme").packs() == [pack("1.0.0")]
        assert RuleShelf(db, "acme").pack("acme.sequencing", "1.0.1") is None
        assert RuleShelf(db, "other").packs() == []


def test_decisions_count_in_their_order_and_from_their_day() -> None:
    decided = [activation(1, "1.0.0"), activation(2, "2.0.0", APRIL)]
    assert {on: in_force(decided, on)["sequencing"].version for on in (MARCH, APRIL, None)} == {
        MARCH: "1.0.0",
        APRIL: "2.0.0",
        None: "2.0.0",
    }
    assert in_force(decided, date(2026, 2, 28)) == {}
    later = [*decided, activation(3, "1.1.0")]
    assert in_force(later, APRIL)["sequencing"].version == "1.1.0", "what was decided for April is taken back"
    assert in_force([*decided, activation(3, None)], APRIL) == {}
    assert in_force(list(reversed(decided)), MARCH) == in_force(decided, MARCH)


def test_what_was_in_force_before_a_decision_can_be_asked(database: Database, stored: StoredRules) -> None:
    activate(database, 1, "1.0.0", text="one")
    activate(database, 2, "2.0.0", text="two")
    with database.reading() as db:
        shelf = RuleShelf(db, "acme")
        assert [text.raw for text in shelf.texts(MARCH, before=2).values()] == [b"one"]
        assert shelf.texts(MARCH, before=1) == {}
    assert stored.texts("acme", MARCH) == (RuleText("stored/acme/acme.sequencing@2.0.0.yaml", b"two"),)
    assert stored.texts("other", MARCH) == ()


def test_decisions_may_arrive_twice_and_in_any_order(database: Database, stored: StoredRules) -> None:
    for number, version in ((2, "2.0.0"), (1, "1.0.0"), (2, "2.0.0")):
        activate(database, number, version, text=version)
    assert [text.raw for text in stored.texts("acme", MARCH)] == [b"2.0.0"]
    with database.transaction() as db:
        assert RuleShelf(db, "acme").next_number() == 3
        assert RuleShelf(db, "other").next_number() == 1


def test_another_replica_sees_whose_rules_changed(database: Database, stored: StoredRules) -> None:
    assert stored.revisions() == {}
    activate(database, 1, "1.0.0")
    before = stored.revisions()
    assert set(before) == {"acme"}
    activate(database, 1, "1.0.0", tenant="beta")
    after = stored.revisions()
    assert after["acme"] == before["acme"]
    assert set(after) == {"acme", "beta"}


def test_the_last_good_files_come_back_as_they_were(stored: StoredRules) -> None:
    base = (RuleText("rules/base/a.yaml", "ä: 1\n".encode()), RuleText("rules/base/b.yaml", b"b: 1\n"))
    own = (RuleText("rules/tenants/acme/a.yaml", b"own: 1\n"),)
    assert stored.last_good(None) is None
    assert stored.save({None: RuleTexts(base)})
    assert stored.save({"acme": RuleTexts(base, own)})
    assert stored.save({"acme": RuleTexts(base, own)})
    assert stored.last_good(None) == RuleTexts(base)
    assert stored.last_good("acme") == RuleTexts(base, own)
    assert stored.last_good("beta") is None
    assert stored.saved_tenants() == {"acme"}


def test_a_tenant_keeps_the_base_it_was_good_with(stored: StoredRules) -> None:
    old, new = (RuleText("base.yaml", b"old"),), (RuleText("base.yaml", b"new"),)
    own = (RuleText("own.yaml", b"own"),)
    assert stored.save({None: RuleTexts(old)})
    assert stored.save({"acme": RuleTexts(old, own)})
    assert stored.save({None: RuleTexts(new)})
    assert stored.last_good("acme") == RuleTexts(old, own)
    assert stored.last_good(None) == RuleTexts(new)
    assert stored.save({"acme": None})
    assert stored.last_good("acme") is None
    assert stored.saved_tenants() == frozenset()


def test_fewer_files_than_before_leave_none_behind(stored: StoredRules) -> None:
    files = tuple(RuleText(f"{name}.yaml", name.encode()) for name in "abc")
    assert stored.save({"acme": RuleTexts((), files)})
    assert stored.save({"acme": RuleTexts((), files[1:])})
    assert stored.last_good("acme") == RuleTexts((), files[1:])


def test_a_forgotten_tenant_leaves_nothing_and_replicas_notice(database: Database, stored: StoredRules) -> None:
    base, own = (RuleText("base.yaml", b"base"),), (RuleText("own.yaml", b"own"),)
    for tenant in ("acme", "beta"):
        activate(database, 1, "1.0.0", tenant=tenant)
        assert stored.save({None: RuleTexts(base), tenant: RuleTexts(base, own)})
    assert set(stored.revisions()) == {"acme", "beta"}
    with database.transaction() as db:
        assert forget_tenant(db, "acme") == 6
    assert set(stored.revisions()) == stored.saved_tenants() == {"beta"}
    assert stored.last_good("acme") is None
    assert stored.last_good(None) == RuleTexts(base)
    assert stored.last_good("beta") == RuleTexts(base, own)
    with database.transaction() as db:
        shelf = RuleShelf(db, "acme")
        assert (shelf.packs(), shelf.activations(), shelf.next_number()) == ([], [], 1)
        assert forget_tenant(db, "nobody") == 0


def test_a_reader_waits_for_no_writer(database: Database, stored: StoredRules) -> None:
    activate(database, 1, "1.0.0")
    with database.transaction() as db:
        RuleShelf(db, "acme").put(pack("2.0.0"))
        assert len(stored.texts("acme", MARCH)) == 1


def test_while_the_database_is_away_what_is_known_stays(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/rules.db"
    create_all(Database("load", url), METADATA)
    database = Database("load", url)
    stored = StoredRules(database)
    activate(database, 1, "1.0.0")
    known = stored.revisions()
    METADATA.drop_all(database.engine)
    assert stored.revisions() == known
    assert not stored.save({None: RuleTexts((RuleText("a", b"a"),))})
    database.dispose()
