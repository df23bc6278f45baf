"""What the broker itself gives up: too old, or delivered in vain too often; and a deployment of before."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from shared.bus.operations.parked_queue import ParkedQueue
from shared.bus.queue_names import INTERNAL_EXCHANGE
from shared.bus.transport import topology
from shared.bus.transport.amqp_broker import AmqpBroker
from tests.broker import Broker
from tests.platform import PlatformClient
from tests.postgres import Postgres
from tests.processes import ServiceProcess
from tests.toy.service import ROUTES

QUEUES = ("toy.commands", "toy.events", "toy.crowded", "toy.parked", "toy.dead")
ADD = {"athlete": "a1", "repetitions": 1}


@pytest.fixture
def channel(broker: Broker) -> Iterator[Any]:
    broker.forget(*QUEUES)
    with Connection(broker.uri) as connection:
        channel = connection.channel()
        topology.declare(channel, "toy", ROUTES)
        yield channel
    broker.forget(*QUEUES)


@pytest.fixture
def platform(broker: Broker, channel: Any) -> Iterator[PlatformClient]:
    client = PlatformClient(broker.uri, "guest")
    client.listen()
    yield client
    client.close()


@pytest.fixture
def service(broker: Broker, postgres: Postgres, tmp_path: Path) -> Iterator[ServiceProcess]:
    """Not started yet."""
    variables = {"TANDEM_AMQP_URI": broker.uri, "TANDEM_DATABASE_URL": postgres.new_database()}
    process = ServiceProcess(tmp_path, "tests.toy", (), variables | {"TANDEM_OUTBOX_SWEEP_SECONDS": "0.5"})
    yield process
    process.kill()


def waiting(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


def depth_of(service: ServiceProcess, series: str) -> float:
    """-1 while it is not there."""
    lines = [line for line in service.metrics().splitlines() if line.startswith(series)]
    return float(lines[0].rsplit(" ", 1)[1]) if lines else -1


def figure(service: ServiceProcess, name: str) -> float:
    return sum(float(line.rsplit(" ", 1)[1]) for line in service.metrics().splitlines() if line.startswith(name + "{"))


def test_expired_messages_are_told_or_dropped_and_fill_no_parked_queue_not_even_an_old_deployments(
    channel: Any, platform: PlatformClient, service: ServiceProcess
) -> None:
    channel.queue_delete("toy.dead")
    channel.queue_bind("toy.parked", INTERNAL_EXCHANGE, "toy.parked")  # as it was: the broker parks what it gives up
    for number in range(3):
        platform.send("toy.add", ADD, id=f"before-{number}", expiration="1")
    platform.until(lambda: waiting(channel, "toy.parked") == 3, 10, "the old way")

    topology.declare(channel, "toy", ROUTES)
    sent = {platform.send("toy.add", ADD, expiration="1") for _ in range(60)}
    for _ in range(20):
        platform.send("toy.get", {"athlete": "a1"}, expiration="1")
    platform.until(lambda: waiting(channel, "toy.dead") == 80, 20, "the new way")
    service.start()
    platform.until(lambda: len(platform.events) == 60, 20, "not told")
    assert {event["data"]["message"] for event in platform.events} == sent
    assert {event["data"]["errors"][0]["code"] for event in platform.events} == {"expired"}
    platform.until(lambda: figure(service, "tandem_messages_expired_total") == 80, 10, "not counted")
    assert (platform.replies, waiting(channel, "toy.parked"), waiting(channel, "toy.dead")) == ({}, 3, 0)
    assert figure(service, "tandem_messages_parked_total") == 0
    assert platform.tell("toy.add", ADD)["data"]["total"] == 1


def test_what_was_delivered_in_vain_is_parked_told_and_settled_by_a_replay(
    channel: Any, platform: PlatformClient, service: ServiceProcess, broker: Broker
) -> None:
    platform.send("toy.add", ADD, id="in-vain")
    for _ in range(topology.DELIVERY_LIMIT + 1):  # as a service would that dies of it every time
        with Connection(broker.uri) as connection:
            assert connection.channel().basic_get("toy.commands") is not None
    platform.until(lambda: waiting(channel, "toy.dead") == 1, 10, "not given up")
    service.start()
    told = platform.reply_to("in-vain")
    assert (told["type"], told["data"]["code"]) == ("tandem.toy.add.parked.v1", "delivery_limit")
    platform.until(lambda: platform.events, 10, "no event")
    assert platform.events[0]["routing_key"] == "guest.toy.command-parked"
    assert (platform.events[0]["data"]["source"], platform.events[0]["data"]["message"]) == ("/platform", "in-vain")
    platform.until(lambda: waiting(channel, "toy.parked") == 1, 10, "not parked")
    depth = 'tandem_parked_messages{reason="delivery_limit"'
    platform.until(lambda: depth_of(service, depth) == 1, 15, "its depth is not told")
    with ParkedQueue("toy", lambda: AmqpBroker(lambda: Connection(broker.uri))) as parked:
        ((message, one),) = list(parked.read())
        assert (one.reason, one.message_id, one.problem) == ("delivery_limit", "in-vain", None)
        parked.replay(message, one, lambda: None)
    platform.until(lambda: len(platform.events) == 4, 10, "not settled")
    settled = [event["data"] for event in platform.events if event["type"] == "tandem.toy.command-settled.v1"]
    assert [(one["message"], one["outcome"]) for one in settled] == [("in-vain", "applied")]
    assert platform.replies["in-vain"]["type"] == "tandem.toy.add.accepted.v1"
    assert waiting(channel, "toy.parked") == 0
    platform.until(lambda: depth_of(service, depth) == 0, 15, "the depth stays")
