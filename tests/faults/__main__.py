"""``make faults``: breaks everything around the services in turn, and counts what became of every message.

Prints one table (``--json FILE`` keeps it) and goal lines; exit 1 when a goal is missed.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.rules.live import open_rules
from tests.broker import Broker
from tests.faults.asking import loads_of
from tests.faults.breaking import FAULTS, Fault
from tests.faults.counting import Count, count_control, count_ours, settled, waiting
from tests.faults.ground import EVENTS, Ground, Side, control_side, our_side, until
from tests.faults.script import Script, make_script
from tests.faults.sending import Sender
from tests.postgres import Postgres, programs
from tests.processes import ROOT

DRAIN_S = 150.0
SHORT = ("kill-commit", "kill-ack", "kill-relay")
KILLS_IN_SHORT = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One fault's line of the table."""

    side: str
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

    def cells(self) -> tuple[object, ...]:
        drain = "never" if self.drain_seconds is None else f"{self.drain_seconds:.1f}"
        return self.side, self.fault, self.messages, self.lost, self.doubled, self.parked, self.wrong_loads, drain


def main() -> int:
    options = _options()
    chosen = [fault for fault in FAULTS if not options.only or fault.name in options.only]
    if options.short:
        chosen = [fault for fault in FAULTS if fault.name in SHORT]
        options.messages = min(options.messages, 200)
    today = datetime.now(UTC)
    with _servers() as ground, open_rules(ROOT / "rules", evaluator="reference") as rules:
        ours, left = [], []

        def measure(script: Script, confirmed: set[str]) -> Count:
            return count_ours(ground, script, confirmed, rules, loads_of(ground, script))

        side = our_side(ground)
        side.kills = KILLS_IN_SHORT if options.short else side.kills
        try:
            for fault in chosen:
                ours.append(_run(side, fault, options, today, measure))
            until(lambda: not waiting(ground), 20)  # what a quorum queue says of itself is some seconds old
            left = list(waiting(ground))
        finally:
            side.end()
        control = _control(ground, chosen, options, today)
    return _tell(ours, control, left, options.json)


def _run(side: Side, fault: Fault, options: argparse.Namespace, today: datetime, measure: Any) -> Row:
    ground, name = side.ground, "control" if not side.must_stop_cleanly else "tandem"
    side.scale(fault.replicas)
    script = make_script(fault.name, options.messages, options.seed, today, fault.killer)
    first = script.profiles if side.must_stop_cleanly else ()
    sender = Sender(ground.broker.uri, first + script.sends, options.rate, wrapped=not side.must_stop_cleanly)
    time.sleep(0.5)  # the fault strikes into the stream, not before it
    fault.strike(side, random.Random(f"{options.seed} {fault.name} kill points"))
    sender.wait()
    died = side.revive()
    started = time.monotonic()
    if side.must_stop_cleanly:
        drained = until(lambda: settled(ground, script, sender.confirmed), DRAIN_S)
    else:
        drained = until(lambda: ground.ready("control.commands")[0] == 0, DRAIN_S)
        time.sleep(2)  # what is taken and not acknowledged cannot be seen from outside
    seconds = time.monotonic() - started if drained else None
    count = measure(script, sender.confirmed)
    for problem in (*count.lost, *count.doubled, *count.wrong_loads)[: options.tell if side.must_stop_cleanly else 0]:
        print(f"  {fault.name}: {problem}", file=sys.stderr)
    row = Row(
        name, fault.what, len(first) + len(script.sends) + sender.resent, len(count.lost), len(count.doubled),
        len(count.parked), sum(script.messages[one].fate != "parked" for one in count.parked),
        len(count.wrong_loads), died, seconds,
    )  # fmt: skip
    print(_line(row.cells()), file=sys.stderr, flush=True)
    return row


def _control(ground: Ground, chosen: Sequence[Fault], options: argparse.Namespace, today: datetime) -> list[Row]:
    ground.broker.forget(*(f"{service}.{kind}" for service in ("load", "toy") for kind in ("commands", "events")))
    ground.rows("CREATE TABLE effects (message text, athlete text, amount int)")
    ground.take_all(EVENTS)
    side = control_side(ground)
    side.kills = KILLS_IN_SHORT if options.short else side.kills
    if options.short:
        chosen = [fault for fault in chosen if fault.name == SHORT[1]]
    try:
        return [
            _run(side, fault, options, today, lambda script, confirmed: count_control(ground, script, confirmed))
            for fault in chosen
            if not fault.killer
        ]
    finally:
        side.end()


def _tell(ours: Sequence[Row], control: Sequence[Row], left: Sequence[str], file: Path | None) -> int:
    print(_line(("", "fault", "messages", "lost", "doubled", "parked", "loads wrong", "drain s")))
    for row in (*ours, *control):
        print(_line(row.cells()))
    for line in left:
        print(f"still in a queue: {line}")
    lost, doubled = sum(row.lost for row in ours), sum(row.doubled for row in ours)
    wrong, undrained = sum(row.wrong_loads for row in ours), sum(row.drain_seconds is None for row in ours)
    died = sum(row.died for row in ours)
    bystanders = sum(row.bystanders for row in ours)
    fails = any(row.lost or row.doubled for row in control)
    goals = [
        ("lost", 0, lost, lost == 0),
        ("doubled", 0, doubled, doubled == 0),
        ("loads-recomputed-wrong", 0, wrong, wrong == 0),
        ("died-by-themselves", 0, died, died == 0),
        ("parked-without-reason", 0, bystanders, bystanders == 0),
        ("left-in-queues", 0, len(left) + undrained, not left and not undrained),
        ("control-fails", "yes", "yes" if fails else "no", fails),
    ]
    for name, wanted, got, met in goals:
        print(f"goal {name} {wanted} {got} {'met' if met else 'missed'}")
    if file is not None:
        file.write_text(json.dumps({"rows": [asdict(row) for row in (*ours, *control)]}, indent=2) + "\n")
    return 0 if all(met for *_, met in goals) else 1


def _line(cells: Sequence[object]) -> str:
    return "{:8} {:32} {:>8} {:>5} {:>7} {:>6} {:>11} {:>8}".format(*cells)


@contextmanager
def _servers() -> Iterator[Ground]:
    found = programs()
    if found is None:
        raise SystemExit("make faults needs PostgreSQL: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="tandem-faults-", ignore_cleanup_errors=True) as name:
        for part in ("broker", "postgres", "logs"):
            (Path(name) / part).mkdir()
        Path(name).chmod(0o755)
        broker, postgres = Broker(Path(name) / "broker"), Postgres(Path(name) / "postgres", found)
        postgres.create()
        postgres.start()
        try:
            broker.start()
            ground = Ground(broker, postgres, Path(name) / "logs")
            _upgrade(ground)
            yield ground
            ground.proxy.stop()
        finally:
            broker.stop()
            postgres.stop()


def _upgrade(ground: Ground) -> None:
    from shared.db.engine import Database
    from shared.db.migrations import create_all, upgrade
    from tests.toy.service import Table

    upgrade("load", ground.database, ROOT / "services" / "load" / "migrations")
    create_all(Database("toy", ground.database), Table.metadata)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=20260301)
    parser.add_argument("--messages", type=int, default=1500, help="different messages per fault")
    parser.add_argument("--rate", type=float, default=150.0, help="messages per second")
    parser.add_argument("--only", nargs="*", choices=[fault.name for fault in FAULTS])
    parser.add_argument("--short", action="store_true", help="kills only, few messages: the part inside make test")
    parser.add_argument("--tell", type=int, default=10, help="wrong messages to name per fault")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
