"""The page that is printed: a line for each fault, what was seen of it, and goal lines."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

_LINE = "{:8} {:34} {:>8} {:>5} {:>7} {:>6} {:>11} {:>8}"
_HEAD = ("", "fault", "messages", "lost", "doubled", "parked", "loads wrong", "drain s")


@dataclass(frozen=True, slots=True)
class Row:
    """One fault's line of the table."""

    side: str
    name: str
    fault: str
    messages: int
    lost: int
    doubled: int
    parked: int
    bystanders: int
    """Parked although nothing was wrong with them."""
    wrong_loads: int
    died: int
    """Replicas that ended although nobody had told them to."""
    drain_seconds: float | None
    """From the last confirm until nothing was left to do; None: it never came to that by itself."""
    seen: tuple[str, ...]
    missing: tuple[str, ...]

    def line(self) -> str:
        drain = "never" if self.drain_seconds is None else f"{self.drain_seconds:.1f}"
        wrong = self.wrong_loads if self.side == "tandem" else "-"
        parked = self.parked if self.side == "tandem" else "-"
        return _LINE.format(self.side, self.fault, self.messages, self.lost, self.doubled, parked, wrong, drain)


@dataclass
class Report:
    """``faults``: how many were to be done to our services. ``left``: what stood in a queue or an outbox at the end."""

    faults: int
    ours: list[Row] = field(default_factory=list)
    control: list[Row] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def add(self, row: Row) -> None:
        (self.ours if row.side == "tandem" else self.control).append(row)

    def goals(self) -> list[tuple[str, object, object, bool]]:
        """Name, figure, bound, met."""

        def none(name: str, count: int) -> tuple[str, object, object, bool]:
            return name, count, 0, count == 0

        bit = sum(not row.missing for row in self.ours)
        control_bit = sum(not row.missing for row in self.control)
        fails = any(row.lost or row.doubled for row in self.control)
        undrained = sum(row.drain_seconds is None for row in self.ours)
        control = [  # some faults cannot be done to it
            ("faults-bit-control", control_bit, len(self.control), control_bit == len(self.control)),
            ("control-fails", "yes" if fails else "no", "yes", fails),
        ]
        return [
            none("lost", sum(row.lost for row in self.ours)),
            none("doubled", sum(row.doubled for row in self.ours)),
            none("loads-recomputed-wrong", sum(row.wrong_loads for row in self.ours)),
            none("died-by-themselves", sum(row.died for row in self.ours)),
            none("parked-without-reason", sum(row.bystanders for row in self.ours)),
            none("left-in-queues", len(self.left) + undrained),
            ("faults-bit", bit, self.faults, bit == self.faults),
            *([] if not self.control else control),
        ]

    @property
    def met(self) -> bool:
        return all(met for *_, met in self.goals())

    def page(self) -> Iterator[str]:
        yield _LINE.format(*_HEAD)
        yield from (row.line() for row in (*self.ours, *self.control))
        yield ""
        yield "What was seen of each fault:"
        for row in (*self.ours, *self.control):
            yield f"{row.side:8} {row.fault}: {'; '.join(row.seen)}"
        for row in (*self.ours, *self.control):
            for what in row.missing:
                yield f"did not bite: {row.side}, {row.fault}: no {what}"
        yield from (f"still there at the end: {line}" for line in self.left)
        yield ""
        yield from (
            f"goal {name} {figure} {bound} {'met' if met else 'missed'}" for name, figure, bound, met in self.goals()
        )

    def write(self, file: Path) -> None:
        goals = [
            {"goal": name, "figure": figure, "bound": bound, "met": met} for name, figure, bound, met in self.goals()
        ]
        rows = [asdict(row) for row in (*self.ours, *self.control)]
        file.write_text(json.dumps({"rows": rows, "left": self.left, "goals": goals}, indent=2) + "\n")
