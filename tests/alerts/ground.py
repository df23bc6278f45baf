"""Where alerts are proven: a broker and a PostgreSQL as deployed, four services, and a Prometheus that watches them."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
from sqlalchemy import make_url

from shared.contract.words import SERVICES
from shared.ops.settings import Settings
from tandem.runtime.broker import declare_services
from tandem.runtime.databases import upgrade_databases
from tests.alerts.prometheus import Prometheus
from tests.alerts.shorter import write_configuration
from tests.broker import Broker, free_port
from tests.disks import small_disk
from tests.platform import PlatformClient
from tests.postgres import Postgres, programs
from tests.processes import ROOT, ServiceProcess

DISK_MB = 1000
TENANT = "guest"
OTHER_TENANT = "acme"


class WatchedBroker(Broker):
    """A node with the plugins of ``deploy/rabbitmq/enabled_plugins``, whose figures are as young as the scrapes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, management=True)
        self.metrics = f"127.0.0.1:{free_port()}"
        shutil.copy(ROOT / "deploy" / "rabbitmq" / "enabled_plugins", folder / "enabled_plugins")
        host, _, port = self.metrics.partition(":")
        with (folder / "rabbitmq.conf").open("a") as configuration:
            configuration.write(
                f"prometheus.tcp.ip = {host}\nprometheus.tcp.port = {port}\ncollect_statistics_interval = 1000\n"
            )


