"""What the right answers are: each rule once more as a plain Python function, written by hand from its sentence.

Shares nothing with the conditions that the engines are given, so that a slip in either shows. All facts are known.
"""

from collections.abc import Callable, Mapping
from typing import Any

Known = Mapping[str, Any]
Truth = Callable[[Known], Any]


def _legs(facts: Known, side: str, efforts: tuple[str, ...] = ("heavy", "max")) -> bool:
    return (
        facts[f"{side}_kind"] == "lift"
        and facts[f"{side}_region"] in ("lower", "full")
        and facts[f"{side}_effort"] in efforts
    )


def _long(facts: Known, side: str) -> bool:
    if facts[f"{side}_kind"] != "run":
        return False
    long_race = facts[f"{side}_type"] == "race" and facts[f"{side}_duration_min"] >= 90
    return bool(long_race or facts[f"{side}_type"] == "long")


def _quality(facts: Known, side: str) -> bool:
    return facts[f"{side}_kind"] == "run" and facts[f"{side}_type"] in (
        "tempo",
        "threshold",
        "intervals",
        "hills",
        "race",
    )


def _easy(facts: Known, side: str) -> bool:
    return facts[f"{side}_kind"] == "run" and facts[f"{side}_type"] in ("easy", "recovery")


def _upper(facts: Known, side: str) -> bool:
    return bool(facts[f"{side}_kind"] == "lift" and facts[f"{side}_region"] == "upper")


def _is(facts: Known, first: str, then: str) -> bool:
    return bool(facts["first_kind"] == first and facts["then_kind"] == then)


def _lift_run_gap(f: Known) -> bool:
    if not _is(f, "lift", "run") or f["gap_hours"] >= 6:
        return False
    return not (_easy(f, "then") and (_upper(f, "first") or f["then_duration_min"] <= 20))


PAIRS: Mapping[str, Truth] = {
    "heavy-legs-before-long": lambda f: _legs(f, "first") and _long(f, "then") and f["gap_hours"] < 24,
    "long-before-heavy-legs": lambda f: _long(f, "first") and _legs(f, "then") and f["gap_hours"] < 24,
    "heavy-legs-around-quality": lambda f: (
        f["gap_hours"] < 8
        and ((_legs(f, "first") and _quality(f, "then")) or (_quality(f, "first") and _legs(f, "then")))
    ),
    "max-legs-before-quality": lambda f: _legs(f, "first", ("max",)) and _quality(f, "then") and f["gap_hours"] < 48,
    "quality-then-legs-same-day": lambda f: f["same_day"] and _quality(f, "first") and _legs(f, "then"),
    "lift-run-gap": _lift_run_gap,
    "run-lift-gap": lambda f: (
        _is(f, "run", "lift") and f["gap_hours"] < 6 and not (_easy(f, "first") and _upper(f, "then"))
    ),
    "run-before-heavy-lift": lambda f: (
        _is(f, "run", "lift") and f["then_effort"] in ("heavy", "max") and f["same_day"] and f["gap_hours"] < 9
    ),
    "lift-before-run": lambda f: _is(f, "lift", "run") and f["same_day"] and f["then_key"],
    "key-run-before-lift": lambda f: _is(f, "run", "lift") and f["same_day"] and f["first_key"],
    "race-phase-no-heavy": lambda f: (
        f["phase"] == "race" and _quality(f, "first") and _legs(f, "then") and f["gap_hours"] < 72
    ),
    "upper-near-quality": lambda f: _upper(f, "first") and _quality(f, "then") and f["gap_hours"] < 4,
    "stacked-long-easy": lambda f: (
        f["priority"] in ("strength", "hypertrophy")
        and f["first_kind"] == "lift"
        and _easy(f, "then")
        and f["then_duration_min"] > 45
        and f["same_day"]
    ),
    "target-gap-lifting-first": lambda f: (
        f["priority"] == "strength" and _is(f, "lift", "run") and 6 <= f["gap_hours"] < 8
    ),
    "beginner-hard-back-to-back": lambda f: (
        f["level"] == "beginner" and _quality(f, "first") and _quality(f, "then") and f["gap_hours"] < 36
    ),
    "hard-runs-48h": lambda f: (
        _quality(f, "first") and (_quality(f, "then") or _long(f, "then")) and f["gap_hours"] < 48
    ),
    "long-after-long": lambda f: _long(f, "first") and _long(f, "then") and f["gap_hours"] < 96,
    "legs-twice": lambda f: f["level"] != "advanced" and _legs(f, "first") and _legs(f, "then") and f["gap_hours"] < 48,
    "other-before-key": lambda f: (
        f["first_kind"] == "other"
        and f["first_mode"] not in ("mobility", "yoga")
        and f["then_key"]
        and f["gap_hours"] < 12
    ),
    "short-recovery": lambda f: f["same_day"] and f["gap_hours"] < 3 and not _easy(f, "first") and not _easy(f, "then"),
}

DAYS: Mapping[str, Truth] = {
    "every-fourth-week": lambda f: f["weeks_since_deload"] >= 3,
    "coach-asks": lambda f: f["coach_deload"],
    "low-hrv-lasting": lambda f: f["hrv_low"] and f["hrv_low_days"] >= 3,
    "effort-drift-lasting": lambda f: f["effort_drift"] >= 1.5 and f["effort_drift_days"] >= 5,
    "combined-ratio": lambda f: f["acwr_combined"] > 1.5,
    "one-sided-ratio": lambda f: max(f["acwr_run"], f["acwr_lift"]) > 1.5,
    "peak-mileage": lambda f: f["mileage_of_peak"] >= 0.9 and f["phase"] not in ("taper", "race"),
    "strained-and-monotonous": lambda f: f["monotony"] > 2 and f["strain"] > 6000,
    "sleepless-beginner": lambda f: f["level"] == "beginner" and f["sleep_hours"] < 6 and f["hrv_low"],
    "ratio-in-range-but-tired": lambda f: 0.8 <= f["acwr_combined"] <= 1.3 and f["readiness"] < 40,
}
