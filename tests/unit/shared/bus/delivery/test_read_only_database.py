"""A server that answers and takes nothing, as a standby or one with a full disk: for the consumer it is away."""

from pathlib import Path

import psycopg2
from sqlalchemy import make_url, select

from shared.bus.delivery.processor import Processor
from shared.db.delivery_tables import InboxRow
from shared.db.engine import Database
from shared.db.migrations import create_all
from tests.toy.service import ROUTES, Table
from tests.unit.shared.bus.delivery.test_processor import NOW, delivery


def set_read_only(url: str, read_only: bool) -> None:
    at = make_url(url)
    connection = psycopg2.connect(host=at.host, port=at.port, user=at.username, dbname="postgres")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{at.database}" SET default_transaction_read_only = {read_only}')
    connection.close()


def test_messages_wait_until_something_can_be_written_again(postgres_url: str) -> None:
    create_all(Database("toy", postgres_url), Table.metadata)
    set_read_only(postgres_url, True)
    database = Database("toy", postgres_url)
    work = Processor("toy", ROUTES, database, None, lambda: NOW)
    batch = work.process([delivery("m1", 1), delivery("m2", 1)])
    assert (batch.done, batch.messages, batch.database_away) == (0, (), True)
    set_read_only(postgres_url, False)
    database.dispose()  # what is connected keeps what it was told; a new connection hears the new word
    done = 0
    while done < 2:
        done += work.process([delivery(f"m{number}", 1) for number in (1, 2)][done:]).done
    with database.transaction() as db:
        assert {row.outcome for row in db.execute(select(InboxRow.outcome))} == {"accepted"}
    database.dispose()


def test_a_full_disk_is_waited_for_and_no_try_is_used_up_by_it(tmp_path: Path) -> None:
    """By a quota: small rows, as that of a retry, may still find room where a batch does not."""
    database = Database("toy", f"sqlite:///{tmp_path}/toy.sqlite3")
    Table.metadata.create_all(database.engine)
    work = Processor("toy", ROUTES, database, None, lambda: NOW)
    many = [delivery(f"m{number}", 1) for number in range(300)]
    with database.transaction() as db:
        pages = db.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        db.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages + 3}")
    batch = work.process(many)
    assert (batch.messages, batch.database_away) == ((), True)
    with database.transaction() as db:
        db.connection().exec_driver_sql("PRAGMA max_page_count = 1000000")
    done = batch.done
    while done < len(many):
        done += work.process(many[done:]).done
    with database.transaction() as db:
        assert {row.outcome for row in db.execute(select(InboxRow.outcome))} == {"accepted"}
    database.dispose()
