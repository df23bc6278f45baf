"""Who is set aside, and what becomes of it."""

import json
from datetime import UTC, datetime

import pytest

from shared.bus.delivery.dispatch import FairShares, sender_of
from shared.bus.delivery.processor import Processor
from shared.bus.delivery.retries import from_internal
from shared.db.engine import Database
from shared.db.migrations import create_all
from shared.messages.envelope import Delivery
from tests.ticking import Ticking
from tests.toy.service import ROUTES, Table

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def shares(clock: Ticking) -> FairShares:
    found = FairShares(share=0.2, in_hand=2, burst_s=1.0, now=clock)
    found.add_tenants(["acme", "globex"])
    return found


def test_whose_heavy_work_has_used_up_its_time_is_throttled_unless_it_waits_for_answers(clock: Ticking) -> None:
    shares = FairShares(share=0.2, in_hand=20, now=clock, over_budget=lambda tenant: tenant == "acme")
    shares.add_tenants(["acme"])
    assert shares.over_share({"acme": 15}) == frozenset()
    shares.add_tenants(["globex"])
    assert shares.over_share({"acme": 15, "globex": 15}) == {"acme"}
    assert shares.over_share({"acme": 1}) == frozenset()


def test_who_uses_up_its_share_is_throttled_and_comes_back(shares: FairShares, clock: Ticking) -> None:
    shares.charge({"acme": 10}, 1.0)
    assert shares.over_share({"acme": 3, "globex": 3}) == frozenset()
    shares.charge({"acme": 10}, 0.5)
    assert shares.over_share({"acme": 3, "globex": 3}) == {"acme"}
    clock.seconds += 2.4
    assert shares.over_share({"acme": 3}) == {"acme"}
    clock.seconds += 0.2
    assert shares.over_share({"acme": 3}) == frozenset()


def test_who_waits_for_its_answers_is_never_throttled(shares: FairShares) -> None:
    shares.charge({"acme": 100}, 10.0)
    assert shares.over_share({"acme": 2}) == frozenset()
    assert shares.over_share({"acme": 3}) == {"acme"}


def test_time_is_charged_by_messages(shares: FairShares) -> None:
    shares.charge({"acme": 99, "globex": 1}, 2.0)
    assert shares.over_share({"acme": 3, "globex": 3}) == {"acme"}


def test_what_one_tenant_alone_took_is_charged_to_it_alone(shares: FairShares) -> None:
    shares.charge({"acme": 1, "globex": 9}, 4.0, {"acme": 3.9})
    assert shares.over_share({"acme": 3, "globex": 3}) == {"acme"}


def test_few_messages_that_take_long_are_a_flood_too(shares: FairShares, clock: Ticking) -> None:
    shares.charge({"acme": 2, "globex": 100}, 3.0, {"acme": 2.9})
    assert shares.over_share({"acme": 2, "globex": 2}) == {"acme"}
    assert shares.over_share({"acme": 1}) == frozenset(), "one of them has to be taken at some time"
    clock.seconds += 5.1
    shares.charge({"acme": 30}, 1.01, {"acme": 1.0})
    clock.seconds += 0.1
    shares.charge({"acme": 30}, 0.1)
    shares.charge({"acme": 30}, 0.1)
    shares.charge({"acme": 30}, 0.1)
    shares.charge({"acme": 30}, 0.1)
    assert shares.over_share({"acme": 2}) == frozenset(), "its messages take little again"


def test_a_debt_is_never_deeper_than_a_burst(shares: FairShares, clock: Ticking) -> None:
    shares.charge({"acme": 1}, 1000.0)
    clock.seconds += 5.1
    assert shares.over_share({"acme": 3}) == frozenset()


def test_a_tenant_alone_is_never_throttled(clock: Ticking) -> None:
    alone = FairShares(share=0.2, in_hand=2, now=clock)
    alone.add_tenants(["acme"])
    alone.charge({"acme": 1}, 100.0)
    assert alone.over_share({"acme": 3}) == frozenset()


def test_one_whose_messages_were_all_refused_so_far_is_throttled_for_others(clock: Ticking) -> None:
    shares = FairShares(share=0.2, in_hand=2, now=clock)
    shares.add_tenants(["globex"])
    shares.charge({"acme": 1}, 100.0)
    assert shares.over_share({"acme": 3}) == {"acme"}


def test_a_forged_sender_is_charged_to_nobody() -> None:
    assert sender_of(Delivery("command", "globex.toy.add", b"", user_id="acme")) is None
    assert sender_of(Delivery("command", "globex.toy.add", b"")) is None
    assert sender_of(Delivery("event", "globex.toy.added", b"")) == "globex"


def add(tenant: str, number: int, **more: object) -> Delivery:
    headers = {
        "ce-id": f"{tenant}-{number}",
        "ce-source": "/t",
        "ce-type": "tandem.toy.add.v1",
        "ce-specversion": "1.0",
        "tandem-set-aside": "yes",
    }
    body = json.dumps({"athlete": "a1", "repetitions": 1}).encode()
    return Delivery("command", f"{tenant}.toy.add", body, "application/json", headers=headers, user_id=tenant, **more)  # type: ignore[arg-type]


def test_what_is_throttled_moves_unread_and_is_taken_from_there_once(shares: FairShares, database_url: str) -> None:
    create_all(Database("toy", database_url), Table.metadata)
    database = Database("toy", database_url)
    processor = Processor("toy", ROUTES, database, None, lambda: NOW, shares=shares)
    processor.process([add("acme", 0), add("globex", 0)])
    shares.charge({"acme": 1}, 10.0)

    batch = processor.process([add("acme", 1, in_hand=3), add("globex", 1), add("acme", 2, in_hand=3)])
    assert batch.done == 3
    moved = [row.message for row in batch.messages if row.message.exchange == "tandem.internal"]
    assert [message.routing_key for message in moved] == ["toy.crowded"] * 2
    assert [row.message.routing_key for row in batch.messages if row.message not in moved] == ["globex.toy.added"]

    back = from_internal(
        Delivery("command", "toy.crowded", moved[0].body, moved[0].content_type, headers=moved[0].headers)
    )
    assert (back.routing_key, back.user_id, back.throttled) == ("acme.toy.add", "acme", True)
    for _ in range(2):
        taken = processor.process([back])
        assert [row.message.routing_key for row in taken.messages] in (["acme.toy.added"], [])
    with database.transaction() as db:
        assert len(processor.store.inbox.find(db, [("acme", "acme-1")])) == 1
    database.dispose()
