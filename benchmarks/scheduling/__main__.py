"""Run the cases, print a table and the goals; exit 1 when a goal is missed or a case ended other than it must.

usage: python -m benchmarks.scheduling [RUNS]
"""

import statistics
import sys
import time
from pathlib import Path

from benchmarks.goals import Goal, tell
from benchmarks.scheduling.weeks import CASES, Case
from services.scheduling.domain.placing.planning import plan_week
from shared.rules.decisions import Rules
from shared.rules.lifecycle.rule_book import open_rules

RULES = Path(__file__).resolve().parents[2] / "rules"
GOALS = {
    "7 sessions, all day": Goal("week_of_7_cpu", 0.0, "under", 200, "ms"),
    "10 sessions, all day": Goal("week_of_10_cpu", 0.0, "under", 500, "ms"),
    "14 sessions, all day": Goal("week_of_14_cpu", 0.0, "under", 1000, "ms"),
    "no room: 10 sessions, 4 rest days": Goal("explanation_of_10_cpu", 0.0, "at most", 150, "ms"),
    "no room: 20 sessions": Goal("explanation_of_20_cpu", 0.0, "at most", 1000, "ms"),
}


def measured(case: Case, rules: Rules, runs: int) -> list[float]:
    """CPU milliseconds of each run; the process's first week, which loads the solver, is not among them."""
    taken = []
    for _ in range(runs):
        began = time.process_time()
        plan = plan_week(case.inputs, rules)
        taken.append((time.process_time() - began) * 1000)
        if plan.status != case.expected or (plan.status == "planned" and not plan.optimal):
            raise SystemExit(f"{case.name}: {plan.status}, optimal {plan.optimal}; expected {case.expected}")
    return taken


def main(runs: int) -> int:
    """Print CPU milliseconds of one core per case (the rules' answers, solving, audit and reasons included)."""
    goals = []
    with open_rules(RULES, evaluator="reference") as rules:
        plan_week(CASES[0].inputs, rules)
        print(f"{'week':<40} {'median':>8} {'worst':>8}   ms CPU, {runs} runs")
        for case in CASES:
            taken = measured(case, rules, runs)
            median, worst = statistics.median(taken), max(taken)
            print(f"{case.name:<40} {median:>8.0f} {worst:>8.0f}")
            if case.name in GOALS:
                goal = GOALS[case.name]
                goals.append(Goal(goal.name, median, goal.kind, goal.bound, goal.unit))
    return tell(goals)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
