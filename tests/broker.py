"""A RabbitMQ node of the tests' own: started when a test first asks for it, in a temporary folder on free ports."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kombu import Connection

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
CONTROL = Path("/usr/lib/rabbitmq/bin/rabbitmqctl")
START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """One private node. ``uri`` for services; ``kill``, ``start`` and ``control`` for tests of faults.

    ``management``: with the management plugin, which takes the node a few seconds more to start.
    """

    def __init__(self, folder: Path, management: bool = False) -> None:
        self.folder = folder
        self.port = free_port()
        self.name = f"tandem-{secrets.token_hex(4)}@localhost"
        self.uri = f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.console = false\nvm_memory_high_watermark.absolute = 1GB\n"
            "disk_free_limit.absolute = 50MB\n"
        )
        (folder / "enabled_plugins").write_text("[rabbitmq_management].\n" if management else "[].\n")
        if management:
            port = free_port()
            self.management_url = f"http://guest:guest@127.0.0.1:{port}"
            with (folder / "rabbitmq.conf").open("a") as configuration:
                configuration.write(f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {port}\n")
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "ERL_EPMD_PORT": str(free_port()),
            # One scheduler thread: the machine has few cores and the tests share them.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }

    def start(self) -> None:
        """Returns when the node takes connections."""
        log = (self.folder / "console.log").open("ab")
        self._process = subprocess.Popen(
            [str(SERVER)], env=self._environment, stdout=log, stderr=log, start_new_session=True, cwd=self.folder
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"RabbitMQ did not start; see {self.folder / 'console.log'}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Ends the node and the port mapper that it started."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(10)
            self._process = None
        self._end_port_mapper()

    def crash(self) -> None:
        """Kills the node: it writes nothing more, as in a power cut that the disk survives."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._process = None
        self._end_port_mapper()

    def _end_port_mapper(self) -> None:
        epmd = shutil.which("epmd")
        if epmd is not None:
            subprocess.run([epmd, "-kill"], env=self._environment, capture_output=True, check=False, timeout=10)

    def control(self, *arguments: str) -> str:
        """``rabbitmqctl`` on this node."""
        command = [str(CONTROL), "--node", self.name, *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout

    def forget(self, *queues: str) -> None:
        """Deletes queues with all they hold, so that a test finds nothing of the one before."""
        with Connection(self.uri) as connection:
            channel = connection.channel()
            for queue in queues:
                channel.queue_delete(queue)

    def _answers(self) -> bool:
        try:
            with Connection(self.uri, connect_timeout=2) as connection:
                connection.connect()
        except OSError:
            return False
        return True


@contextmanager
def private_node(management: bool = False) -> Iterator[Broker]:
    """A node that runs as long as the block."""
    if not SERVER.exists():
        pytest.fail("these tests need RabbitMQ: apt-get install rabbitmq-server")
    with tempfile.TemporaryDirectory(prefix="tandem-rabbitmq-", ignore_cleanup_errors=True) as folder:
        node = Broker(Path(folder), management)
        node.start()
        try:
            yield node
        finally:
            node.stop()


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """The session's node; tests keep apart by their own service or tenant names."""
    with private_node() as node:
        yield node


@pytest.fixture(scope="session")
def managed_broker() -> Iterator[Broker]:
    """A second node, with the management API, for the tests that need it."""
    with private_node(management=True) as node:
        yield node
