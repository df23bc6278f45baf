"""Where faults happen: a broker and a PostgreSQL server of their own, a proxy in between, services as processes."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import psycopg2

from tests.broker import Broker
from tests.faults.proxy import Proxy
from tests.faults.tally import Tally
from tests.postgres import Postgres
from tests.processes import ROOT, ServiceProcess

EVENTS = "faults.events"
STARTED = "control started"
HEARTBEAT_S = 4
NO_SUCH_QUEUE = 404
MEMORY = ("set_vm_memory_high_watermark", "absolute", "1GB")
NO_MEMORY = ("set_vm_memory_high_watermark", "0.0000001")


@dataclass
class Ground:
    """The servers, and the ways to break them."""

    broker: Broker
    postgres: Postgres
    folder: Path
    disk: Path | None = None
    """A small one that holds the tables alone, where it may be mounted."""
    proxy: Proxy = field(init=False)
    """In front of the broker."""
    database_proxy: Proxy = field(init=False)
    database: str = field(init=False)

    def __post_init__(self) -> None:
        self.proxy, self.database_proxy = Proxy(self.broker.port), Proxy(self.postgres.port)
        self.database = self.postgres.new_database(self.disk)
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

    def through_proxy(self, database: str) -> str:
        """``database`` behind its proxy, as the services see it."""
        return database.replace(f":{self.postgres.port}/", f":{self.database_proxy.port}/")

    def stop(self) -> None:
        """Takes the proxies away, and the queue that collects every event."""
        for proxy in (self.proxy, self.database_proxy):
            proxy.stop()
        self.broker.forget(EVENTS)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.dsn)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query, parameters)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def tables(self, *names: str) -> list[str]:
        """Every schema's tables of these names."""
        query = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_name = ANY(%s)"
        return [f"{schema}.{table}" for schema, table in self.rows(query, list(names))]

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
            except pika.exceptions.ChannelClosedByBroker as closed:
                if closed.reply_code != NO_SUCH_QUEUE:
                    raise
                return 0, 0
            return declared.message_count, declared.consumer_count

    def some_wait(self, *queues: str) -> bool:
        """Whether any of ``queues``, which all exist, holds a message that nobody has taken."""
        with self.channel() as channel:
            return any(channel.queue_declare(queue, passive=True).method.message_count for queue in queues)

    def take_all(self, queue: str) -> list[tuple[Mapping[str, Any], bytes, str | None]]:
        """Empties ``queue``: headers, body and correlation id of each message.

        Whoever looks into a parked queue at this moment holds its messages for a while and gives them back: it is empty
        when nothing has come for a second.
        """
        taken: list[tuple[Mapping[str, Any], bytes, str | None]] = []
        looked = 0
        while looked < 3:
            found = self._take_ready(queue)
            taken += found
            looked = 0 if found else looked + 1
            time.sleep(0.5 if looked else 0.0)
        return taken

    def _take_ready(self, queue: str) -> list[tuple[Mapping[str, Any], bytes, str | None]]:
        taken: list[tuple[Mapping[str, Any], bytes, str | None]] = []
        with self.channel() as channel:
            count = channel.queue_declare(queue, passive=True).method.message_count
            if count == 0:
                return taken
            channel.basic_qos(prefetch_count=1000)
            for method, properties, body in channel.consume(queue, inactivity_timeout=10.0):
                if method is None:
                    raise TimeoutError(f"{queue} gave only {len(taken)} of its {count} messages")
                taken.append((properties.headers or {}, body, properties.correlation_id))
                if len(taken) % 500 == 0 or len(taken) == count:
                    channel.basic_ack(method.delivery_tag, multiple=True)
                if len(taken) == count:
                    break
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
        self.tally = Tally(ground.folder / ("tally" if must_stop_cleanly else "tally-control"))
        self._make = make

    @property
    def name(self) -> str:
        return "tandem" if self.must_stop_cleanly else "control"

    def figure(self, metric: str, label: str = "") -> float:
        """The sum over all replicas and series of ``metric`` that carry ``label``."""
        lines = [line for process in self.replicas for line in process.metrics().splitlines()]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(metric + "{") and label in line)

    def says_of(self, moment: str, what: str) -> str:
        """The control publishes before it acknowledges, so that nothing is left to do after that."""
        if not self.must_stop_cleanly and moment == "before-relay":
            return "messages acknowledged when it died"
        return what

    @property
    def first(self) -> ServiceProcess:
        return self.replicas[0]

    def scale(self, count: int, start: bool) -> None:
        """Makes replicas until there are ``count``, or stops the last ones; ``start``: and starts what does not run."""
        while len(self.replicas) > count:
            gone = self.replicas.pop()
            gone.terminate()
            gone.wait()
        self.replicas += [self._make() for _ in range(count - len(self.replicas))]
        if start:
            self.start()

    def start(self, **more: str) -> None:
        """Starts replicas that do not run, side by side."""
        ended = [process for process in self.replicas if not process.is_running]
        for process in ended:
            process.launch(**more)
        for process in ended:
            process.until_ready()

    def restart(self) -> None:
        """Kills all replicas and starts them again."""
        for process in self.replicas:
            process.kill()
        self.start()

    def revive(self) -> int:
        """Starts replicas again that nobody had told to end; returns how many there were."""
        dead = sum(not process.is_running for process in self.replicas)
        self.start()
        return dead

    def end(self) -> None:
        """SIGTERM for all: whatever they have still in hand is done, and nobody consumes any more."""
        running = [process for process in self.replicas if process.is_running]
        for process in running:
            process.terminate()
        for process in running:
            process.wait_at_most(30)
        self.kill()

    def kill(self) -> None:
        for process in self.replicas:
            process.kill()
        self.replicas.clear()


def our_side(ground: Ground) -> Side:
    variables = {
        "TANDEM_AMQP_URI": ground.uri,
        "TANDEM_DATABASE_URL": ground.through_proxy(ground.database),
        "TANDEM_DATABASE_ANSWER_SECONDS": "4",
        "TANDEM_DATABASE_IDLE_SECONDS": "5",
        "TANDEM_RULES_DIR": str(ROOT / "rules"),
        "TANDEM_RULES_ENGINE": "reference",
        "TANDEM_OUTBOX_SWEEP_SECONDS": "1",
        "TANDEM_CONFIRM_TIMEOUT_SECONDS": "3",
        "TANDEM_HEARTBEAT_SECONDS": str(HEARTBEAT_S),
        "TANDEM_LOG_LEVEL": "info",
        "FAULT_TALLY": str(ground.folder / "tally"),
    }
    return Side(ground, lambda: ServiceProcess(ground.folder, "tests.faults.service", (), variables), True)


class ControlProcess(ServiceProcess):
    """Ready when it says so in its log: stock nameko says it nowhere else."""

    _said_before = 0

    def launch(self, **more: str) -> ServiceProcess:
        self._said_before = self._said()
        return super().launch(**more)

    def is_ready(self) -> bool:
        return self._said() > self._said_before

    def _said(self) -> int:
        return self.log.read_text(errors="replace").count(STARTED) if self.log.exists() else 0


def control_side(ground: Ground) -> Side:
    variables = {
        "CONTROL_AMQP": ground.uri,
        "CONTROL_DATABASE": ground.through_proxy(ground.dsn),
        "FAULT_TALLY": str(ground.folder / "tally-control"),
    }
    return Side(ground, lambda: ControlProcess(ground.folder, "tests.faults.control", (), variables), False)


def until(condition: Callable[[], bool], timeout: float, pause: float = 0.2) -> bool:
    """False when it did not come true in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
