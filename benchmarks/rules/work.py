"""The work that every engine is given: two sets of rules with a thousand questions each, from a fixed seed.

Every fact is known: a session that is no lift has the region "none". One number in five lies exactly on a threshold.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from benchmarks.rules import truth
from benchmarks.rules.conditions import DAY_RULES, PAIR_RULES
from shared.contract.sessions import Effort, Mode, Region, RunType
from shared.rules.model import Condition, Scalar

SEED = 20261121
QUESTIONS = 1000
Facts = dict[str, Scalar]


@dataclass(frozen=True, slots=True)
class Work:
    """``right[i]``: the positions of the rules that fire for question ``i``."""

    name: str
    rules: Mapping[str, Condition]
    questions: Sequence[Facts]
    right: Sequence[frozenset[int]]

    @property
    def decisions(self) -> int:
        return len(self.rules) * len(self.questions)


def works(seed: int = SEED, questions: int = QUESTIONS) -> tuple[Work, Work]:
    dice = random.Random(seed)
    return (
        _work("pairs", PAIR_RULES, truth.PAIRS, [_pair(dice) for _ in range(questions)]),
        _work("days", DAY_RULES, truth.DAYS, [_day(dice) for _ in range(questions)]),
    )


def _work(
    name: str,
    rules: Mapping[str, Condition],
    answers: Mapping[str, Callable[[truth.Known], bool]],
    questions: Sequence[Facts],
) -> Work:
    right = [frozenset(at for at, rule in enumerate(rules) if answers[rule](facts)) for facts in questions]
    return Work(name, rules, questions, right)


def _pair(dice: random.Random) -> Facts:
    gap = _number(dice, 0.0, 100.0, (3.0, 4.0, 6.0, 8.0, 9.0, 12.0, 24.0, 36.0, 48.0, 72.0, 96.0))
    if dice.random() < 0.5:
        gap = round(gap / 6, 6)
    return {
        **_session(dice, "first"),
        **_session(dice, "then"),
        "gap_hours": gap,
        "same_day": gap < 14 and dice.random() < 0.7,
        "priority": dice.choice(("strength", "balanced", "endurance", "hypertrophy")),
        "level": dice.choice(("beginner", "intermediate", "advanced")),
        "phase": dice.choice(("base", "build", "peak", "taper", "race")),
    }


def _session(dice: random.Random, side: str) -> Facts:
    kind = dice.choice(("run", "run", "lift", "lift", "other"))
    facts: Facts = {
        "kind": kind,
        "type": dice.choice(get_args(RunType)) if kind == "run" else "none",
        "region": dice.choice(get_args(Region)) if kind == "lift" else "none",
        "effort": dice.choice(get_args(Effort)) if kind == "lift" else "none",
        "mode": dice.choice(get_args(Mode)) if kind == "other" else "none",
        "duration_min": _number(dice, 10.0, 150.0, (20.0, 45.0, 90.0)),
        "key": dice.random() < 0.3,
    }
    return {f"{side}_{name}": value for name, value in facts.items()}


def _day(dice: random.Random) -> Facts:
    return {
        "weeks_since_deload": float(dice.randrange(6)),
        "coach_deload": dice.random() < 0.1,
        "hrv_low": dice.random() < 0.4,
        "hrv_low_days": float(dice.randrange(7)),
        "effort_drift": _number(dice, -1.0, 3.0, (1.5,)),
        "effort_drift_days": float(dice.randrange(9)),
        "acwr_combined": _number(dice, 0.4, 2.0, (0.8, 1.3, 1.5)),
        "acwr_run": _number(dice, 0.4, 2.0, (1.5,)),
        "acwr_lift": _number(dice, 0.4, 2.0, (1.5,)),
        "mileage_of_peak": _number(dice, 0.3, 1.1, (0.9,)),
        "monotony": _number(dice, 0.5, 3.5, (2.0,)),
        "strain": _number(dice, 500.0, 12_000.0, (6000.0,)),
        "sleep_hours": _number(dice, 3.0, 10.0, (6.0,)),
        "readiness": _number(dice, 0.0, 100.0, (40.0,)),
        "level": dice.choice(("beginner", "intermediate", "advanced")),
        "phase": dice.choice(("base", "build", "peak", "taper", "race")),
    }


def _number(dice: random.Random, low: float, high: float, thresholds: Sequence[float]) -> float:
    return dice.choice(thresholds) if dice.random() < 0.2 else round(dice.uniform(low, high), 3)
