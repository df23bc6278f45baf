"""``tandem parked`` against a real broker: looked at without loss, replayed with a trace, dropped for good."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from services.load.handlers import ROUTES
from shared.bus.delivery.retries import Failure, Reason, to_park
from shared.bus.operations.parked_queue import RateLimit
from shared.bus.transport import topology
from shared.bus.transport.publisher import PipelinedPublisher
from shared.db.migrations import upgrade
from shared.messages.envelope import Delivery
from tests.broker import Broker
from tests.platform import PlatformClient
from tests.processes import ROOT

SECRET = "resting heart rate 47"
AT = datetime(2026, 3, 2, 7, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    upgrade("load", f"sqlite:///{tmp_path}/load.sqlite3", ROOT / "services" / "load" / "migrations")
    return tmp_path / "load.sqlite3"


@pytest.fixture
def queues(broker: Broker) -> Iterator[Any]:
    broker.forget("load.commands", "load.events", "load.parked", "load.dead")
    with Connection(broker.uri) as connection:
        channel = connection.channel()
        topology.declare(channel, "load", ROUTES)
        yield channel
    broker.forget("load.commands", "load.events", "load.parked", "load.dead")


def park(broker: Broker, number: int, tenant: str = "acme", reason: Reason = "handler_failed") -> None:
    delivery = Delivery(
        source="command",
        routing_key=f"{tenant}.load.record-session",
        body=json.dumps({"note": SECRET, "number": number}).encode(),
        content_type="application/json",
        headers={"ce-id": f"m{number}", "ce-type": "tandem.load.record-session.v1", "x-own": "gone"},
        user_id=tenant,
        attempts=4,
    )
    publisher = PipelinedPublisher(lambda: Connection(broker.uri))
    publisher.publish([to_park("load", delivery, Failure(reason, f"builtins.ValueError: {SECRET}", AT)).message])
    publisher.close()


def parked(broker: Broker, database: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")} | {
        "TANDEM_AMQP_URI": broker.uri,
        "TANDEM_LOAD_DATABASE_URL": f"sqlite:///{database}",
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-m", "tandem", "parked", *arguments, "--service", "load", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == code, done.stderr
    assert "--body" in arguments or SECRET not in done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    return document


def waiting(broker: Broker, queue: str) -> int:
    with Connection(broker.uri) as connection:
        return int(connection.channel().queue_declare(queue, passive=True).message_count)


def audit(database: Path) -> list[tuple[Any, ...]]:
    with sqlite3.connect(database) as connection:
        return list(connection.execute('SELECT tenant, "by", action, key, message_id, reason FROM parked_audit'))


def numbers(document: dict[str, Any]) -> list[str]:
    return [one["message"] for one in document["messages"]]


def test_looking_takes_nothing_and_keeps_the_order(broker: Broker, queues: Any, database: Path) -> None:
    for number in range(5):
        park(broker, number, tenant="acme" if number % 2 else "bravo")
    first = parked(broker, database, "list")
    assert numbers(first) == ["m0", "m1", "m2", "m3", "m4"]
    assert first["messages"][1] | {"id": ""} == {
        "service": "load",
        "id": "",
        "tenant": "acme",
        "key": "load.record-session",
        "message": "m1",
        "reason": "handler_failed",
        "error": "builtins.ValueError",
        "attempts": 4,
        "first_failed": AT.isoformat(),
        "last_failed": AT.isoformat(),
        "bytes": first["messages"][1]["bytes"],
        "replayable": True,
        "problem": None,
    }
    assert numbers(parked(broker, database, "list", "--tenant", "acme")) == ["m1", "m3"]
    assert numbers(parked(broker, database, "list", "--reason", "retries_exhausted")) == []
    shown = parked(broker, database, "show", first["messages"][2]["id"], "--body")["parked"]
    assert (shown[0]["message"], json.loads(shown[0]["body"])["note"]) == ("m2", SECRET)
    assert numbers(parked(broker, database, "list")) == ["m0", "m1", "m2", "m3", "m4"]


def test_messages_outlive_being_looked_at_more_often_than_the_delivery_limit(
    broker: Broker, queues: Any, database: Path
) -> None:
    park(broker, 1)
    for _ in range(topology.DELIVERY_LIMIT + 5):
        with Connection(broker.uri) as connection:
            assert connection.channel().basic_get("load.parked") is not None
    assert numbers(parked(broker, database, "list")) == ["m1"]


def test_replaying_gives_the_message_back_as_it_came(broker: Broker, queues: Any, database: Path) -> None:
    for number in range(3):
        park(broker, number)
    would = parked(broker, database, "replay", "--all", "--dry-run")
    assert (would["action"], numbers(would), audit(database)) == ("would replay", ["m0", "m1", "m2"], [])
    chosen = would["messages"][1]["id"]
    assert numbers(parked(broker, database, "replay", chosen, "--by", "dana")) == ["m1"]
    assert audit(database) == [("acme", "dana", "replay", "load.record-session", "m1", "handler_failed")]
    assert numbers(parked(broker, database, "list")) == ["m0", "m2"]
    back = queues.basic_get("load.commands", no_ack=True)
    headers = back.properties["application_headers"]
    assert {name: value for name, value in headers.items() if name != "x-delivery-count"} == {
        "ce-id": "m1",
        "ce-type": "tandem.load.record-session.v1",
        "ce-time": AT.isoformat(),  # it had none; the later it is replayed the younger it would be
        "tandem-replayed": "yes",
        "tandem-source": "command",
        "tandem-routing-key": "acme.load.record-session",
        "tandem-user-id": "acme",
    }
    assert json.loads(back.body)["number"] == 1


def test_dropping_needs_a_choice_and_leaves_a_trace(broker: Broker, queues: Any, database: Path) -> None:
    park(broker, 1, tenant="acme")
    park(broker, 2, tenant="bravo")
    parked(broker, database, "drop", code=2)
    assert numbers(parked(broker, database, "drop", "--tenant", "bravo", "--by", "dana")) == ["m2"]
    assert numbers(parked(broker, database, "list")) == ["m1"]
    assert audit(database) == [("bravo", "dana", "drop", "load.record-session", "m2", "handler_failed")]


def test_a_rate_is_kept() -> None:
    pace = RateLimit(50.0)
    waited = [pace.step() for _ in range(3)]
    assert waited[0] == 0.0 and all(0.0 < one <= 0.021 for one in waited[1:])


def test_what_the_broker_parked_is_not_believed_beyond_what_it_vouches_for(
    broker: Broker, queues: Any, database: Path
) -> None:
    """A sender may write any header; who it was, only the broker says."""
    platform = PlatformClient(broker.uri, "guest")
    forged = {"tandem-source": "event", "tandem-routing-key": "acme.load.record-session", "tandem-user-id": "acme"}
    platform.send("load.mark-day", {}, id="vouched", headers={"ce-id": "vouched", **forged})
    platform.send("load.mark-day", {}, id="forged", headers={"ce-id": "forged", **forged}, set_user=False)
    for queue in ("load.commands", "load.dead"):  # as services would that die of them every time, and of their death
        platform.until(lambda queue=queue: waiting(broker, queue) == 2, 20, f"not in {queue}")
        for _ in range(topology.DELIVERY_LIMIT + 1):
            with Connection(broker.uri) as connection:
                channel = connection.channel()
                while channel.basic_get(queue) is not None:
                    pass
    platform.until(lambda: waiting(broker, "load.parked") == 2, 20, "not parked")
    platform.close()
    found = {one["message"]: one for one in parked(broker, database, "list")["messages"]}
    assert {(one["tenant"], one["key"], one["reason"]) for one in found.values()} == {
        ("guest", "load.mark-day", "delivery_limit")
    }
    assert {name: one["replayable"] for name, one in found.items()} == {"vouched": True, "forged": False}
    replayed = parked(broker, database, "replay", "--all")
    assert (numbers(replayed), [one["message"] for one in replayed["kept"]]) == (["vouched"], ["forged"])


def test_a_broker_that_is_away_is_said_in_one_line(database: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tandem", "parked", "list", "--service", "load"]
    environment = os.environ | {"TANDEM_AMQP_URI": "amqp://guest:guest@127.0.0.1:1//"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: the broker at TANDEM_AMQP_URI: [Errno 111] ECONNREFUSED\n"
