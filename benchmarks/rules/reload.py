"""From a saved file to rules in force: read, parse, merge, examples, compile, load into the worker, cross-check.

Run as ``python -m benchmarks.rules.reload``; prints one JSON line with milliseconds: ``one_rule`` where one threshold
was edited, ``whole_pack`` where every rule of the forty is one never seen before.
"""

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter

from benchmarks.rules.forty import pack
from shared.rules.live import RuleBook

TIMES = 21


def measure(versions: Iterable[str]) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "base" / "sequencing.yaml"
        file.parent.mkdir()
        first, *later = versions
        file.write_text(first)
        book = RuleBook(Path(folder), "durable-rules")
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
        statistics = book.for_tenant(None).engine_statistics()
        if statistics.restarts or statistics.fallbacks or statistics.worker_pid is None:
            raise SystemExit(f"the engine did not take part: {statistics}")
        book.close()
    return spent


if __name__ == "__main__":
    whole = measure(pack(version) for version in range(TIMES + 1))
    one = measure(pack(version, only_one_new=True) for version in range(100, 100 + TIMES + 1))
    print(json.dumps({"one_rule": one, "whole_pack": whole}))
