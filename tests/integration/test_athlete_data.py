"""``tandem athlete export`` and ``erase`` on a real broker and both databases: everything is given out, nothing stays.

The athlete's id, and every text that somebody could write, hold one word that is then looked for everywhere: in every
column of every table of every service, in the files of SQLite, in every queue.
"""

import contextlib
import json
import re
import shlex
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import eventlet
import pytest
from click.testing import CliRunner, Result
from kombu import Connection
from sqlalchemy import Boolean, Date, Float, Integer, LargeBinary, insert, select, text
from sqlalchemy.orm import Session

from shared.bus.delivery.retries import Failure, to_park, to_retry
from shared.bus.operations.erase_from_queues import QueuesOfErased, digests_of
from shared.bus.transport.publisher import PipelinedPublisher
from shared.bus.transport.runner import Running
from shared.bus.transport.wiring import Wiring
from shared.contract.words import SERVICES
from shared.db.engine import Database
from shared.db.row_security import act_for
from shared.db.tables import UtcDateTime
from shared.messages.envelope import Delivery
from shared.ops.settings import Settings
from shared.rules.lifecycle.rule_book import RuleBook
from tandem.athlete_data.parts import NAMES_NOBODY, parts_of
from tandem.athlete_data.waiting import WaitingMessages, queues_of
from tandem.cli import tandem
from tandem.offline.shipped_rules import shipped_rules
from tandem.runtime.broker import broker_of, declare_services
from tandem.runtime.databases import upgrade_databases
from tandem.runtime.service_classes import all_services, service_named
from tests.breakin.bodies import bodies
from tests.broker import Broker
from tests.platform import PlatformClient

TENANT = "guest"
MARK = "marker7f"
ATHLETE = f"{MARK}-athlete"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "export-or-erase-an-athlete.md"
SECONDS = 60.0


