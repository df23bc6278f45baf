"""What a real broker will not have: a message that breaks the connection, a dead letter whose queue is full."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from tests.broker import Broker
from tests.platform import RUBBISH, PlatformClient
from tests.postgres import Postgres
from tests.processes import ServiceProcess

MISTAKE = {"athlete": "p1", "repetitions": 666}
PARKED = "toy.parked"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, postgres: Postgres, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/{{service}}.sqlite3" if request.param == "sqlite" else postgres.new_database()


@pytest.fixture
def service(broker: Broker, database_url: str, tmp_path: Path) -> Iterator[ServiceProcess]:
    broker.forget("toy.commands", "toy.events", PARKED, "toy.crowded")
    variables = {
        "TANDEM_AMQP_URI": broker.uri,
        "TANDEM_DATABASE_URL": database_url,
        "TANDEM_OUTBOX_SWEEP_SECONDS": "0.5",
    }
    process = ServiceProcess(tmp_path, "tests.toy", (), variables).start()
    yield process
    process.kill()
    broker.forget(PARKED)


@pytest.fixture
def platform(broker: Broker, service: ServiceProcess) -> Iterator[PlatformClient]:
    client = PlatformClient(broker.uri, "guest")
    client.listen()
    yield client
    client.close()


def figure(service: ServiceProcess, name: str) -> float:
    lines = [line for line in service.metrics().splitlines() if line.startswith(name)]
    return float(lines[0].rsplit(" ", 1)[1]) if lines else 0.0


def test_a_reply_address_that_breaks_the_brokers_channel_is_parked_and_stops_nobody(
    platform: PlatformClient, service: ServiceProcess, broker: Broker
) -> None:
    good = {"athlete": "a1", "repetitions": 1}
    platform.tell("toy.add", good)
    for number in range(3):
        platform.send("toy.add", good, id=f"poison-{number}", reply_to=RUBBISH)
        platform.send("toy.add", good)
    assert platform.tell("toy.add", good, 20)["data"]["total"] == 8
    # Whatever was under way beside a poisonous one may come twice, under the same id.
    added = lambda: {one["id"] for one in platform.events if one["routing_key"] == "guest.toy.added"}  # noqa: E731
    platform.until(lambda: len(added()) == 8, 20, "not every event")
    if tuple(int(part) for part in broker.control("version").split(".")[:2]) < (4, 1):
        parked: list[Any] = []
        platform.until(
            lambda: parked.append(platform.take(PARKED)) or len(list(filter(None, parked))) == 3, 20, "parked"
        )
        told = [one["headers"] for one in parked if one]
        assert {one["tandem-reason"] for one in told} == {"unpublishable"}
        assert {one["tandem-publish-key"] for one in told} == {RUBBISH}
        assert all("541" in one["tandem-error"] for one in told)
        assert figure(service, "tandem_messages_parked_total{") == 3
    else:  # RabbitMQ 4.3 knows that nobody is there
        platform.until(lambda: figure(service, "tandem_replies_dropped_total{") >= 3, 20, "not dropped")
    platform.until(lambda: figure(service, "tandem_outbox_oldest_seconds{") == 0.0, 10, "something is left")


def test_a_malformed_reply_address_is_refused_at_once(platform: PlatformClient) -> None:
    for address in ("amq.rabbitmq.reply-to.rubbish", "amq.rabbitmq.reply-to.", "amq.rabbitmq.reply-to.a.b.c"):
        platform.send("toy.add", {"athlete": "a1", "repetitions": 1}, reply_to=address)
    platform.until(lambda: len(platform.events) == 3, 10, "not told")
    codes = [error["code"] for event in platform.events for error in event["data"]["errors"]]
    assert codes == ["reply_to_refused"] * 3


def test_while_the_parked_queue_is_full_nothing_is_taken_in_and_nothing_published_twice(
    platform: PlatformClient, service: ServiceProcess, broker: Broker
) -> None:
    pattern = f"^{PARKED.replace('.', '[.]')}$"
    limits = '{"max-length": 2, "overflow": "reject-publish"}'
    broker.control("set_policy", "full", pattern, limits, "--apply-to", "queues", "--priority", "9")
    try:
        # A quorum queue tells publishers that it is full a little after it is.
        mistakes: list[str] = []
        platform.until(
            lambda: (
                mistakes.append(platform.send("toy.add", MISTAKE)) or figure(service, "tandem_outbox_refused_rows{")
            ),
            30,
            "intake was not paused",
        )
        published = figure(service, "tandem_events_published_total{")
        waits = platform.send("toy.add", {"athlete": "w1", "repetitions": 1})
        attempts = figure(service, "tandem_publish_failures_total{")
        deadline = time.monotonic() + 4
        platform.until(lambda: time.monotonic() > deadline, 10, "")
        assert waits not in platform.replies, "taken in although nothing could be parked"
        assert figure(service, "tandem_events_published_total{") == published
        assert figure(service, "tandem_publish_failures_total{") == attempts == 0.0
        assert service.is_ready()
    finally:
        broker.control("clear_policy", "full")
    assert platform.reply_to(waits, 30)["data"]["total"] == 1
    platform.until(lambda: figure(service, "tandem_outbox_oldest_seconds{") == 0.0, 20, "something is left")
    with Connection(broker.uri) as connection:
        channel = connection.channel()
        assert channel.queue_declare(PARKED, passive=True).message_count == len(mistakes)
