"""What a tenant writes into a message never becomes a metric's label: each new value would be a series for ever."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import OperationalError

from shared.bus.routes import Route
from shared.db.engine import Database
from shared.db.migrations import create_all
from shared.messages.envelope import Delivery, type_of
from shared.ops import metrics
from shared.ops.rule_metrics import RuleMetrics
from tests.toy.service import ROUTES, Add, Table
from tests.unit.shared.bus.delivery.test_processor import delivery, processor

WORD = "hostile"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database("toy", f"sqlite:///{tmp_path}/toy.sqlite3")
    create_all(Database("toy", str(database.url)), Table.metadata)
    yield database
    database.dispose()


def labels() -> set[str]:
    text = generate_latest(metrics.registry).decode()
    return {
        value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for name, value in sample.labels.items()
        if name != "le"
    }


def hostile() -> Iterator[Delivery]:
    """Every property and every part of a body that a tenant may choose, as an own word, and each refusal there is."""
    for number in range(3):
        word = f"{WORD}-{number}-{uuid.uuid4().hex}"
        known, unknown = delivery(word, 1), replace(delivery(word, 1), routing_key=f"acme.{word}.{word}")
        for sent in (known, unknown):
            yield sent
            yield replace(sent, user_id=None)
            yield replace(sent, user_id=f"{WORD}-{number}")
            yield replace(sent, reply_to=f"tenant.{word}.x")
            yield replace(sent, reply_to=f"tenant.{word}.x")  # the same again is a duplicate
            yield replace(sent, reply_to=f"tenant.{word}.x", body=b"{}")  # another one under its id
            yield replace(sent, content_type=word)
            yield replace(sent, content_encoding=word)
            yield replace(sent, unreadable=True)
            yield replace(sent, body=f'{{"athlete": "{word}", "{word}": 1}}'.encode())
            yield replace(sent, headers={**sent.headers, "ce-type": type_of(word), "ce-id": word + "x"})
        yield replace(known, routing_key=f"{word}.toy.add")
        yield replace(known, routing_key=word)
        yield replace(known, routing_key=f"acme.{word}\u0000\u00ff")


def test_no_label_is_chosen_by_a_tenant(database: Database) -> None:
    def fails(context: object, incoming: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("deadlock detected"))

    before = metrics.consumed.labels("toy", metrics.OTHER)._value.get()
    work = processor(database)
    for sent in hostile():
        assert work.process([sent]).done == 1
    failing = processor(database, [Route("command", "toy.add", Add, fails), *ROUTES[1:]])
    for sent in hostile():
        assert failing.process([sent]).done == 1
    watch = RuleMetrics()
    for number in range(3):
        watch.evaluated(f"base.{WORD}-{number}", "reference", 1, 0.001)
        watch.watched(f"{WORD}-{number}.sequencing", "rule")
    assert [label for label in labels() if WORD in label] == []
    assert metrics.consumed.labels("toy", metrics.OTHER)._value.get() > before + 20