@dataclass
class Ground:
    broker: Broker
    settings: Settings
    platform: PlatformClient
    running: Running
    folder: Path

    def command(self, *arguments: str) -> Result:
        environment = {"TANDEM_AMQP_URI": self.settings.amqp_uri, "TANDEM_DATABASE_URL": self.settings.database_url}
        return CliRunner().invoke(tandem, ["athlete", *arguments], env=environment)

    def rows(self) -> dict[str, list[str]]:
        """By ``service.table`` every row that holds the word anywhere, as text."""
        found: dict[str, list[str]] = {}
        for service in SERVICES:
            database = Database(service, self.settings.database_url_of(service))
            with database.reading() as db:
                for name, table in service_named(service).metadata.tables.items():
                    held = [str(dict(row)) for row in db.execute(select(table)).mappings()]
                    if marked := [row for row in held if MARK in row]:
                        found[f"{service}.{name}"] = marked
            database.dispose()
        return found

    @contextlib.contextmanager
    def transaction(self, service: str) -> Iterator[Session]:
        database = Database(service, self.settings.database_url_of(service))
        with database.transaction() as db:
            act_for(db, TENANT)
            yield db
        database.dispose()

    def quiet(self) -> None:
        """Waits until the services have taken everything and sent everything."""
        still = 0
        for _ in range(int(SECONDS / 0.1)):
            eventlet.sleep(0.1)
            still = still + 1 if not self._under_way() else 0
            if still == 4:
                return
        raise AssertionError("the services do not come to rest")

    def _under_way(self) -> int:
        with Connection(self.broker.uri) as connection, connection.channel() as channel:
            queues = [f"{service}.{kind}" for service in SERVICES for kind in ("commands", "events", "crowded")]
            waiting = sum(channel.queue_declare(queue, passive=True).message_count for queue in queues)
        return waiting + self.running.in_flight()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def ground(
    request: pytest.FixtureRequest, broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """The four services in this process, for all tests: what one leaves behind another finds."""
    folder = tmp_path_factory.mktemp("held")
    database_url = f"sqlite:///{folder}/{{service}}.sqlite3"
    if request.param == "postgresql":
        database_url = request.getfixturevalue("postgres").new_database()
    broker.forget(*(queue for service in SERVICES for queue in queues_of(service)))
    settings = Settings(amqp_uri=broker.uri, database_url=database_url, outbox_sweep_seconds=60, tenant_share=1)
    upgrade_databases(settings, SERVICES)
    declare_services(settings)
    with contextlib.closing(RuleBook(shipped_rules(), "reference")) as book:
        running = Running(all_services(), Wiring(settings, book))
        running.start()
        platform = PlatformClient(broker.uri, TENANT)
        found = Ground(broker, settings, platform, running, folder)
        try:
            yield found
        finally:
            platform.close()
            running.stop()
            broker.forget(*(queue for service in SERVICES for queue in queues_of(service)))


def furnish(ground: Ground) -> None:
    """One of everything, a refused command that quotes the word, a parked message and one that waits for a try."""
    given = bodies(ATHLETE, MARK)
    last = ("scheduling.move-session", "load.remove-session")
    for key in sorted(given, key=lambda key: (key != "athlete.put", key in last)):
        if key != "athlete.erase" and not key.startswith("rules."):
            ground.platform.tell(key, given[key], SECONDS)
    ground.platform.tell("load.record-session", {"athlete": ATHLETE, MARK: 1}, SECONDS)
    wait(ground, datetime.now(UTC))


def wait(ground: Ground, at: datetime) -> None:
    sent = Delivery(
        "event",
        f"{TENANT}.load.session-scored",
        json.dumps({"athlete": ATHLETE, "session": MARK}).encode(),
        "application/json",
        headers={"ce-id": uuid.uuid4().hex, "ce-time": at.isoformat()},
        attempts=3,
    )
    failure = Failure("event_refused", f"builtins.ValueError: {MARK}", datetime.now(UTC))
    publisher = PipelinedPublisher(lambda: Connection(ground.broker.uri))
    publisher.publish([to_park("recovery", sent, failure).message, to_retry("scheduling", sent, failure).message])
    command = Delivery(
        "command",
        f"{TENANT}.recovery.record-wellness",
        json.dumps({"athlete": ATHLETE, "date": "2026-03-02", "mood": 3}).encode(),
        "application/json",
        headers={"ce-id": f"parked-{at.timestamp()}", "ce-source": "/platform", "ce-time": at.isoformat()},
    )
    publisher.publish([to_park("recovery", command, failure).message])
    other = Delivery("event", sent.routing_key, b'{"athlete": "other"}', "application/json")
    publisher.publish([to_park("recovery", other, failure).message])
    publisher.close()


def in_queues(ground: Ground, athlete: str = ATHLETE) -> dict[str, int]:
    with broker_of(ground.settings)() as broker:
        waiting = WaitingMessages(broker, TENANT, athlete)
        return waiting.counts()


def test_all_that_is_held_is_given_out_and_then_nothing_is_left(ground: Ground) -> None:
    furnish(ground)
    ground.quiet()
    held = ground.rows()
    assert {name.partition(".")[2] for name in held} >= {"athletes", "sessions", "mornings", "coach_deloads", "inbox"}

    file = ground.folder / "export.json"
    done = ground.command("export", "--tenant", TENANT, ATHLETE, "--output", str(file))
    assert done.exit_code == 0, done.output
    assert file.stat().st_mode & 0o077 == 0
    document = json.loads(file.read_text())
    for name, rows in held.items():
        service, table = name.split(".")
        assert len(document["services"][service][table]["rows"]) >= len(rows), name
    queues = {name: len(queue["messages"]) for name, queue in document["queues"].items() if queue["messages"]}
    assert queues == {"recovery.parked": 2, "scheduling.events.wait.600": 1}
    assert document["queues"]["recovery.parked"]["messages"][0]["body"]["session"] == MARK
    again = ground.command("export", "--tenant", TENANT, ATHLETE)
    assert {**json.loads(again.stdout), "exported_at": ""} == {**document, "exported_at": ""}

    would = ground.command("erase", "--tenant", TENANT, ATHLETE, "--dry-run", "--json")
    assert would.exit_code == 0 and json.loads(would.stdout)["held"]["queues"] == queues
    assert ground.rows() == held
    erased = ground.command("erase", "--tenant", TENANT, ATHLETE, "--yes", "--json")
    assert erased.exit_code == 0, erased.output
    assert json.loads(erased.stdout)["erased_by"] == list(SERVICES)
    ground.quiet()
    assert ground.rows() == {}
    assert (in_queues(ground), in_queues(ground, "other")) == ({}, {"recovery.parked": 1})
    for service in SERVICES:  # as each does every hour: what the erase itself said leaves the write-ahead log, too
        ground.running.bus_of(service).retention.forget(datetime.now(UTC))
    for stored in ground.folder.glob("*.sqlite3*"):
        assert MARK.encode() not in stored.read_bytes(), stored.name

    before = datetime.now(UTC) - timedelta(hours=1)
    for key, body in bodies(ATHLETE, MARK).items():  # sent before the erase, and late
        if not key.startswith(("rules.", "athlete.erase")):
            identity = uuid.uuid4().hex
            headers = {
                "ce-id": identity,
                "ce-source": "/late",
                "ce-type": f"tandem.{key}.v1",
                "ce-specversion": "1.0",
                "ce-time": before.isoformat(),
                "ce-subject": ATHLETE,
            }
            ground.platform.tell(key, body, SECONDS, id=identity, headers=headers)
    wait(ground, before)
    for service in SERVICES:  # as each does every hour
        erasures = ground.running.bus_of(service).retention.erased()
        QueuesOfErased(service, broker_of(ground.settings)).erase_since(erasures)
    ground.quiet()
    assert ground.rows() == {}
    assert in_queues(ground) == {"scheduling.events.wait.600": 1}  # taken within ten minutes, and then without effect

    nobody = ground.command("export", "--tenant", TENANT, "nobody")
    gone = ground.command("export", "--tenant", TENANT, ATHLETE, "--without-queues")
    assert (gone.exit_code, gone.stdout, gone.stderr.replace(ATHLETE, "nobody")) == (2, "", nobody.stderr)
    foreign = ground.command("erase", "--tenant", "globex", "other", "--yes")
    assert (foreign.exit_code, foreign.stderr) == (2, "tenant globex has no athlete other: nothing is held\n")


EXAMPLES: dict[type, Any] = {
    Boolean: True,
    Date: date(2026, 3, 2),
    Float: 1.0,
    Integer: 1,
    LargeBinary: b"1",
}


def example(column: Any) -> Any:
    if isinstance(column.type, UtcDateTime):
        return datetime(2026, 3, 2, tzinfo=UTC)
    found = next((value for kind, value in EXAMPLES.items() if isinstance(column.type, kind)), None)
    return found if found is not None else {} if column.type.python_type is dict else "x"


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_is_exported_or_names_nobody(service: str) -> None:
    """A new table fails here until somebody has said what it holds."""
    tables = service_named(service).metadata.tables
    parts = {part.table.name: part for part in parts_of(service, service_named(service).metadata, TENANT, ATHLETE)}
    assert set(parts) | (set(NAMES_NOBODY) & set(tables)) == set(tables)
    assert {name for name, part in parts.items() if part.held} == {n for n, t in tables.items() if "athlete" in t.c}
    assert not any("athlete" in tables[name].c for name in NAMES_NOBODY)


def test_every_table_with_an_athlete_is_emptied_and_the_mark_left_is_a_hash(ground: Ground) -> None:
    """Rows put straight into every table, so that one no message fills in these tests is not forgotten either."""
    for service in SERVICES:
        with ground.transaction(service) as db:
            for table in service_named(service).metadata.tables.values():
                if "athlete" in table.c and table.name != "athletes":
                    row = {column.name: example(column) for column in table.columns}
                    db.execute(insert(table), [row | {"tenant": TENANT, "athlete": ATHLETE}])
    assert len(ground.rows()) >= 20
    done = ground.command("erase", "--tenant", TENANT, ATHLETE, "--yes")
    assert done.exit_code == 0, done.output
    ground.quiet()
    assert ground.rows() == {}
    for service in SERVICES:
        with ground.transaction(service) as db:
            rows = db.execute(text("SELECT * FROM erasures")).all()
        assert any(set(row) & set(digests_of(TENANT, ATHLETE)) for row in rows)


@pytest.mark.parametrize("ground", ["sqlite"], indirect=True)  # the page names no database: typing it once is enough
def test_the_how_to_is_typed_as_it_stands(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ground.folder)
    ground.platform.tell("athlete.put", {"athlete": "a1", "timezone": "Europe/Berlin"}, SECONDS)
    ground.quiet()
    page = PAGE.read_text(encoding="utf-8")
    commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    assert len(commands) == 3
    for line in commands:
        program, group, *arguments = shlex.split(line.replace("acme", TENANT))
        assert (program, group) == (".venv/bin/tandem", "athlete")
        done = ground.command(*arguments)
        assert done.exit_code == 0, (line, done.output)
    exported = json.loads((ground.folder / "a1.json").read_text())
    assert set(exported["services"]) == set(SERVICES)
    nothing = ground.command("export", "--tenant", TENANT, "a1")
    assert nothing.stderr.strip().replace(TENANT, "acme") in page


def test_what_is_away_or_missing_is_told_in_one_line(broker: Broker, tmp_path: Path) -> None:
    arguments = ["athlete", "export", "--tenant", TENANT, ATHLETE]
    address = f"sqlite:///{tmp_path}/{{service}}.sqlite3"

    def told(*more: str, **environment: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(tandem, [*arguments, *more], env=environment)
        return done.exit_code, done.stdout, done.stderr

    reaching = {"TANDEM_AMQP_URI": broker.uri, "TANDEM_DATABASE_URL": address}
    missing = f"Error: load: there is no database {tmp_path}/load.sqlite3; set TANDEM_DATABASE_URL\n"
    assert told(**reaching) == (1, "", missing)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "load.sqlite3").touch()
    code, _, error = told("--without-queues", **reaching)
    assert code == 1 and re.search("load: tables are at revision none.*run: tandem db upgrade", error)
    away = {"TANDEM_DATABASE_URL": "postgresql+psycopg2://nobody:secret@127.0.0.1:1/none"}
    code, _, error = told("--without-queues", **away)
    assert (code, error) == (
        1,
        "Error: load: its database does not answer (OperationalError); see TANDEM_DATABASE_URL\n",
    )
    code, _, error = told(TANDEM_AMQP_URI="amqp://guest:guest@127.0.0.1:1//", TANDEM_DATABASE_URL=address)
    assert code == 1 and "127.0.0.1:1" in error and "--without-queues" in error and "guest:guest" not in error
