"""Print what each kind of message costs the services: CPU, messages a second of one core, SQL statements.

usage: python -m benchmarks.services [--athletes N] [--only sqlite|postgresql] [--profile 'SERVICE CASE'] [--statements]

CPU is this process's own (``time.process_time``), so the figures hold on a busy machine; on PostgreSQL the
server's work comes on top. Each batch of 200 is one transaction, as a queue that is never empty gives them.
"""

import argparse
import cProfile
import gc
import pstats
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import eventlet

eventlet.monkey_patch()

from benchmarks.bus.nodes import SyncedPostgres  # noqa: E402 - the patch comes first
from benchmarks.services.cases import CASES, NIGHT, Day, open_day  # noqa: E402
from benchmarks.services.house import NOW, Room, house, sqlite_in  # noqa: E402
from shared.bus.routes import Timer  # noqa: E402
from shared.rules.evaluation.tenant_rules import TenantRules  # noqa: E402
from shared.rules.lifecycle.rule_book import open_rules  # noqa: E402
from tests.postgres import programs  # noqa: E402

RULES = Path(__file__).resolve().parents[2] / "rules"


def measured(database: str, case: str, room: Room, work: Callable[[], int], options: argparse.Namespace) -> None:
    """One line of the table; ``work`` says how many messages (or athletes) it was."""
    room.statements.clear()
    profile = cProfile.Profile() if options.profile == case else None
    gc.collect()
    began = time.process_time()
    count = profile.runcall(work) if profile else work()
    taken = time.process_time() - began
    told = sum(room.statements.values())
    if count:
        print(
            f"{database:<10} {case:<44} {count:>6} {count / taken:>8.0f} {taken / count * 1000:>8.2f}"
            f" {told / count:>7.1f}",
            flush=True,
        )
    if profile:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(70)
    if options.statements:
        for statement, times in room.statements.most_common(14):
            print(f"    {times:>6}  {' '.join(statement.split())[:150]}")


def one_day(database: str, url: str, rules: TenantRules, options: argparse.Namespace) -> None:
    with house(url, rules) as opened:
        day = open_day(opened, options.athletes)
        for case in CASES:
            name = f"{case.service} {case.name}"
            deliveries = case.messages(day)

            def take(name: str = name, service: str = case.service, deliveries: list = deliveries) -> int:  # type: ignore[type-arg]
                day.told[name] = opened[service].take(deliveries)
                return len(deliveries)

            measured(database, name, opened[case.service], take, options)
        for night in NIGHT:
            room = opened[night.service]
            room.now = NOW + timedelta(days=1)
            timer = next(timer for timer in room.timers if timer.name == night.name)
            measured(
                database,
                f"{night.service} {night.name}",
                room,
                lambda room=room, timer=timer, day=day: _until_done(room, timer, day),  # type: ignore[misc]
                options,
            )


def _until_done(room: Room, timer: Timer, day: Day) -> int:
    for _ in room.processor.run_timer(timer):
        pass
    return len(day.athletes)


def main(options: argparse.Namespace) -> int:
    print(f"{'database':<10} {'case':<44} {'number':>6} {'1/s':>8} {'CPU ms':>8} {'SQL':>7}")
    found = programs()
    with open_rules(RULES) as rules, tempfile.TemporaryDirectory(prefix="tandem-services-") as folder:
        if options.only in (None, "sqlite"):
            one_day("sqlite", sqlite_in(Path(folder)), rules, options)
        if options.only in (None, "postgresql") and found is not None:
            with tempfile.TemporaryDirectory(prefix="tandem-services-pg-", ignore_cleanup_errors=True) as pg:
                server = SyncedPostgres(Path(pg), found)
                server.create()
                server.start()
                try:
                    one_day("postgresql", server.new_database(), rules, options)
                finally:
                    server.stop()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--athletes", type=int, default=200)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--profile", metavar="'SERVICE CASE'", help="where that case's time goes")
    parser.add_argument("--statements", action="store_true", help="each case's most frequent SQL")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(_options()))
