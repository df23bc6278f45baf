"""Periodic work: however many athletes are due, a few at a time, and one's mistake is nobody else's."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.bus.delivery.inbox import DeliveryStore
from shared.bus.delivery.timers import Periodic
from shared.bus.delivery.unit_of_work import Calls
from shared.bus.routes import Context, Timer
from shared.db.engine import Database
from tests.toy.service import Table

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Night:
    """Two tenants' athletes, and who was handled in which transaction."""

    def __init__(self, due: dict[str, list[str]]) -> None:
        self.left = due
        self.calls: list[tuple[str, tuple[str, ...]]] = []

    def due(self, context: Context) -> Sequence[str]:
        return list(self.left[context.tenant])

    def handle(self, context: Context, athletes: Sequence[str]) -> None:
        if "broken" in athletes:
            raise RuntimeError("not this one")
        self.calls.append((context.tenant, tuple(athletes)))
        for athlete in athletes:
            self.left[context.tenant].remove(athlete)
            context.emit("done", {"athlete": athlete}, athlete)

    @property
    def timer(self) -> Timer:
        return Timer("night", 60, self.due, self.handle)


@pytest.fixture
def periodic(tmp_path: Path) -> Any:
    database = Database("toy", f"sqlite:///{tmp_path}/toy.db", durable=False)
    Table.metadata.create_all(database.engine)
    store = DeliveryStore()
    with database.transaction() as db:
        store.add_tenants(db, ["acme", "bravo"], NOW)
    yield Periodic(database, store, Calls("toy", None, lambda: NOW))
    database.dispose()


def test_all_have_their_turn_a_few_at_a_time_and_no_tenant_waits_for_a_large_one(periodic: Periodic) -> None:
    night = Night({"acme": [f"a{number}" for number in range(500)], "bravo": ["b1", "b2"]})
    published = list(periodic.run(night.timer))

    assert night.left == {"acme": [], "bravo": []}
    assert max(len(athletes) for _, athletes in night.calls) <= 100
    assert sorted(night.calls[1][1]) == ["b1", "b2"] and night.calls[1][0] == "bravo"
    assert sum(len(rows) for rows in published) == 502
    assert [len(rows) for rows in published] == [len(athletes) for _, athletes in night.calls]


def test_who_cannot_be_handled_keeps_nobody_else_from_it(periodic: Periodic) -> None:
    night = Night({"acme": ["a1", "broken", "a2", "a3"], "bravo": []})
    list(periodic.run(night.timer))
    assert night.left["acme"] == ["broken"]


def test_told_to_stop_it_ends_after_what_it_has_begun_and_goes_on_next_time(periodic: Periodic) -> None:
    night = Night({"acme": [f"a{number}" for number in range(50)], "bravo": []})
    list(periodic.run(night.timer, goes_on=lambda: not night.calls))
    assert len(night.calls) == 1 and len(night.left["acme"]) == 45
    list(periodic.run(night.timer))
    assert night.left["acme"] == []
