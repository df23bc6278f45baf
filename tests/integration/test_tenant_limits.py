"""What a tenant may have of its own on a real broker: beyond it, it is refused, and nobody else."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pika
import pytest

from shared.bus.operations.management import Management
from shared.bus.operations.policies import definitions, set_policies
from shared.bus.operations.tenant_watch import TenantWatch
from shared.bus.operations.tenants import TenantLimits, Tenants
from shared.ops.settings import Settings
from tandem.runtime.broker import declare_services, tenant_uri
from tests.broker import Broker
from tests.platform import PlatformClient

POLICIES = Path(__file__).parents[2] / "deploy" / "rabbitmq"
REFUSED = (pika.exceptions.ChannelClosedByBroker, pika.exceptions.ConnectionClosedByBroker)
MOST, MOST_BYTES = 40, 1_000_000


class Place:
    """Two tenants on one broker, and what keeps them to their limits; ``now`` is the watch's clock."""

    def __init__(self, broker: Broker) -> None:
        declare_services(Settings(amqp_uri=broker.uri))
        self.management = Management(broker.management_url)
        set_policies(self.management)
        self.tenants = Tenants(self.management)
        names = ("flooder", "neighbour")
        self.uris = {name: tenant_uri(broker.uri, name, self.tenants.add(name, TenantLimits())) for name in names}
        self.now = 0.0
        self.watch = TenantWatch(self.management, MOST, MOST_BYTES, lambda: self.now)

    @contextmanager
    def connect(self, tenant: str) -> Iterator[Any]:
        """Whoever becomes restricted loses its connections."""
        connection = pika.BlockingConnection(pika.URLParameters(self.uris[tenant]))
        try:
            yield connection
        finally:
            with contextlib.suppress(pika.exceptions.AMQPError):
                connection.close()

    def can_declare(self, tenant: str) -> bool:
        with self.connect(tenant) as connection:
            try:
                connection.channel().queue_declare(f"tenant.{tenant}.probe", exclusive=True)
            except REFUSED as refused:
                assert refused.reply_code == 403
                return False
            return True

    def look_until(self, restricted: set[str], seconds: float = 20) -> None:
        """The broker's own figures are up to five seconds old."""
        deadline = time.monotonic() + seconds
        while set(self.watch.look()) != restricted:
            assert time.monotonic() < deadline, self.watch.look()
            self.now += 10
            time.sleep(0.25)

    def queues(self, tenant: str) -> set[str]:
        listed = self.management.get("queues", "/", columns="name")
        return {one["name"] for one in listed if one["name"].startswith(f"tenant.{tenant}.")}


@pytest.fixture
def place(managed_broker: Broker) -> Iterator[Place]:
    found = Place(managed_broker)
    yield found
    for tenant in found.uris:
        found.tenants.remove(tenant)


def test_whoever_has_too_many_queues_may_declare_no_more_and_nobody_else_notices(place: Place) -> None:
    neighbour = PlatformClient(place.uris["neighbour"], "neighbour")
    neighbour.listen()
    declared = 0
    with place.connect("flooder") as connection, pytest.raises(REFUSED):
        channel = connection.channel()
        for number in range(1001):
            kind = {"x-queue-type": "quorum"} if number % 20 == 0 else {}
            channel.queue_declare(f"tenant.flooder.{number}", durable=True, arguments=kind)
            declared += 1
            if declared > MOST:
                place.watch.look()
    assert declared == MOST + 1
    assert not place.can_declare("flooder")
    assert place.can_declare("neighbour") and neighbour.events_queue in place.queues("neighbour")
    with place.connect("flooder") as connection:  # what a platform is for goes on
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish(
            "tandem.commands", "flooder.load.get-load", b"{}", pika.BasicProperties(user_id="flooder")
        )
        assert channel.basic_get("tenant.flooder.events") == (None, None, None)
    neighbour.close()
    # The surplus was empty and unread, so it goes; the rest is kept.
    place.look_until(set())
    assert len(place.queues("flooder") - {"tenant.flooder.events"}) == MOST
    assert place.can_declare("flooder")


def test_streams_and_queues_that_refuse_are_gone_at_the_next_look(place: Place) -> None:
    with place.connect("flooder") as connection:
        channel = connection.channel()
        for name, arguments in (
            ("stream", {"x-queue-type": "stream"}),
            ("refuses", {"x-max-length": 1, "x-overflow": "reject-publish"}),
            ("own", {"x-queue-type": "quorum"}),
        ):
            channel.queue_declare(f"tenant.flooder.{name}", durable=True, arguments=arguments)
        place.watch.look()
    assert place.queues("flooder") == {"tenant.flooder.events", "tenant.flooder.own"}


def test_what_waits_unread_is_bounded_and_its_sender_refused(place: Place) -> None:
    """10 MB into a queue that nobody reads."""
    with place.connect("flooder") as connection:
        channel = connection.channel()
        channel.exchange_declare("tenant.flooder.door", "fanout", auto_delete=True)
        channel.queue_declare("tenant.flooder.heap", durable=True)
        channel.queue_bind("tenant.flooder.heap", "tenant.flooder.door")
        channel.confirm_delivery()
        for _ in range(10):
            channel.basic_publish("tenant.flooder.door", "", b"x" * 1_000_000)
        place.look_until({"flooder"})
    with place.connect("flooder") as connection, pytest.raises(REFUSED) as refused:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("tenant.flooder.door", "", b"x")
    assert refused.value.reply_code == 403
    with place.connect("flooder") as connection:  # it may read, and so come back under its limit
        connection.channel().queue_purge("tenant.flooder.heap")
    place.look_until(set())


def test_a_tenant_that_is_restricted_is_listed_as_such(place: Place, managed_broker: Broker) -> None:
    place.tenants.restrict("flooder")
    done = subprocess.run(
        [sys.executable, "-m", "tandem", "tenant", "list", "--json"],
        env={"PATH": os.environ["PATH"], "TANDEM_MANAGEMENT_URL": managed_broker.management_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    listed = {one["tenant"]: one for one in json.loads(done.stdout)["tenants"]}
    assert (listed["flooder"]["restricted"], listed["neighbour"]["restricted"]) == (True, False)
    assert listed["neighbour"]["queues"] == 1


@pytest.mark.parametrize("version", ["3.10", "3.13", "4"])
def test_the_files_for_rabbitmqctl_say_what_bus_declare_sets(version: str) -> None:
    assert json.loads((POLICIES / f"policies-{version}.json").read_text()) == definitions(f"{version}.0")


def test_the_broker_takes_them_from_either(place: Place, managed_broker: Broker) -> None:
    set_ones = {kind: place.management.get(*kind) for kind in (("policies", "/"), ("operator-policies", "/"))}
    (limits,) = place.management.get("vhost-limits", "/")
    for kind, listed in set_ones.items():
        for one in listed:
            place.management.delete(*kind, one["name"])
    place.management.delete("vhost-limits", "/", "max-queues")
    managed_broker.control("import_definitions", str(POLICIES / "policies-3.10.json"))
    ours = {
        kind: [one for one in listed if one["name"] != "tandem-tenant-flooder"] for kind, listed in set_ones.items()
    }
    for kind, listed in ours.items():
        again = place.management.get(*kind)
        assert [one for one in listed if not one["name"].startswith("tandem-tenant-") or one in again] == [
            one for one in again if not one["name"].startswith("tandem-tenant-") or one in listed
        ]
    assert place.management.get("vhost-limits", "/") == [limits]
