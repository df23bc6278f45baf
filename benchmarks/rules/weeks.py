"""The conflict table of a full week, with the shipped rules: ``python -m benchmarks.rules.weeks`` prints JSON."""

import json
from pathlib import Path
from time import perf_counter

from benchmarks.rules.week import ATHLETE, CLASSES
from shared.rules.lifecycle.rule_book import open_rules
from shared.rules.model import Facts

RULES = Path(__file__).resolve().parents[2] / "rules"
TIMES = 101


def measure() -> dict[str, list[float]]:
    """Milliseconds: ``all sessions new`` (never asked of these rules), ``one session new``, ``same week again``."""
    spent: dict[str, list[float]] = {"all sessions new": [], "one session new": [], "same week again": []}
    with open_rules(RULES, evaluator="durable-rules") as rules:

        def table(case: str, classes: list[Facts]) -> None:
            began = perf_counter()
            found = rules.conflict_table(classes, ATHLETE)
            spent[case].append((perf_counter() - began) * 1000)
            if len(found) != len(classes) ** 2:
                raise SystemExit(f"{len(found)} pairs of {len(classes)} sessions")

        rules.conflict_table(CLASSES, ATHLETE)
        for n in range(TIMES):
            week = [_longer(facts, n + 1) for facts in CLASSES]
            table("all sessions new", week)
            week[n % len(week)] = _longer(week[n % len(week)], 200 + n)
            table("one session new", week)
            table("same week again", week)
    return spent


def _longer(facts: Facts, minutes: int) -> Facts:
    known = facts["duration_min"]
    assert isinstance(known, float)
    return {**facts, "duration_min": known + minutes / 100}


if __name__ == "__main__":
    print(json.dumps(measure()))
