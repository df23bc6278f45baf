"""What a lift says about strength: the estimated one-repetition maximum."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.messages.values import Exercise, ExerciseSet

EPLEY_REPS = 30.0
"""Epley 1985: e1RM = load x (1 + reps / 30)."""
MAX_REPETITIONS = 10.0
"""Repetitions plus repetitions in reserve up to which the formula is used; beyond it overestimates."""


@dataclass(frozen=True, slots=True)
class EstimatedMax:
    """The best e1RM of one exercise in one session, kg."""

    lift: str
    e1rm_kg: float

    def as_json(self) -> dict[str, Any]:
        return {"lift": self.lift, "e1rm_kg": self.e1rm_kg}


def estimated_max_kg(load_kg: float, reps: int, rir: float | None) -> float | None:
    """Epley's e1RM in kg with repetitions in reserve added to the repetitions.

    A single with nothing in reserve *is* the maximum (the formula would give 103.3 %). A set without ``rir`` counts as
    taken to failure, which can only underestimate. None when the set says nothing: no repetition, no load, or more than
    ten repetitions with those in reserve.
    """
    to_failure = reps + (rir or 0.0)
    if reps < 1 or load_kg <= 0 or to_failure > MAX_REPETITIONS:
        return None
    if to_failure == 1:
        return load_kg
    return load_kg * (1 + to_failure / EPLEY_REPS)


def best_max(exercises: Sequence[Exercise]) -> tuple[EstimatedMax, ...]:
    """The best e1RM per exercise name, in the order in which the exercises were done."""
    best: dict[str, float] = {}
    for exercise in exercises:
        for one_set in exercise.sets:
            estimate = _of_set(one_set)
            if estimate is not None:
                best[exercise.name] = max(estimate, best.get(exercise.name, 0.0))
    return tuple(EstimatedMax(lift, kilograms) for lift, kilograms in best.items())


def _of_set(one_set: ExerciseSet) -> float | None:
    return None if one_set.load_kg is None else estimated_max_kg(one_set.load_kg, one_set.reps, one_set.rir)
