"""A server that neither answers nor closes: every wait for it ends, and the next connection works."""

import socket
import time
from collections.abc import Iterator

import eventlet
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from shared.bus.transport.hub import HUB
from shared.db.engine import Database
from tests.faults.proxy import Proxy

WITHIN_S = 0.5


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    between = Proxy(make_url(postgres_url).port or 0)
    yield between
    between.stop()


def database_at(postgres_url: str, port: int | None, idle_within_s: float | None = None) -> Database:
    url = make_url(postgres_url).set(port=port).render_as_string(hide_password=False)
    return Database("quiet", url, True, WITHIN_S, idle_within_s, hub=HUB)


def test_a_connection_that_fell_silent_is_given_up_and_the_next_one_works(postgres_url: str, proxy: Proxy) -> None:
    database = database_at(postgres_url, proxy.port)
    with pytest.raises(OperationalError, match=r"the server said nothing for 0\.5 s"), database.transaction() as db:
        db.execute(text("SELECT 1"))
        assert proxy.freeze() == 1
        db.execute(text("SELECT 2"))
    with database.transaction() as db:
        assert db.execute(text("SELECT 3")).scalar() == 3


def test_a_commit_that_nobody_answers_is_an_error_too(postgres_url: str, proxy: Proxy) -> None:
    """Whether it was committed is not known, so the message is not acknowledged: the inbox tells on its redelivery."""
    database = database_at(postgres_url, proxy.port)
    with pytest.raises(OperationalError, match="said nothing"), database.transaction() as db:
        db.execute(text("SELECT 1"))
        proxy.freeze()


def test_a_hurried_batch_gives_way_to_others_after_a_moment(postgres_url: str) -> None:
    database = database_at(postgres_url, make_url(postgres_url).port)
    beats: list[float] = []

    def beat() -> None:
        while True:
            beats.append(time.monotonic())
            eventlet.sleep(0.01)

    heart = eventlet.spawn(beat)
    with database.batch(is_hurried=True) as db:
        assert db.connection().exec_driver_sql("SELECT 1").scalar_one() == 1
        db.connection().exec_driver_sql("SELECT pg_sleep(0.3)")
    heart.kill()
    assert len(beats) >= 5
    with database.batch() as db:
        assert not db.connection().connection.driver_connection.is_hurried  # type: ignore[union-attr]


def test_a_hurried_batch_gives_a_silent_server_up_too(postgres_url: str, proxy: Proxy) -> None:
    database = database_at(postgres_url, proxy.port)
    with pytest.raises(OperationalError, match="said nothing"), database.batch(is_hurried=True) as db:
        db.connection().exec_driver_sql("SELECT 1")
        proxy.freeze()
        db.connection().exec_driver_sql("SELECT 2")
    with database.batch(is_hurried=True) as db:
        assert db.connection().exec_driver_sql("SELECT 3").scalar_one() == 3


def test_connecting_to_a_server_that_says_nothing_has_an_end(postgres_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        database = database_at(postgres_url, mute.getsockname()[1])
        started = time.monotonic()
        with pytest.raises(OperationalError, match="said nothing"), database.transaction() as db:
            db.execute(text("SELECT 1"))
        assert time.monotonic() - started < 10 * WITHIN_S  # libpq's own bound, which green threads switch off, is 10 s


def test_a_statement_that_takes_too_long_is_given_up_by_the_server_itself(postgres_url: str) -> None:
    database = database_at(postgres_url, make_url(postgres_url).port)
    with pytest.raises(OperationalError, match="statement timeout"), database.transaction() as db:
        db.execute(text("SELECT pg_sleep(60)"))


def test_a_transaction_left_open_frees_its_locks(postgres_url: str, proxy: Proxy) -> None:
    """Its service is cut off, so the server hears neither a statement nor the end of the connection."""
    cut_off = database_at(postgres_url, proxy.port, idle_within_s=0.2)
    neighbour = Database("quiet", postgres_url)
    lock = text("SELECT pg_advisory_xact_lock(7)")
    with pytest.raises(OperationalError), cut_off.transaction() as db:
        db.execute(lock)
        proxy.freeze()
        with neighbour.transaction() as other:
            other.execute(lock)  # waits until the server has ended the first one


def test_who_sets_no_bound_may_take_as_long_as_it_takes(postgres_url: str) -> None:
    with Database("quiet", postgres_url).transaction() as db:
        assert db.execute(text("SHOW statement_timeout")).scalar() == "0"
