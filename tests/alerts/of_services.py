"""Proofs of the alerts about processes and what they stand on: dead, missing, without a broker or a database."""

from collections.abc import Iterator

from tests.alerts.ground import Ground
from tests.alerts.of_messages import recorded
from tests.alerts.proof import Mend, Proof
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


def _alter_system(ground: Ground, how: str) -> None:
    with ground.owned() as cursor:
        cursor.connection.autocommit = True
        cursor.execute(f"ALTER SYSTEM {how}")
        cursor.execute("SELECT pg_reload_conf()")


def _read_only(ground: Ground) -> Iterator[None]:
    _alter_system(ground, "SET default_transaction_read_only = on")
    yield


def _writable(ground: Ground) -> None:
    _alter_system(ground, "RESET default_transaction_read_only")


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
        "TandemDatabaseNotWritable",
        "PostgreSQL set read-only",
        _read_only,
        "ALTER SYSTEM RESET default_transaction_read_only, then SELECT pg_reload_conf()",
        _writable,
    ),
)
