"""The child process of one case: ``python -m benchmarks.rules.serve CASE``. Answers one line per line asked.

Each engine has a process of its own, so that none pays for another's threads and none can end another.
"""

import importlib
import json
import sys
from importlib.metadata import version
from time import perf_counter
from typing import TextIO

from benchmarks.rules.case import Case
from benchmarks.rules.work import works

AT_LEAST_S = 0.2
"""A round repeats its work so long: on a busy machine a short round would be interrupted always or never."""


def serve(case: Case, requests: TextIO, replies: TextIO) -> None:
    def reply(**told: object) -> None:
        replies.write(json.dumps(told) + "\n")
        replies.flush()

    given = works()
    began = perf_counter()
    rounds = [case.ready(work) for work in given]
    reply(
        name=case.NAME,
        version=version(case.PACKAGE) if case.PACKAGE else "",
        settings=case.SETTINGS,
        ready_s=perf_counter() - began,
    )
    for _ in requests:
        seconds, wrong = [], []
        for work, answer in zip(given, rounds, strict=True):
            began, passes = perf_counter(), 0
            while (spent := perf_counter() - began) < AT_LEAST_S or not passes:
                answers = answer()
                passes += 1
            seconds.append(spent / passes)
            wrong.append(sum(frozenset(found) != right for found, right in zip(answers, work.right, strict=True)))
        reply(seconds=seconds, wrong=wrong)


if __name__ == "__main__":
    module = importlib.import_module(f"benchmarks.rules.cases.{sys.argv[1]}")
    serve(module, sys.stdin, sys.stdout)
