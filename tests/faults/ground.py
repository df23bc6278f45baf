"""Where faults happen: a broker and a PostgreSQL server of their own, a proxy in between, services as processes."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pika
import psycopg2

from tests.broker import Broker
from tests.faults.proxy import Proxy
from tests.postgres import Postgres
from tests.processes import ROOT, ServiceProcess

EVENTS = "faults.events"
HEARTBEAT_S = 4
MEMORY = ("set_vm_memory_high_watermark", "absolute", "1GB")
NO_MEMORY = ("set_vm_memory_high_watermark", "0.0000001")


@dataclass
class Ground:
    """The servers, and the ways to break them."""

    broker: Broker
    postgres: Postgres
    folder: Path
    proxy: Proxy = field(init=False)
    database: str = field(init=False)

    def __post_init__(self) -> None:
        self.proxy = Proxy(self.broker.port)
        self.database = self.postgres.new_database()
        with self.channel() as channel:
            for exchange in ("tandem.commands", "tandem.events"):
                channel.exchange_declare(exchange, "topic", durable=True)
            channel.queue_declare(EVENTS, durable=True, arguments={"x-queue-type": "quorum"})
            channel.queue_bind(EVENTS, "tandem.events", "#")

    @property
    def uri(self) -> str:
        """The broker behind the proxy."""
        return self.broker.uri.replace(str(self.broker.port), str(self.proxy.port))

    @property
    def dsn(self) -> str:
        return self.database.replace("+psycopg2", "")

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.dsn)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query, parameters)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    @contextmanager
    def channel(self) -> Any:
        connection = pika.BlockingConnection(pika.URLParameters(self.broker.uri))
        try:
            yield connection.channel()
        finally:
            connection.close()

    def ready(self, queue: str) -> tuple[int, int]:
        """Messages that wait in ``queue``, and who consumes from it; nothing when there is no such queue."""
        with self.channel() as channel:
            try:
                declared = channel.queue_declare(queue, passive=True).method
            except pika.exceptions.ChannelClosedByBroker:
                return 0, 0
            return declared.message_count, declared.consumer_count

    def take_all(self, queue: str) -> list[tuple[Mapping[str, Any], bytes, str | None]]:
        """Empties ``queue``: headers, body and correlation id of each message."""
        taken = []
        with self.channel() as channel:
            channel.basic_qos(prefetch_count=1000)
            for method, properties, body in channel.consume(queue, inactivity_timeout=1.0):
                if method is None:
                    break
                taken.append((properties.headers or {}, body, properties.correlation_id))
                if len(taken) % 500 == 0:
                    channel.basic_ack(method.delivery_tag, multiple=True)
            channel.basic_ack(0, multiple=True)
            channel.cancel()
        return taken

    @contextmanager
    def postgres_frozen(self) -> Any:
        """Every process of the server stands still, as on a machine that swaps."""
        stopped: list[int] = []
        try:
            postmaster = int((self.postgres.folder / "data" / "postmaster.pid").read_text().split()[0])
            _halt(postmaster, stopped)  # first, so that it makes no more children
            for child in _children_of(postmaster):
                _halt(child, stopped)
            yield
        finally:
            for pid in reversed(stopped):
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def locked(self, *tables: str) -> Any:
        """Somebody else holds ``tables``; whoever needs them waits."""
        connection = psycopg2.connect(self.dsn)
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
            yield
        finally:
            connection.rollback()
            connection.close()


def _halt(pid: int, stopped: list[int]) -> None:
    with suppress(ProcessLookupError):  # a session that has just ended
        os.kill(pid, signal.SIGSTOP)
        stopped.append(pid)


def _children_of(parent: int) -> list[int]:
    children = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                children.append(int(stat.parent.name))
    return children


class Side:
    """Replicas of one service, ours or the control's."""

    def __init__(self, ground: Ground, make: Callable[[], ServiceProcess], must_stop_cleanly: bool) -> None:
        self.ground = ground
        self.must_stop_cleanly = must_stop_cleanly
        self.kills = 3
        """How often a fault kills it in a row."""
        self.replicas: list[ServiceProcess] = []
        self._make = make

    @property
    def first(self) -> ServiceProcess:
        return self.replicas[0]

    def scale(self, count: int) -> None:
        """Starts replicas until there are ``count``, or stops the last ones."""
        while len(self.replicas) > count:
            gone = self.replicas.pop()
            gone.terminate()
            gone.wait()
        while len(self.replicas) < count:
            process = self._make()
            self.replicas.append(process)
            process.start()

    def revive(self) -> int:
        """Starts replicas again that nobody had told to end; returns how many there were."""
        dead = [process for process in self.replicas if process.wait_at_most(0) is not None]
        for process in dead:
            process.start()
        return len(dead)

    def end(self) -> None:
        for process in self.replicas:
            process.kill()
        self.replicas.clear()


def our_side(ground: Ground) -> Side:
    variables = {
        "TANDEM_AMQP_URI": ground.uri,
        "TANDEM_DATABASE_URL": ground.database,
        "TANDEM_RULES_DIR": str(ROOT / "rules"),
        "TANDEM_RULES_ENGINE": "reference",
        "TANDEM_OUTBOX_SWEEP_SECONDS": "1",
        "TANDEM_CONFIRM_TIMEOUT_SECONDS": "3",
        "TANDEM_HEARTBEAT_SECONDS": str(HEARTBEAT_S),
        "TANDEM_LOG_LEVEL": "info",
    }
    return Side(ground, lambda: ServiceProcess(ground.folder, "tests.faults.service", (), variables), True)


class ControlProcess(ServiceProcess):
    """Ready when it consumes: stock nameko says so nowhere."""

    ground: Ground
    _others = 0

    def launch(self, **more: str) -> ServiceProcess:
        self._others = self._consumers()
        return super().launch(**more)

    def is_ready(self) -> bool:
        return self._consumers() > self._others

    def _consumers(self) -> int:
        return self.ground.ready("control.commands")[1]


def control_side(ground: Ground) -> Side:
    parts = urlsplit(ground.dsn)
    variables = {"CONTROL_AMQP": ground.uri, "CONTROL_DATABASE": parts.geturl()}

    def make() -> ServiceProcess:
        process = ControlProcess(ground.folder, "tests.faults.control", (), variables)
        process.ground = ground
        return process

    return Side(ground, make, False)


def until(condition: Callable[[], bool], timeout: float, pause: float = 0.2) -> bool:
    """False when it did not come true in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
