"""``make bench-bus``: every case on both databases, interleaved; a table, ``build/bench-bus.json``, goal lines.

``BENCH_RUNS`` (5) rounds of throughput, ``BENCH_LATENCY_S`` (8) seconds of steady sending, ``BENCH_FAULT_MESSAGES``
(1000; 0 leaves the kills out), ``BENCH_MINUTES`` (28): no round begins after that. ``BENCH_CASES`` and
``BENCH_DATABASES``: names separated by commas.
"""

import json
import os
import platform
import signal
import subprocess
import sys
import time
from importlib.metadata import version

from benchmarks.bus import work
from benchmarks.bus.measure import Bench
from benchmarks.bus.nodes import SyncedPostgres, nodes
from benchmarks.bus.process import CASES, ROOT
from benchmarks.bus.result import Column, goals_of, table
from benchmarks.goals import tell

SEED = 20260302
STEADY_PER_S = 200
OUTPUT = ROOT / "build" / "bench-bus.json"


def main() -> int:
    runs = int(os.environ.get("BENCH_RUNS", "5"))
    latency_s = float(os.environ.get("BENCH_LATENCY_S", "8"))
    fault_messages = int(os.environ.get("BENCH_FAULT_MESSAGES", "1000"))
    end = time.monotonic() + 60 * float(os.environ.get("BENCH_MINUTES", "28"))
    names = os.environ.get("BENCH_CASES", ",".join(case.name for case in CASES)).split(",")
    kinds = os.environ.get("BENCH_DATABASES", "sqlite,postgresql").split(",")
    with nodes() as running:
        _tell_settings(names)
        bench = Bench(running)
        columns = [
            Column(case, kind, processes)
            for kind in kinds
            for case in CASES
            for processes in ((1, 2) if case.inbox else (1,))
            if case.name in names
        ]
        for number in range(runs):
            for column in columns:
                if number and time.monotonic() > end:
                    break
                done = bench.throughput(column.case, column.kind, SEED + number, column.processes)
                column.throughputs.append(done)
                _say(f"round {number + 1}: {column.title} {done.rate:.0f}/s, {done.cpu_us:.0f} us CPU a message")
            _steady(bench, columns, SEED + number, latency_s, end)
        if fault_messages:
            _kills(bench, columns, fault_messages, end)
    told = table(columns)
    print(told)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps({"machine": _machine(), "columns": [one.as_json() for one in columns]}, indent=1))
    return tell(goals_of(columns))


def _steady(bench: Bench, columns: list[Column], seed: int, seconds: float, end: float) -> None:
    """Tandem in every round; the others once, for they have no goal."""
    for column in columns:
        if column.processes == 1 and (column.case.inbox or not column.latencies) and time.monotonic() < end:
            late = bench.latency(column.case, column.kind, seed, STEADY_PER_S, seconds)
            column.latencies.append(late)
            _say(f"steady: {column.title} p50 {late.p50:.1f} ms, p99 {late.p99:.1f} ms")


def _kills(bench: Bench, columns: list[Column], count: int, end: float) -> None:
    for column in columns:
        if column.processes == 1 and time.monotonic() < end:
            column.killed = bench.faults(column.case, column.kind, SEED, signal.SIGKILL, count)
            column.stopped = bench.faults(column.case, column.kind, SEED + 1, signal.SIGTERM, count)
            _say(f"kill -9, SIGTERM: {column.title} {column.killed} {column.stopped}")


def _tell_settings(names: list[str]) -> None:
    packages = ("nameko", "kombu", "amqp", "aio-pika", "faststream", "aiosqlite", "asyncpg", "psycopg2-binary")
    print("versions:", ", ".join(f"{name} {version(name)}" for name in packages))
    print(f"queue: quorum, x-delivery-limit, at-least-once dead-lettering ({work.QUEUE}); events go to a quorum queue")
    print(f"sqlite: {', '.join(work.SQLITE_PRAGMAS)}; postgresql: {SyncedPostgres.OPTIONS.replace('-c ', '')}")
    for case in CASES:
        if case.name in names:
            command = [sys.executable, "-W", "ignore", "-m", f"benchmarks.bus.cases.{case.module}", "--settings"]
            told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
            print(f"{case.name}: {told.strip()}", flush=True)


def _machine() -> dict[str, object]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()}


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
