"""A message that kills its service, among innocent ones that were in hand with it: the killer alone is parked."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection

from shared.bus.delivery.suspects import DEATHS, SUSPECT_AFTER
from tests.broker import Broker
from tests.platform import PlatformClient
from tests.processes import ServiceProcess

COMMANDS, PARKED = "toy.commands", "toy.parked"
KILLER = "killer"


@pytest.fixture
def service(broker: Broker, postgres_url: str, tmp_path: Path) -> Iterator[ServiceProcess]:
    queues = (COMMANDS, "toy.events", PARKED, "toy.crowded")
    broker.forget(*queues)
    variables = {
        "TANDEM_AMQP_URI": broker.uri,
        "TANDEM_DATABASE_URL": postgres_url,
        "TANDEM_OUTBOX_SWEEP_SECONDS": "0.5",
    }
    process = ServiceProcess(tmp_path, "tests.toy", (), variables)
    yield process
    process.kill()
    broker.forget(*queues)


def hand_over_in_vain(broker: Broker, times: int) -> None:
    """As to a service that dies with all of it in hand."""
    for _ in range(times):
        with Connection(broker.uri) as connection:
            channel = connection.channel()
            while channel.basic_get(COMMANDS) is not None:
                pass


def test_the_killer_alone_is_parked_and_all_else_has_its_effect_once(broker: Broker, service: ServiceProcess) -> None:
    platform = PlatformClient(broker.uri, "guest")
    try:
        service.start()
        platform.tell("toy.add", {"athlete": "a0", "repetitions": 1})
        service.kill()
        ids = [KILLER if number == 10 else f"m{number}" for number in range(60)]
        for identity in ids:
            platform.send("toy.add", {"athlete": "a0", "repetitions": 999 if identity == KILLER else 1}, id=identity)
        hand_over_in_vain(broker, SUSPECT_AFTER)
        deaths, letter, deadline = 0, None, time.monotonic() + 100
        service.launch()
        while letter is None or len(platform.replies) < len(ids):  # one for each innocent, and the first
            assert time.monotonic() < deadline, f"{letter}, {len(platform.replies)} replies, {deaths} deaths"
            if service.wait_at_most(0.1) is not None:
                deaths += 1
                service.launch()
            looked = iter((False, True))
            platform.until(lambda: next(looked), 5, "")  # noqa: B023 - called before the next round
            letter = letter or platform.take(PARKED)
        assert (deaths, letter["id"], letter["headers"]["tandem-reason"]) == (DEATHS, KILLER, "kills_service")
        assert platform.tell("toy.get", {"athlete": "a0"})["data"]["repetitions"] == len(ids)
        assert platform.take(PARKED) is None
        assert "no callbacks" not in service.log.read_text(), "what came with the word that it consumes was rejected"
    finally:
        platform.close()
