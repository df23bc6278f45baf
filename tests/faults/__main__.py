"""``make faults``: breaks everything around the services in turn, and counts what became of every message.

Prints one table (``--json FILE`` keeps it), what was seen of each fault, and goal lines; exit 1 when a goal is missed.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.rules.lifecycle.rule_book import open_rules
from tests.broker import Broker
from tests.disks import NOT_PERMITTED, small_disk
from tests.faults.catalogue import DISK_FULL, FAULTS
from tests.faults.ground import Ground
from tests.faults.running import Options, prepare, run_all
from tests.postgres import Postgres, programs
from tests.processes import ROOT

DISK_MEGABYTES = 512
"""For the tables of all faults; what is left of it is filled."""


def main() -> int:
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers it started end with it
    options, given = _arguments()
    chosen = [fault for fault in FAULTS if not given.only or fault.name in given.only]
    with (
        small_disk(DISK_MEGABYTES) as disk,
        _servers(disk) as ground,
        open_rules(ROOT / "rules", evaluator="reference") as rules,
    ):
        if disk is None and DISK_FULL in chosen:
            chosen.remove(DISK_FULL)
            print(f"left out: {DISK_FULL.title}; {NOT_PERMITTED}", file=sys.stderr)
        report = run_all(ground, chosen, rules, options)
    for line in report.page():
        print(line)
    print(f"seed {options.seed}, {options.messages} different messages a fault, {time.monotonic() - started:.0f} s")
    if given.json is not None:
        report.write(given.json)
    return 0 if report.met else 1


@contextmanager
def _servers(disk: Path | None) -> Iterator[Ground]:
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
            ground = Ground(broker, postgres, Path(name) / "logs", disk)
            prepare(ground)
            yield ground
            ground.stop()
        finally:
            broker.stop()
            postgres.stop()


def _arguments() -> tuple[Options, argparse.Namespace]:
    usual = Options()
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--messages", type=int, default=usual.messages, help="different messages per fault")
    parser.add_argument("--kills", type=int, default=usual.kills, help="how often a kill is repeated in a row")
    parser.add_argument("--replicas", type=int, default=usual.replicas, help="processes at most per service")
    parser.add_argument("--tell", type=int, default=usual.tell, help="wrong messages to name per fault")
    parser.add_argument("--only", nargs="*", choices=[fault.name for fault in FAULTS], default=[])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    return Options(given.seed, given.messages, given.kills, given.replicas, given.tell), given


if __name__ == "__main__":
    sys.exit(main())
