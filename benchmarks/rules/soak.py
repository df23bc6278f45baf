"""``make soak``: random packs on random facts through both evaluators, then reload after reload, watching memory.

Bounded and repeatable: ``--seed`` fixes every pack and fact. Ends with goal lines; exit code 1 when one is missed.
"""

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.goals import Goal, tell
from benchmarks.rules.forty import pack
from benchmarks.rules.processes import MB, resident_bytes
from benchmarks.rules.random_packs import random_conditions, random_facts
from shared.rules.evaluation.closures import known_to_hold
from shared.rules.evaluation.durable_compiler import ConstantOutOfRange, PackTooLarge
from shared.rules.evaluation.evaluators import ConditionSet, choose_evaluator
from shared.rules.evaluation.normal_form import RuleTooComplex
from shared.rules.evaluation.reference_evaluator import holds
from shared.rules.lifecycle.rule_book import RuleBook

QUESTIONS_A_PACK = 100
RULES = 10
WARM_UP = 1_000
"""Reloads before memory is first looked at: by then every memory of bounded size has begun to turn over."""


def fuzz(decisions: int, seed: int) -> tuple[int, int]:
    """At least so many decisions (a rule on a question); (made, mismatches). The first mismatches are printed."""
    dice = random.Random(seed)
    evaluator = choose_evaluator("durable-rules")
    made = packs = wrong = refused = fired = 0
    began = shown = perf_counter()
    while made < decisions:
        rules = random_conditions(dice)
        questions = [random_facts(dice) for _ in range(QUESTIONS_A_PACK)]
        try:
            asked = ConditionSet.of(f"random-{packs}", rules, [str(at) for at in range(len(rules))])
        except (RuleTooComplex, PackTooLarge, ConstantOutOfRange):
            refused += 1
            continue
        packs += 1
        functions = [known_to_hold(rule) for rule in rules]
        for facts, engine in zip(questions, evaluator.by_engine(asked, questions), strict=True):
            for at, rule in enumerate(rules):
                tree, function = holds(rule, facts) is True, functions[at](facts)
                fired += tree
                if not tree == function == (at in engine):
                    wrong += 1
                    if wrong <= 5:
                        print(f"  differ: {rule} on {facts}")
                        print(f"  by the definition {tree}, by the functions {function}, by the engine {at in engine}")
        made += len(rules) * len(questions)
        if perf_counter() - shown > 10:
            shown = perf_counter()
            print(f"  {made:,} decisions in {shown - began:.0f} s", file=sys.stderr)
    statistics = evaluator.statistics()
    evaluator.close()
    print(
        f"fuzz (seed {seed}): {made:,} decisions by {packs:,} random packs ({refused} too complex to compile), "
        f"{fired / made:.1%} fired, {wrong} mismatches, {statistics.restarts} engine restarts, "
        f"{perf_counter() - began:.0f} s"
    )
    return made, wrong + statistics.restarts


def reload(times: int) -> tuple[float, float]:
    """A pack of ten rules saved and put into force ``times`` times; growth of service and worker in megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "base" / "sequencing.yaml"
        file.parent.mkdir()
        file.write_text(pack(0, size=RULES))
        book = RuleBook(Path(folder), "durable-rules")
        start = (0, 0)
        began = shown = perf_counter()
        for number in range(1, WARM_UP + times + 1):
            file.write_text(pack(number, only_one_new=number % 10 != 0, size=RULES))
            book.poll()
            if errors := book.errors():
                raise SystemExit(f"reload {number} was refused: {errors[0]}")
            if number == WARM_UP:
                start = _resident(book)
            if perf_counter() - shown > 10:
                shown = perf_counter()
                print(f"  {number:,} reloads in {shown - began:.0f} s, {_told(_resident(book))}", file=sys.stderr)
        end = _resident(book)
        statistics = book.for_tenant(None).engine_statistics()
        book.close()
    print(
        f"reloads: {times:,} after {WARM_UP:,} that do not count, "
        f"{perf_counter() - began:.0f} s, {_told(start)} at first, "
        f"{_told(end)} at last, "
        f"{statistics.restarts} engine restarts, {statistics.fallbacks} batches not answered"
    )
    if statistics.restarts or statistics.fallbacks:
        raise SystemExit("the worker did not last: its memory says nothing")
    return (end[0] - start[0]) / MB, (end[1] - start[1]) / MB


def _resident(book: RuleBook) -> tuple[int, int]:
    pid = book.for_tenant(None).engine_statistics().worker_pid
    if pid is None:
        raise SystemExit("the engine is not running")
    return resident_bytes(os.getpid()), resident_bytes(pid)


def _told(resident: tuple[int, int]) -> str:
    return f"{resident[0] / MB:.1f} MB in the service and {resident[1] / MB:.1f} MB in its worker"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules.soak", description=__doc__)
    parser.add_argument("--decisions", type=int, default=1_000_000, help="at least so many (default: a million)")
    parser.add_argument("--reloads", type=int, default=10_000, help="default: 10,000")
    parser.add_argument("--seed", type=int, default=20261121)
    asked = parser.parse_args()
    made, wrong = fuzz(asked.decisions, asked.seed)
    service, worker = reload(asked.reloads)
    print()
    return tell(
        [
            Goal("fuzz-decisions", made, "at least", asked.decisions),
            Goal("fuzz-mismatches", wrong, "under", 1.0),
            Goal("reload-growth-service", service, "under", 10.0, "MB"),
            Goal("reload-growth-worker", worker, "under", 10.0, "MB"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
