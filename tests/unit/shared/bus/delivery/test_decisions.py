from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.bus.delivery.processor import Processor
from shared.bus.delivery.unit_of_work import UnitOfWork, decisions_in
from shared.bus.routes import Accepted, Answered, Context, Incoming
from shared.db.engine import Database
from shared.db.migrations import create_all
from shared.ops import metrics
from tests.toy.service import ROUTES, Add, Table, add
from tests.unit.shared.bus.delivery.test_processor import delivery

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
RULE = {"pack": "base.sequencing", "rule": "same-day-gap"}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/toy.sqlite3"
    create_all(Database("toy", url), Table.metadata)
    database = Database("toy", url)
    yield database
    database.dispose()


def counted(decision: str) -> float:
    labels = {"service": "toy", "decision": decision}
    return metrics.registry.get_sample_value("tandem_decisions_total", labels) or 0.0


def test_what_names_its_rules_is_a_decision_even_if_no_rule_fired(database: Database) -> None:
    with database.transaction() as db:
        work = UnitOfWork("toy", "acme", db, None, lambda: NOW)
        work.emit("counted", {"total": 1}, "a1")
        work.emit("week-planned", {"decided_by": []}, "a1")
        assert decisions_in(work.emitted) == ["week-planned"]
        assert decisions_in([], "toy.check-week", Answered({"decided_by": [RULE]})) == ["check-week"]
        assert decisions_in([], "toy.add", Accepted({"decided_by": [RULE]})) == []


def test_decisions_are_counted_after_the_commit_and_not_for_what_was_undone(database: Database) -> None:
    def decide(context: Context, incoming: Incoming[Add]) -> Accepted:
        context.emit("judged", {"decided_by": [RULE]}, "a1")
        return add(context, incoming)

    routes = [replace(ROUTES[0], handle=decide), *ROUTES[1:]]
    processor = Processor("toy", routes, database, None, lambda: NOW)
    before = counted("judged")
    processor.process([delivery("m1", 1), delivery("m2", 13), delivery("m1", 1)])
    assert counted("judged") == before + 1
