"""What was measured, as a table, as JSON and as goals."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.bus.measure import Faults, Latency, Throughput
from benchmarks.bus.process import Case
from benchmarks.goals import Goal

P50_MS, P99_MS = 15, 80


@dataclass
class Column:
    """One case on one database with so many processes."""

    case: Case
    kind: str
    processes: int
    throughputs: list[Throughput] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    killed: Faults | None = None
    stopped: Faults | None = None

    @property
    def title(self) -> str:
        return f"{self.case.name}{f' x{self.processes}' if self.processes > 1 else ''} on {self.kind}"

    @property
    def rate(self) -> float:
        return statistics.median(one.rate for one in self.throughputs)

    @property
    def p50(self) -> float:
        return statistics.median(one.p50 for one in self.latencies)

    @property
    def p99(self) -> float:
        return statistics.median(one.p99 for one in self.latencies)

    def as_json(self) -> dict[str, Any]:
        return {
            "case": self.case.name,
            "database": self.kind,
            "processes": self.processes,
            "inbox_and_outbox": self.case.inbox,
            "throughputs": [asdict(one) for one in self.throughputs],
            "latencies": [asdict(one) for one in self.latencies],
            "killed": asdict(self.killed) if self.killed else None,
            "stopped": asdict(self.stopped) if self.stopped else None,
        }


_HEAD = (
    "database",
    "case",
    "inbox+outbox",
    "messages/s (range)",
    "us CPU",
    "MB",
    "p50 ms",
    "p99 ms",
    "kill -9 lost/doubled",
    "SIGTERM lost/doubled",
)


def table(columns: Sequence[Column]) -> str:
    """Fixed width, one line per case."""
    rows = [_HEAD, *(_row(column) for column in columns)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(["", *lines, ""])


def _row(column: Column) -> tuple[str, ...]:
    rates = [one.rate for one in column.throughputs]
    return (
        column.kind,
        column.case.name + (f" x{column.processes}" if column.processes > 1 else ""),
        "yes" if column.case.inbox else "no",
        f"{column.rate:.0f} ({min(rates):.0f}-{max(rates):.0f})",
        f"{statistics.median(one.cpu_us for one in column.throughputs):.0f}",
        f"{max(one.peak_mb for one in column.throughputs):.0f}",
        f"{column.p50:.1f}" if column.latencies else "-",
        f"{column.p99:.1f}" if column.latencies else "-",
        f"{column.killed.lost}/{column.killed.doubled}" if column.killed else "-",
        f"{column.stopped.lost}/{column.stopped.doubled}" if column.stopped else "-",
    )


def goals_of(columns: Sequence[Column]) -> list[Goal]:
    """Of what was measured; ratios are the medians of the rounds, in each of which the cases ran side by side."""
    by_name = {(column.case.name, column.kind, column.processes): column for column in columns}
    goals = []
    for kind in dict.fromkeys(column.kind for column in columns):
        ours = by_name.get(("tandem", kind, 1))
        if ours is None:
            continue
        for peer, bound in (("nameko", 5), ("faststream", 3), ("aio-pika", 3), ("kombu-batched", 0.5)):
            theirs = by_name.get((peer, kind, 1))
            if theirs is not None and not (peer == "kombu-batched" and kind != "sqlite"):
                goals.append(Goal(f"bus-{kind}-times-{peer}", _ratio(ours, theirs), "at least", bound, "x"))
        if ours.latencies:
            goals.append(Goal(f"bus-{kind}-latency-p50", ours.p50, "at most", P50_MS, "ms"))
            goals.append(Goal(f"bus-{kind}-latency-p99", ours.p99, "at most", P99_MS, "ms"))
        if ours.killed and ours.stopped:
            lost = ours.killed.lost + ours.stopped.lost
            goals.append(Goal(f"bus-{kind}-lost", lost, "at most", 0))
            goals.append(Goal(f"bus-{kind}-doubled", ours.killed.doubled + ours.stopped.doubled, "at most", 0))
    return goals


def _ratio(ours: Column, theirs: Column) -> float:
    pairs = zip(ours.throughputs, theirs.throughputs, strict=False)
    return statistics.median(mine.rate / other.rate for mine, other in pairs)
