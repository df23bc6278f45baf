"""Services as operating-system processes that tests start, kill and stop."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.broker import free_port

ROOT = Path(__file__).resolve().parent.parent


class ServiceProcess:
    """``python -m MODULE ARGUMENTS`` with TANDEM_ variables; its log stands in ``log``."""

    def __init__(self, folder: Path, module: str, arguments: tuple[str, ...], variables: Mapping[str, str]) -> None:
        self.port = free_port()
        self.log = folder / f"{module}-{self.port}.log"
        self._command = [sys.executable, "-m", module, *arguments]
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")},
            "TANDEM_METRICS_PORT": str(self.port),
            "PYTHONWARNINGS": "ignore",
            **variables,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self, **more: str) -> "ServiceProcess":
        """Starts the process and does not wait. ``more``: environment variables for this start only."""
        environment = self._environment | more
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=environment, stdout=log, stderr=log, cwd=ROOT)
        return self

    def until_ready(self, timeout: float = 60.0) -> "ServiceProcess":
        """Returns when ``/readyz`` says so."""
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{self._command} did not get ready:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)
        return self

    def until_not_ready(self, timeout: float = 20.0) -> None:
        """Returns when ``/readyz`` says that it should get no work."""
        deadline = time.monotonic() + timeout
        while self.is_ready():
            if time.monotonic() > deadline:
                raise AssertionError(f"{self._command} stayed ready")
            time.sleep(0.1)

    def start(self, timeout: float = 60.0, **more: str) -> "ServiceProcess":
        return self.launch(**more).until_ready(timeout)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def wait(self, timeout: float = 40.0) -> int:
        assert self._process is not None
        return self._process.wait(timeout)

    def wait_at_most(self, seconds: float) -> int | None:
        """The exit code, or None when it still runs after so long."""
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """No more than a power cut would leave: nothing is drained."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
