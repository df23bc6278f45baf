"""``make bench-rules``: every figure measured anew, a table, and one line per goal; exit code 1 when one is missed."""

import argparse
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from statistics import median
from typing import Any

from benchmarks.goals import Goal, tell
from benchmarks.rules.engines import HOSTS, Contender, compare, ratio, table
from benchmarks.rules.work import SEED, works


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds of the comparison (default: 9)")
    parser.add_argument("--tenants", type=int, default=1000, help="tenants with packs of their own (default: 1000)")
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    for work in works():
        fired = sum(map(len, work.right))
        print(f"{work.name}: {len(work.rules)} rules x {len(work.questions)} questions (seed {SEED}), {fired} fire")
    print()
    contenders = compare(asked.rounds)
    print(table(contenders))
    print(
        f"  median and range of {asked.rounds} rounds in turns, each at least 0.2 s a work; every engine in a process"
    )
    print("  of its own; 'x Host' against the faster of the two ways of using it, round by round\n")
    goals = _engine_goals(contenders)

    weeks = _measured("benchmarks.rules.weeks")
    print("conflict table of a week of ten sessions, milliseconds")
    for name, told in weeks.items():
        print(f"  {name:28} {_told(told)}")
    goals.append(Goal("conflict-table-warm", median(weeks["one session new"]), "under", 5.0, "ms"))

    reloads = _measured("benchmarks.rules.reload")
    print("reload of a pack of 40 rules and 120 examples, milliseconds from the saved file to rules in force")
    for told, name in (("one rule edited", "one_rule"), ("every rule new", "whole_pack")):
        print(f"  {told:28} {_told(reloads[name])}, of which {reloads[f'{name}_cpu']:.0f} on a processor")
    goals.append(Goal("reload-40-rules-one-edited", median(reloads["one_rule"]), "under", 150.0, "ms"))
    goals.append(Goal("reload-40-rules-all-new", median(reloads["whole_pack"]), "under", 150.0, "ms"))

    held = _measured("benchmarks.rules.tenants", str(asked.tenants))
    print(
        f"{held['tenants']:.0f} tenants with two packs each: loaded in {held['load_s']:.1f} s, "
        f"{held['parent_mb']:.0f} MB in the service and {held['worker_mb']:.0f} MB in its worker after each was asked; "
        f"{held['answer_ms']:.1f} ms for a tenant's first table and five days"
    )
    print(
        f"  a base file saved: noticed and in force in {held['look_s']:.2f} s, a tenant's first decision by it takes "
        f"{held['first_ms']:.0f} ms (at most {held['first_worst_ms']:.0f});\n"
        f"  all tenants anew in the background in {held['background_s']:.0f} s, by slices of {held['slice_ms']:.0f} ms "
        f"(at most {held['slice_worst_ms']:.0f}); {held['after_change_mb']:.0f} MB after it"
    )
    name = f"rules-base-change-{held['tenants']:.0f}-tenants"
    goals.append(Goal(name, held["worst_s"], "under", 2.0, "s"))
    total = max(held["after_load_mb"], held["parent_mb"] + held["worker_mb"], held["after_change_mb"])
    goals.append(Goal(f"memory-{held['tenants']:.0f}-tenants", total, "under", 300.0, "MB"))
    print(f"\nload {os.getloadavg()[0]:.1f} at the end; durable-rules {version('durable_rules')} in the worker\n")
    return tell(goals)


def _engine_goals(contenders: list[Contender]) -> list[Goal]:
    by_case = {one.case: one for one in contenders}
    worker, reference = by_case["tandem_engine"], by_case["tandem_reference"]
    hosts, zen = [by_case[name] for name in HOSTS], [by_case["zen_table"]]
    return [
        Goal("engine-in-worker-vs-host", ratio(worker, hosts), "at least", 1.0, "x"),
        Goal("engine-in-worker-vs-zen-table", ratio(worker, zen), "at least", 1.0, "x"),
        Goal("reference-vs-host", ratio(reference, hosts), "at least", 15.0, "x"),
        Goal("wrong-answers", worker.wrong + reference.wrong, "under", 1.0),
    ]


def _measured(module: str, *arguments: str) -> dict[str, Any]:
    """What a module measured in a process of its own."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout))


def _told(figures: list[float]) -> str:
    return f"{median(figures):8.2f} ({min(figures):.2f}..{max(figures):.2f}, {len(figures)} times)"


if __name__ == "__main__":
    sys.exit(main())
