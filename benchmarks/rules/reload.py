"""From a saved file to rules in force: read, parse, merge, examples, compile, load into the worker, cross-check.

Run as ``python -m benchmarks.rules.reload``; prints one JSON line with milliseconds: ``one_rule`` where one threshold
was edited, ``whole_pack`` where every rule of the forty is one never seen before; with ``_cpu`` what both processes
used of the processors for one reload, which other work on the machine changes little.
"""

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter

from benchmarks.rules.forty import pack
from benchmarks.rules.processes import cpu_seconds
from shared.rules.lifecycle.rule_book import RuleBook

TIMES = 21


def measure(versions: Iterable[str]) -> tuple[list[float], float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "base" / "sequencing.yaml"
        file.parent.mkdir()
        first, *later = versions
        file.write_text(first)
        book = RuleBook(Path(folder), "durable-rules")
        pid = book.for_tenant(None).engine_statistics().worker_pid
        if pid is None:
            raise SystemExit("the engine is not running")
        used = cpu_seconds(os.getpid()) + cpu_seconds(pid)
        spent = []
        for text in later:
            before = book.for_tenant(None).pack("sequencing")
            file.write_text(text)
            began = perf_counter()
            book.poll()
            spent.append((perf_counter() - began) * 1000)
            after = book.for_tenant(None).pack("sequencing")
            if book.errors() or after.hash == before.hash or len(after.rules) != 40:
                raise SystemExit(f"the pack did not come into force: {book.errors()[:3]}")
        used = cpu_seconds(os.getpid()) + cpu_seconds(pid) - used
        statistics = book.for_tenant(None).engine_statistics()
        if statistics.restarts or statistics.fallbacks:
            raise SystemExit(f"the engine did not take part: {statistics}")
        book.close()
    return spent, used * 1000 / len(spent)


if __name__ == "__main__":
    whole, whole_cpu = measure(pack(version) for version in range(TIMES + 1))
    one, one_cpu = measure(pack(version, only_one_new=True) for version in range(100, 100 + TIMES + 1))
    told = {"one_rule": one, "one_rule_cpu": one_cpu, "whole_pack": whole, "whole_pack_cpu": whole_cpu}
    print(json.dumps(told))
