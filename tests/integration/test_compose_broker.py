"""The broker's configuration of deploy/rabbitmq on a real node, and what Prometheus is told to read from it."""

import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pika
import pytest
from ruamel.yaml import YAML

from tests.broker import Broker, free_port
from tests.compose import ROOT

RABBITMQ = ROOT / "deploy" / "rabbitmq"
JOBS = {
    job["job_name"]: job
    for job in YAML(typ="safe").load(ROOT / "deploy" / "prometheus" / "prometheus.yml")["scrape_configs"]
}


class DeployedBroker(Broker):
    """A node with the files that docker-compose.yml mounts; only its ports are the test's own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.metrics_port = free_port()
        ports = (
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = {self.metrics_port}\n"
            f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {free_port()}\n"
        )
        deployed = (RABBITMQ / "rabbitmq.conf").read_text(encoding="utf-8")
        (folder / "rabbitmq.conf").write_text(deployed + ports, encoding="utf-8")
        (folder / "enabled_plugins").write_bytes((RABBITMQ / "enabled_plugins").read_bytes())

    def scraped(self, job: str) -> str:
        """What Prometheus would read for ``job``."""
        path = JOBS[job].get("metrics_path", "/metrics")
        query = urlencode(JOBS[job].get("params", {}), doseq=True)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}{path}?{query}", timeout=10) as answer:
            return str(answer.read().decode())


@pytest.fixture(scope="module")
def deployed() -> Iterator[DeployedBroker]:
    with tempfile.TemporaryDirectory(prefix="tandem-deployed-", ignore_cleanup_errors=True) as folder:
        node = DeployedBroker(Path(folder))
        node.start()
        try:
            yield node
        finally:
            node.stop()


def test_the_broker_starts_with_it_and_takes_its_limits(deployed: DeployedBroker) -> None:
    environment = deployed.control("environment")
    assert "{max_message_size,1048576}" in environment
    assert "{consumer_timeout,600000}" in environment


def test_it_refuses_a_message_that_no_service_would_take(deployed: DeployedBroker) -> None:
    with pika.BlockingConnection(pika.URLParameters(deployed.uri)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="larger than configured max size"):
            channel.basic_publish("", "nobody", b"x" * 1_048_577)


def test_prometheus_finds_the_alarms(deployed: DeployedBroker) -> None:
    page = deployed.scraped("rabbitmq")
    assert "\nrabbitmq_alarms_memory_used_watermark 0" in page
    assert "\nrabbitmq_alarms_free_disk_space_watermark 0" in page


def test_prometheus_finds_the_length_of_each_queue(deployed: DeployedBroker) -> None:
    with pika.BlockingConnection(pika.URLParameters(deployed.uri)) as connection:
        channel = connection.channel()
        channel.queue_declare("load.commands", durable=True, arguments={"x-queue-type": "quorum"})
        channel.confirm_delivery()
        channel.basic_publish("", "load.commands", b"{}")
    wanted = 'rabbitmq_detailed_queue_messages_ready{vhost="/",queue="load.commands"} 1'
    deadline = time.monotonic() + 30
    # The broker counts every five seconds.
    while wanted not in (page := deployed.scraped("rabbitmq-queues")) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert wanted in page
    assert 'rabbitmq_detailed_queue_consumers{vhost="/",queue="load.commands"} 0' in page
