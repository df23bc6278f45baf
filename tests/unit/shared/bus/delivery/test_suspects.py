"""Which message killed its service: marks that outlive it, and nothing else beside what may kill."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from shared.bus.delivery.inbox import Inbox
from shared.bus.delivery.suspects import DEATHS, Alone, KillsService, Suspects
from shared.db.delivery_tables import InboxRow
from shared.db.engine import Database
from shared.db.migrations import create_all
from tests.toy.service import Table

ONE, OTHER = ("acme", "m1"), ("acme", "m2")
NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database("toy", f"sqlite:///{tmp_path}/toy.sqlite3")
    create_all(made, Table.metadata)
    return made


def test_begun_and_never_ended_often_enough_is_the_one_and_its_neighbours_are_not(database: Database) -> None:
    for _ in range(DEATHS):
        process = Suspects(database)
        process.begin(OTHER, NOW)
        process.end(OTHER)
        process.begin(ONE, NOW)  # and here the process dies
    process = Suspects(database)
    process.begin(OTHER, NOW)
    with pytest.raises(KillsService):
        process.begin(ONE, NOW)


def test_one_process_counts_once_however_often_it_tries(database: Database) -> None:
    process = Suspects(database)
    for _ in range(DEATHS + 1):
        process.begin(ONE, NOW)
    Suspects(database).begin(ONE, NOW)


def test_a_mark_is_no_message_that_was_taken(database: Database) -> None:
    process = Suspects(database)
    process.begin(ONE, NOW)
    with database.transaction() as db:
        assert Inbox().find(db, [ONE]) == {}
    process.end(ONE)
    with database.transaction() as db:
        assert list(db.scalars(select(InboxRow.message_id))) == []


def test_whoever_is_alone_has_nobody_beside() -> None:
    lock, order = Alone(), []
    first_in, go_on = threading.Event(), threading.Event()

    def beside() -> None:
        with lock.beside():
            first_in.set()
            go_on.wait(5)
            order.append("beside")

    def alone() -> None:
        with lock.alone():
            order.append("alone")

    def late() -> None:
        with lock.beside():
            order.append("late")

    threads = [threading.Thread(target=beside)]
    threads[0].start()
    first_in.wait(5)
    threads += [threading.Thread(target=alone)]
    threads[1].start()
    while not lock._waiting:
        first_in.wait(0.01)
    threads += [threading.Thread(target=late)]
    threads[2].start()
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert order == ["beside", "alone", "late"]
