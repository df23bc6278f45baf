"""What a service says of a database that is away, full or read-only, from its start on; and of a broker away."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from shared.db.engine import Database
from shared.db.writability import FULL, READ_ONLY
from shared.ops.settings import Settings
from tandem.runtime.databases import upgrade_databases
from tests.broker import Broker, free_port
from tests.contract.commands import RULES
from tests.disks import NOT_PERMITTED, fill, small_disk
from tests.postgres import Postgres, programs
from tests.processes import ServiceProcess

MEGABYTES = 160
"""A new server's files take about 40, its write-ahead log 16 at a time."""


def asked(process: ServiceProcess, path: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{process.port}/{path}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to this"
        time.sleep(0.1)


def missing(process: ServiceProcess) -> dict[str, str]:
    """By part; empty when it is ready."""
    status, told = asked(process, "readyz")
    listed = told["missing"]
    assert isinstance(listed, list)
    assert (status, told["ready"]) == ((503, False) if listed else (200, True))
    return {one["part"]: one["why"] for one in listed}


def answers(process: ServiceProcess) -> bool:
    try:
        return asked(process, "healthz")[0] == 200
    except OSError:
        return False


def test_a_service_waits_for_its_database_and_tells_when_it_is_full_or_read_only(
    broker: Broker, tmp_path: Path
) -> None:
    found = programs()
    assert found is not None, "this test needs PostgreSQL: apt-get install postgresql"
    with small_disk(MEGABYTES) as disk:
        if disk is None:
            pytest.skip(NOT_PERMITTED)
        server = Postgres(disk, found)
        server.create()
        server.start()
        url = server.new_database()
        upgrade_databases(Settings(database_url=url), ["load"])
        server.stop()
        variables = {
            "TANDEM_AMQP_URI": broker.uri,
            "TANDEM_DATABASE_URL": url,
            "TANDEM_RULES_DIR": str(RULES),
            "TANDEM_OUTBOX_SWEEP_SECONDS": "0.5",
        }
        process = ServiceProcess(tmp_path, "tandem", ("serve", "load"), variables).launch()
        try:
            until(lambda: answers(process))
            until(lambda: "database-load" in missing(process))
            assert missing(process)["database-load"] == "the database does not answer: OperationalError"
            server.start()
            until(lambda: missing(process) == {})
            log = process.log.read_text()
            assert log.count('"waiting for the database"') == 1 and '"the database is there"' in log
            assert '"level": "error"' not in log
            filling = fill(disk)
            until(lambda: missing(process) == {"database-load": FULL})
            until(lambda: 'tandem_database_writable{service="load"} 0.0' in process.metrics())
            assert asked(process, "healthz")[0] == 200
            filling.unlink()
            until(lambda: missing(process) == {}, 60)
            server.set_read_only("on")
            until(lambda: missing(process) == {"database-load": READ_ONLY})
            until(lambda: 'tandem_database_writable{service="load"} 0.0' in process.metrics())
            server.set_read_only("RESET")
            until(lambda: missing(process) == {}, 60)
            until(lambda: 'tandem_database_writable{service="load"} 1.0' in process.metrics())
            process.terminate()
            assert process.wait() == 0
        finally:
            process.kill()
            server.stop()


def test_a_service_waits_for_its_broker(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/{{service}}.sqlite3"
    upgrade_databases(Settings(database_url=url), ["load"])
    variables = {
        "TANDEM_AMQP_URI": f"amqp://guest:guest@127.0.0.1:{free_port()}//",
        "TANDEM_DATABASE_URL": url,
        "TANDEM_RULES_DIR": str(RULES),
    }
    process = ServiceProcess(tmp_path, "tandem", ("serve", "load"), variables).launch()
    try:
        until(lambda: answers(process))
        until(lambda: set(missing(process)) == {"broker-load"})
        assert missing(process)["broker-load"] == "load has no connection to the broker"
        assert process.is_running
        process.terminate()
        assert process.wait() == 0
        assert '"level": "error"' not in process.log.read_text()
    finally:
        process.kill()


def test_sqlite_on_a_full_disk_says_so(tmp_path: Path) -> None:
    with small_disk(MEGABYTES) as disk:
        if disk is None:
            pytest.skip(NOT_PERMITTED)
        database = Database("load", f"sqlite:///{disk}/load.sqlite3")
        with database.transaction() as db:
            db.connection().exec_driver_sql("CREATE TABLE t (x)")
        assert database.problem(2) is None
        filling = fill(disk)
        assert database.problem(2) == FULL
        filling.unlink()
        assert database.problem(2) is None
        database.dispose()


def test_what_a_database_has_just_refused_is_told_though_nothing_else_shows_it(tmp_path: Path) -> None:
    database = Database("load", f"sqlite:///{tmp_path}/load.sqlite3")
    with database.transaction() as db:
        db.connection().exec_driver_sql("CREATE TABLE t (x)")
    with pytest.raises(OperationalError, match="full"), database.transaction() as db:
        db.connection().exec_driver_sql("PRAGMA max_page_count = 1")  # a quota: the disk itself has room
        db.connection().exec_driver_sql("INSERT INTO t VALUES (zeroblob(100000))")
    assert database.problem(2) == FULL
    database.dispose()
