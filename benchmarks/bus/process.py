"""A case as operating-system processes: started, held, watched, killed."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bus.nodes import Store
from tests.broker import Broker

ROOT = Path(__file__).resolve().parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Case:
    """``inbox``: also keeps what makes an effect happen once and an event happen at all."""

    name: str
    module: str
    inbox: bool = False


CASES = (
    Case("tandem", "tandem_bus", inbox=True),
    Case("kombu-batched", "kombu_batched"),
    Case("nameko", "nameko_stock"),
    Case("faststream", "faststream_plain"),
    Case("aio-pika", "aio_pika_plain"),
)


class Consumers:
    """``count`` processes of one case on one database."""

    def __init__(self, case: Case, broker: Broker, store: Store, folder: Path, count: int = 1) -> None:
        self._command = [sys.executable, "-m", f"benchmarks.bus.cases.{case.module}"]
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")},
            "BENCH_AMQP_URI": broker.uri,
            "BENCH_DATABASE": store.plain,
            "BENCH_SERVICE_DATABASE": store.service,
            "TANDEM_OUTBOX_SWEEP_SECONDS": "1",
            "PYTHONWARNINGS": "ignore",
        }
        self.log = folder / f"{case.name}.log"
        self._count = count
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._processes = [
                subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log, cwd=ROOT)
                for _ in range(self._count)
            ]

    def check_alive(self) -> None:
        if any(process.poll() is not None for process in self._processes):
            raise RuntimeError(f"a consumer ended:\n{self.log.read_text()[-3000:]}")

    def signal(self, number: int) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(number)

    def wait(self, timeout_s: float = 30.0) -> None:
        for process in self._processes:
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:  # what an orchestrator does with one that does not stop
                process.kill()
                process.wait(10)

    def end(self) -> None:
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        deadline = time.monotonic() + 15
        for process in self._processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)

    def cpu_s(self) -> float:
        """User and system time so far."""
        total = 0
        for process in self._processes:
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / _TICKS

    def peak_mb(self) -> float:
        """The largest resident size so far, summed over the processes."""
        total = 0
        for process in self._processes:
            status = Path(f"/proc/{process.pid}/status").read_text()
            total += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        return total / 1024
