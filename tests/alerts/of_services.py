"""Proofs of the alerts about processes and what they stand on: dead, missing, without a broker or a database."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

import pika

from shared.bus.operations.management import Management
from shared.bus.operations.tenants import TenantLimits, Tenants, own_prefix
from tests.alerts.ground import Ground
from tests.alerts.of_messages import recorded
from tests.alerts.proof import Mend, Proof, Strike
from tests.disks import fill
from tests.faults.ground import MEMORY, NO_MEMORY


def _killed(ground: Ground) -> Iterator[None]:
    ground.processes["load"].kill()
    yield


def _started(service: str) -> Mend:
    def mend(ground: Ground) -> None:
        ground.processes[service].start()
        ground.find(service)

    return mend


def _gone(ground: Ground) -> Iterator[None]:
    ground.processes["periodization"].terminate()
    ground.processes["periodization"].wait()
    ground.lose("periodization")
    yield


def _broker_stopped(ground: Ground) -> Iterator[None]:
    ground.broker.stop()
    yield


def _broker_started(ground: Ground) -> None:
    ground.broker.start()


def _memory_short(ground: Ground) -> Iterator[None]:
    """A service that has much to tell as the broker takes nothing more."""
    ground.processes["load"].kill()
    with ground.platform() as platform:
        for number in range(50):
            platform.send("load.record-session", recorded("short", number))
    ground.broker.control(*NO_MEMORY)
    ground.processes["load"].launch()
    yield


def _memory_given(ground: Ground) -> None:
    ground.broker.control(*MEMORY)


def _database_stopped(ground: Ground) -> Iterator[None]:
    ground.postgres.stop()
    yield


def _database_started(ground: Ground) -> None:
    ground.postgres.start()


def _started_without(stop: Callable[[Ground], object]) -> Strike:
    def strike(ground: Ground) -> Iterator[None]:
        process = ground.processes["recovery"]
        process.kill()
        stop(ground)
        process.launch()
        yield

    return strike


def _read_only(ground: Ground) -> Iterator[None]:
    ground.postgres.set_read_only("on")
    yield


def _writable(ground: Ground) -> None:
    ground.postgres.set_read_only("RESET")


def _disk_full(ground: Ground) -> Iterator[None]:
    assert ground.disk is not None
    fill(ground.disk)
    yield


def _disk_freed(ground: Ground) -> None:
    assert ground.disk is not None
    (ground.disk / "filling").unlink()


def _given_no_time(ground: Ground) -> Iterator[None]:
    """As on a machine that swaps: the process stands still for longer than the alert's bound."""
    pid = ground.processes["periodization"].pid
    os.kill(pid, signal.SIGSTOP)
    time.sleep(6)
    os.kill(pid, signal.SIGCONT)
    yield


CROWD = "crowd"


def _crowded(ground: Ground) -> Iterator[None]:
    """A tenant made as deployed, with a queue for each request; a message in each, so that none goes by itself."""
    management = Management(ground.broker.management_url)
    password = Tenants(management).add(CROWD, TenantLimits())
    parameters = pika.URLParameters(ground.broker.uri)
    parameters.credentials = pika.PlainCredentials(CROWD, password)
    with contextlib.suppress(pika.exceptions.AMQPError), pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        channel.exchange_declare(own_prefix(CROWD) + "door", "fanout", durable=True)
        for number in range(25):
            queue = channel.queue_declare(f"{own_prefix(CROWD)}{number}", durable=True).method.queue
            channel.queue_bind(queue, own_prefix(CROWD) + "door")
        channel.basic_publish(own_prefix(CROWD) + "door", "", b"{}")
    yield


def _queues_deleted(ground: Ground) -> None:
    for number in range(25):
        ground.broker.control("delete_queue", f"{own_prefix(CROWD)}{number}")


PROOFS = (
    Proof(
        "TandemServiceDown",
        "load killed by kill -9",
        _killed,
        "Restart the process",
        _started("load"),
        lane="load",
        labels=lambda ground: {"instance": ground.instance("load")},
    ),
    Proof(
        "TandemServiceMissing",
        "periodization stopped, its name resolves to nothing",
        _gone,
        "Start it",
        _started("periodization"),
        lane="periodization",
        labels=lambda _: {"tandem_service": "periodization"},
    ),
    Proof(
        "TandemBrokerAway",
        "RabbitMQ stopped",
        _broker_stopped,
        "Services connect again by themselves",
        _broker_started,
    ),
    Proof(
        "TandemBrokerHoldsPublishersBack",
        "RabbitMQ short of memory while load publishes",
        _memory_short,
        "Give the node memory or disk",
        _memory_given,
        also=("TandemOutboxStuck", "as soon as the broker takes them"),
        fires_within_s=120,  # the oldest event has to be a minute old
        clears_within_s=90,
    ),
    Proof(
        "TandemDatabaseAway",
        "PostgreSQL stopped",
        _database_stopped,
        "go on by themselves once it answers",
        _database_started,
    ),
    Proof(
        "TandemBrokerAway",
        "recovery started while RabbitMQ is stopped",
        _started_without(lambda ground: ground.broker.stop()),
        "Services connect again by themselves",
        _broker_started,
        labels=lambda ground: {"instance": ground.instance("recovery")},
    ),
    Proof(
        "TandemDatabaseAway",
        "recovery started while PostgreSQL is stopped",
        _started_without(lambda ground: ground.postgres.stop()),
        "go on by themselves once it answers",
        _database_started,
        labels=lambda ground: {"instance": ground.instance("recovery")},
    ),
    Proof(
        "TandemDatabaseNotWritable",
        "PostgreSQL's disk full",
        _disk_full,
        "delete what is not the database's",
        _disk_freed,
        fills_disk=True,
    ),
    Proof(
        "TandemEventLoopStalls",
        "periodization gets no time for 6 s",
        _given_no_time,
        "the machine gives it no time",
        lane="periodization",
        labels=lambda ground: {"instance": ground.instance("periodization")},
        clears_within_s=90,
    ),
    Proof(
        "TandemDatabaseNotWritable",
        "PostgreSQL set read-only",
        _read_only,
        "ALTER SYSTEM RESET default_transaction_read_only, then SELECT pg_reload_conf()",
        _writable,
    ),
    Proof(
        "TandemTenantRestricted",
        "a tenant declares 25 queues where 20 are allowed",
        _crowded,
        "delete its queues: rabbitmqctl delete_queue NAME",
        _queues_deleted,
        clears_within_s=90,  # it is restricted for a minute at least
    ),
)
