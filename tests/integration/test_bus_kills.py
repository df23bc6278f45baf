"""A service that is killed or stopped at any moment: what was accepted has its effect once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Broker
from tests.faults.proxy import Proxy
from tests.platform import PlatformClient
from tests.processes import ServiceProcess


@pytest.fixture
def service(broker: Broker, database_url: str, tmp_path: Path) -> Iterator[ServiceProcess]:
    broker.forget("toy.commands", "toy.events", "toy.parked")
    variables = {
        "TANDEM_AMQP_URI": broker.uri,
        "TANDEM_DATABASE_URL": database_url,
        "TANDEM_OUTBOX_SWEEP_SECONDS": "0.5",
    }
    process = ServiceProcess(tmp_path, "tests.toy", (), variables)
    yield process
    process.kill()


@pytest.fixture
def platform(broker: Broker) -> Iterator[PlatformClient]:
    client = PlatformClient(broker.uri, "guest")
    yield client
    client.close()


def total_of(platform: PlatformClient, athlete: str) -> int:
    return int(platform.tell("toy.get", {"athlete": athlete})["data"]["repetitions"])


def test_killed_before_the_commit(platform: PlatformClient, service: ServiceProcess, broker: Broker) -> None:
    service.start()
    platform.reply_to(platform.send("toy.add", {"athlete": "k1", "repetitions": 1}))
    platform.send("toy.add", {"athlete": "k1", "repetitions": 999})  # the handler kills its own process with SIGKILL
    assert service.wait() == -9
    broker.control("purge_queue", "toy.commands")  # takes the poison away, as the delivery limit would in the end
    service.start()
    assert total_of(platform, "k1") == 1


@pytest.mark.parametrize("moment", ["before-ack", "before-publishing"])
def test_killed_after_the_commit(platform: PlatformClient, service: ServiceProcess, moment: str) -> None:
    """It has its effect once, its events once by id, and its reply, whenever the process comes back."""
    service.start(TOY_DIES=moment)
    platform.listen()
    identity = platform.send("toy.add", {"athlete": moment, "repetitions": 1})
    assert service.wait() == -9
    service.start()
    assert platform.reply_to(identity)["type"] == "tandem.toy.add.accepted.v1"
    platform.until(lambda: any(e["type"] == "tandem.toy.echoed.v1" for e in platform.events), 10, "no event")
    assert total_of(platform, moment) == 1
    effects = {event["id"] for event in platform.events if event["type"] != "tandem.toy.ticked.v1"}
    assert len(effects) == 2


def test_sigterm_drains_what_was_taken(platform: PlatformClient, service: ServiceProcess) -> None:
    service.start()
    ids = [platform.send("toy.add", {"athlete": "t1", "repetitions": 1}) for _ in range(300)]
    service.terminate()
    assert service.wait() == 0
    service.start()
    for identity in ids:
        assert platform.reply_to(identity)["type"] == "tandem.toy.add.accepted.v1"
    assert total_of(platform, "t1") == 300


@pytest.fixture
def proxy(broker: Broker) -> Iterator[Proxy]:
    between = Proxy(broker.port)
    yield between
    between.stop()


@pytest.fixture
def behind(broker: Broker, proxy: Proxy, tmp_path: Path) -> Iterator[ServiceProcess]:
    """A service that reaches its broker through the proxy."""
    broker.forget("toy.commands", "toy.events", "toy.parked", "toy.crowded")
    variables = {
        "TANDEM_AMQP_URI": broker.uri.replace(str(broker.port), str(proxy.port)),
        "TANDEM_DATABASE_URL": f"sqlite:///{tmp_path}/{{service}}.sqlite3",
        "TANDEM_HEARTBEAT_SECONDS": "2",
    }
    process = ServiceProcess(tmp_path, "tests.toy", (), variables).start()
    yield process
    process.kill()


def test_sigterm_while_the_broker_is_away_ends_the_service_at_once(behind: ServiceProcess, proxy: Proxy) -> None:
    proxy.stop()
    behind.until_not_ready()
    behind.terminate()
    assert behind.wait(15) == 0  # far below the deadline for draining: there is nothing to drain


def test_a_half_open_connection_is_given_up(platform: PlatformClient, behind: ServiceProcess, proxy: Proxy) -> None:
    assert total_after_one_more(platform) == 1
    assert proxy.freeze() > 0
    assert total_after_one_more(platform) == 2


def total_after_one_more(platform: PlatformClient) -> int:
    return int(platform.tell("toy.add", {"athlete": "h1", "repetitions": 1}, timeout=120)["data"]["total"])