@dataclass
class Ground:
    """The servers, the services by name, and the ways to break and to mend them."""

    broker: WatchedBroker
    postgres: Postgres
    owner: str
    """Database address of the tables' owner, whom no policy binds."""
    folder: Path
    disk: Path | None
    """The database's own small one, where it could be mounted."""
    variables: dict[str, str]
    prometheus: Prometheus = field(init=False)
    processes: dict[str, ServiceProcess] = field(default_factory=dict)
    more: list[ServiceProcess] = field(default_factory=list)
    """Replicas that a runbook asked for."""
    _found: set[str] = field(default_factory=set)
    _targets: threading.Lock = field(default_factory=threading.Lock)

    @property
    def rules(self) -> Path:
        return self.folder / "rules"

    @property
    def targets(self) -> Path:
        return self.folder / "targets.json"

    def instance(self, service: str) -> str:
        """The label under which Prometheus knows the replica."""
        return f"127.0.0.1:{self.processes[service].port}"

    def make(self, service: str, **variables: str) -> ServiceProcess:
        return ServiceProcess(self.folder, "tandem", ("serve", service), self.variables | variables)

    def find(self, *services: str) -> None:
        """Prometheus finds these, as by DNS."""
        with self._targets:
            self._found |= set(services)
            self._write_targets()

    def lose(self, service: str) -> None:
        """No address has the name any more: nothing of the kind is running."""
        with self._targets:
            self._found.discard(service)
            self._write_targets()

    def _write_targets(self) -> None:
        found = [
            {"targets": [self.instance(name)], "labels": {"__meta_dns_name": name}} for name in sorted(self._found)
        ]
        fresh = self.targets.with_suffix(".new")
        fresh.write_text(json.dumps(found))
        fresh.replace(self.targets)

    def restart(self, service: str, **variables: str) -> None:
        """Ends the process however it can and starts it with ``variables`` on top of its own."""
        process = self.processes[service]
        if process.is_running:
            process.terminate()
            process.wait_at_most(30)
        process.kill()
        process.start(**variables)

    @contextmanager
    def platform(self, tenant: str = TENANT) -> Iterator[PlatformClient]:
        client = PlatformClient(self.broker.uri, tenant, tenant, tenant)
        try:
            yield client
        finally:
            client.close()

    @contextmanager
    def owned(self) -> Iterator[Any]:
        """A cursor of the tables' owner in a transaction of its own, rolled back at the end unless committed."""
        connection = psycopg2.connect(self.owner.replace("+psycopg2", ""))
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.rollback()
            connection.close()

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What ``query`` finds; what it changes is committed."""
        with self.owned() as cursor:
            cursor.execute(query, parameters)
            found = list(cursor.fetchall()) if cursor.description else []
            cursor.connection.commit()
            return found

    def tandem(self, *words: str) -> str:
        """A command of a runbook, by whoever is on call; raises when it fails."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")}
        done = subprocess.run(
            [sys.executable, "-m", "tandem", *words],
            env={**environment, **self.variables, "PYTHONWARNINGS": "ignore"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"tandem {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout


@contextmanager
def choked(pid: int, run_s: float = 0.003, stand_s: float = 0.097) -> Iterator[None]:
    """The process and its children get ``run_s`` of every tenth of a second, as on a machine that is far too small."""
    done = threading.Event()

    def choke() -> None:
        while not done.wait(run_s):
            _signal_all(pid, signal.SIGSTOP)
            time.sleep(stand_s)
            _signal_all(pid, signal.SIGCONT)

    thread = threading.Thread(target=choke, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(5)
        _signal_all(pid, signal.SIGCONT)


def children_of(pid: int) -> list[int]:
    return [int(child) for task in _tasks(pid) for child in _text(task / "children").split()]


def _signal_all(pid: int, number: signal.Signals) -> None:
    for each in (pid, *children_of(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, number)


def _tasks(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").glob("*"))


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # it has ended meanwhile
        return ""


def until(condition: Callable[[], object], timeout_s: float, otherwise: str, pause_s: float = 0.2) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{otherwise} within {timeout_s:g} s")
        time.sleep(pause_s)


@contextmanager
def alert_ground() -> Iterator[Ground]:
    found = programs()
    if found is None:
        raise SystemExit("make alerts needs PostgreSQL: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="tandem-alerts-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("broker", "postgres", "prometheus"):
            (folder / part).mkdir()
        shutil.copytree(ROOT / "rules", folder / "rules")
        broker = WatchedBroker(folder / "broker")
        with contextlib.ExitStack() as running, ThreadPoolExecutor(1) as beside:
            disk = running.enter_context(small_disk(DISK_MB))
            postgres = Postgres(disk or folder / "postgres", found)
            started = beside.submit(broker.start)
            running.callback(broker.stop)
            postgres.create()
            postgres.start()
            running.callback(postgres.stop)
            yield _with_services(folder, disk, broker, postgres, started.result, running)


def _with_services(
    folder: Path,
    disk: Path | None,
    broker: WatchedBroker,
    postgres: Postgres,
    started: Callable[[], object],
    running: contextlib.ExitStack,
) -> Ground:
    owner = postgres.new_database()
    services = make_url(owner).set(username="alerts_services", password="alerts")
    settings = Settings(
        amqp_uri=broker.uri,
        management_url=broker.management_url,
        database_url=services.render_as_string(hide_password=False),
        database_owner_url=owner,
    )
    upgrade_databases(settings, SERVICES)
    started()
    declare_services(settings)
    broker.control("add_user", OTHER_TENANT, OTHER_TENANT)
    broker.control("set_permissions", OTHER_TENANT, ".*", ".*", ".*")
    variables = {
        "TANDEM_AMQP_URI": broker.uri,
        "TANDEM_DATABASE_URL": settings.database_url,
        "TANDEM_RULES_DIR": str(folder / "rules"),
        "TANDEM_OUTBOX_SWEEP_SECONDS": "1",
        "TANDEM_MANAGEMENT_URL": broker.management_url,
        "TANDEM_TENANT_QUEUES": "20",
    }
    ground = Ground(broker, postgres, owner, folder, disk, variables)
    for service in SERVICES:
        ground.processes[service] = ground.make(service).launch()
        running.callback(ground.processes[service].kill)
    running.callback(lambda: [process.kill() for process in ground.more])
    for process in ground.processes.values():
        process.until_ready(90)
    ground.find(*SERVICES)
    configuration = write_configuration(folder / "prometheus", ground.targets, broker.metrics)
    ground.prometheus = Prometheus(folder / "prometheus", configuration)
    running.callback(ground.prometheus.stop)
    return ground
