"""Tenants on a real broker, made by the command: what they get, and what the broker refuses them."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
import pytest

from shared.bus.transport import topology
from tests.breakin.refusals import REFUSALS, REFUSED_WITH
from tests.broker import Broker
from tests.platform import PlatformClient

Channel = Any
POLICIES = Path(__file__).parents[2] / "deploy" / "rabbitmq"


def tandem(broker: Broker, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tandem", *arguments],
        env={
            "PATH": os.environ["PATH"],
            "TANDEM_AMQP_URI": broker.uri,
            "TANDEM_MANAGEMENT_URL": broker.management_url,
            **settings,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def declared(managed_broker: Broker) -> Broker:
    for _ in range(2):
        done = tandem(managed_broker, "bus", "declare")
        assert done.returncode == 0, done.stderr
    return managed_broker


@pytest.fixture(scope="module")
def acme(declared: Broker) -> dict[str, str]:
    done = tandem(declared, "tenant", "add", "acme", "--connections", "3", "--events", "5", "--json")
    assert done.returncode == 0, done.stderr
    other = tandem(declared, "tenant", "add", "globex", "--json")
    assert other.returncode == 0, other.stderr
    handed: dict[str, str] = json.loads(done.stdout)
    return handed


@pytest.fixture
def channel(acme: dict[str, str]) -> Iterator[Channel]:
    with pika.BlockingConnection(pika.URLParameters(acme["amqp_url"])) as connection:
        opened = connection.channel()
        opened.confirm_delivery()
        yield opened


@pytest.mark.parametrize("attempt", REFUSALS.values(), ids=REFUSALS.keys())
def test_the_broker_refuses(channel: Channel, attempt: Callable[[Channel], Any]) -> None:
    with pytest.raises((pika.exceptions.ChannelClosedByBroker, pika.exceptions.ConnectionClosedByBroker)) as refused:
        attempt(channel)
    assert refused.value.reply_code in REFUSED_WITH


def test_it_can_do_what_a_platform_does(acme: dict[str, str], channel: Channel, declared: Broker) -> None:
    allowed = pika.BasicProperties(user_id="acme", reply_to="tenant.acme.replies")
    channel.basic_publish("tandem.commands", "acme.load.record-session", b"{}", allowed)
    platform = PlatformClient(acme["amqp_url"], "acme")
    platform.listen()
    platform.close()
    assert declared.control("list_queues", "--quiet", "name", "messages").split().count("load.commands") == 1


def test_what_no_service_takes_reaches_the_one_that_says_so(channel: Channel, declared: Broker) -> None:
    with pika.BlockingConnection(pika.URLParameters(declared.uri)) as connection:
        ours = connection.channel()
        ours.queue_purge("periodization.commands")
        who = pika.BasicProperties(user_id="acme")
        channel.basic_publish("tandem.commands", "acme.loads.record-session", b"{}", who, mandatory=True)
        method, properties, _ = ours.basic_get("periodization.commands", auto_ack=True)
    assert (method.exchange, method.routing_key) == ("tandem.commands", "acme.loads.record-session")
    assert properties.user_id == "acme"


def test_its_events_are_kept_to_a_limit_and_the_oldest_go(declared: Broker, acme: dict[str, str]) -> None:
    with pika.BlockingConnection(pika.URLParameters(declared.uri)) as connection:
        ours = connection.channel()
        ours.confirm_delivery()
        for number in range(8):
            ours.basic_publish("tandem.events", "acme.load.session-scored", str(number).encode())
        ours.basic_publish("tandem.events", "globex.load.session-scored", b"not acme's")
        kept = [ours.basic_get("tenant.acme.events", auto_ack=True)[2] for _ in range(6)]
    assert kept == [b"3", b"4", b"5", b"6", b"7", None]


def test_its_connections_are_counted(acme: dict[str, str]) -> None:
    open_ones = [pika.BlockingConnection(pika.URLParameters(acme["amqp_url"])) for _ in range(3)]
    try:
        with pytest.raises(pika.exceptions.ProbableAccessDeniedError, match="connection limit"):
            pika.BlockingConnection(pika.URLParameters(acme["amqp_url"]))
    finally:
        for connection in open_ones:
            connection.close()


def test_list_shows_limits_and_never_a_password(declared: Broker, acme: dict[str, str]) -> None:
    done = tandem(declared, "tenant", "list", "--json")
    tenants = {found["tenant"]: found for found in json.loads(done.stdout)["tenants"]}
    assert list(tenants) == ["acme", "globex"]
    assert tenants["acme"]["max_connections"] == 3
    assert acme["password"] not in done.stdout


@pytest.mark.parametrize(
    ("tenant", "told"),
    [
        ("Acme", "is no tenant id"),
        ("a", "is no tenant id"),
        ("a" * 41, "is no tenant id"),
        ("acme.x", "is no tenant id"),
        ("acme", "tenant acme exists"),
        ("guest", "guest is a user of the broker and no tenant"),
    ],
)
def test_what_cannot_be_added(declared: Broker, acme: dict[str, str], tenant: str, told: str) -> None:
    done = tandem(declared, "tenant", "add", tenant)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_a_user_of_the_broker_that_is_no_tenant_is_left_alone(declared: Broker, acme: dict[str, str]) -> None:
    for arguments in (("rotate", "guest"), ("remove", "guest", "--yes"), ("rotate", "nobody")):
        assert tandem(declared, "tenant", *arguments).returncode == 2
    assert "guest" in declared.control("list_users")


def test_rotating_and_removing_end_what_the_old_password_opened(declared: Broker) -> None:
    first = json.loads(tandem(declared, "tenant", "add", "initech", "--json").stdout)
    second = json.loads(tandem(declared, "tenant", "rotate", "initech", "--json").stdout)
    with pytest.raises(pika.exceptions.ProbableAuthenticationError):
        pika.BlockingConnection(pika.URLParameters(first["amqp_url"]))
    with pika.BlockingConnection(pika.URLParameters(second["amqp_url"])) as connection:
        connection.channel().queue_declare("tenant.initech.own", durable=True)
    assert tandem(declared, "tenant", "remove", "initech", "--yes").returncode == 0
    with pytest.raises(pika.exceptions.ProbableAuthenticationError):
        pika.BlockingConnection(pika.URLParameters(second["amqp_url"]))
    assert "initech" not in declared.control("list_queues") + declared.control("list_policies")


def test_the_shipped_policies_hold_what_a_tenant_may_pile_up(declared: Broker, channel: Channel) -> None:
    declared.control("import_definitions", str(POLICIES / "policies-3.10.json"))
    channel.queue_declare("tenant.acme.heap", durable=True)
    told = declared.control("list_queues", "--quiet", "name", "policy")
    in_force = dict(line.split("\t") for line in told.splitlines() if "\t" in line)
    assert in_force["tenant.acme.heap"] == "tandem-tenant-queues"
    assert in_force["tenant.acme.events"] == "tandem-tenant-acme"
    assert in_force["load.commands"] == "tandem-work"
    assert in_force["load.parked"] == "tandem-parked"
    assert in_force["load.commands.wait.5"] == ""


@pytest.mark.parametrize("file", sorted(POLICIES.glob("policies-*.json")), ids=lambda file: file.stem)
def test_policies_of_every_version_never_drop_work(file: Path) -> None:
    """A full work or parked queue must refuse; the default, dropping the oldest, would lose what was accepted."""
    by_name = {policy["name"]: policy for policy in json.loads(file.read_text())["policies"]}
    assert by_name["tandem-parked"]["definition"]["overflow"] == "reject-publish"
    assert topology._work("load")["x-overflow"] == "reject-publish"  # an argument of the queue itself
    assert "expires" not in by_name["tandem-tenant-events"]["definition"]


def test_it_says_what_to_do_when_the_api_does_not_answer() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tandem", "tenant", "list"],
        env={"PATH": os.environ["PATH"], "TANDEM_MANAGEMENT_URL": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "set TANDEM_MANAGEMENT_URL, and on the broker: rabbitmq-plugins enable rabbitmq_management" in done.stderr


def test_the_how_to_is_typed_as_it_stands(declared: Broker, acme: dict[str, str], tmp_path: Path) -> None:
    text = (POLICIES.parents[1] / "docs" / "how-to" / "add-a-tenant.md").read_text(encoding="utf-8")
    commands = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert len(commands) == 6
    databases = f"sqlite:///{tmp_path}/{{service}}.sqlite3"
    assert tandem(declared, "db", "upgrade", TANDEM_DATABASE_URL=databases).returncode == 0
    for command in commands:
        program, *arguments = shlex.split(command.replace("acme", "hooli"))
        assert program == ".venv/bin/tandem"
        done = tandem(declared, *arguments, TANDEM_DATABASE_URL=databases)
        assert done.returncode == 0, (command, done.stderr)
