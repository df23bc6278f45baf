"""The work's rules as conditions: 20 on pairs of sessions, 10 on an athlete's day, of the kinds that coaches write."""

from collections.abc import Mapping

from shared.rules.model import All, AnyOf, Condition, Leaf, Not, Op


def one_of(feature: str, *words: str) -> Condition:
    leaves = tuple(Leaf(feature, "==", word) for word in words)
    return leaves[0] if len(leaves) == 1 else AnyOf(leaves)


def number(feature: str, op: Op, bound: float) -> Condition:
    return Leaf(feature, op, bound)


def flag(feature: str, value: bool = True) -> Condition:
    return Leaf(feature, "==", value)


def every(*parts: Condition) -> Condition:
    return All(parts)


def either(*parts: Condition) -> Condition:
    return AnyOf(parts)


LEGS = ("lower", "full")
FAST = ("tempo", "threshold", "intervals", "hills", "race")


def lift(side: str) -> Condition:
    return one_of(f"{side}_kind", "lift")


def run(side: str) -> Condition:
    return one_of(f"{side}_kind", "run")


def heavy_legs(side: str, *efforts: str) -> Condition:
    efforts = efforts or ("heavy", "max")
    return every(lift(side), one_of(f"{side}_region", *LEGS), one_of(f"{side}_effort", *efforts))


def upper(side: str) -> Condition:
    return every(lift(side), one_of(f"{side}_region", "upper"))


def long_run(side: str) -> Condition:
    long_race = every(one_of(f"{side}_type", "race"), number(f"{side}_duration_min", ">=", 90.0))
    return every(run(side), either(one_of(f"{side}_type", "long"), long_race))


def quality(side: str) -> Condition:
    return every(run(side), one_of(f"{side}_type", *FAST))


def easy(side: str) -> Condition:
    return every(run(side), one_of(f"{side}_type", "easy", "recovery"))


def gap_under(hours: float) -> Condition:
    return number("gap_hours", "<", hours)


PAIR_RULES: Mapping[str, Condition] = {
    "heavy-legs-before-long": every(heavy_legs("first"), long_run("then"), gap_under(24.0)),
    "long-before-heavy-legs": every(long_run("first"), heavy_legs("then"), gap_under(24.0)),
    "heavy-legs-around-quality": every(
        either(every(heavy_legs("first"), quality("then")), every(quality("first"), heavy_legs("then"))), gap_under(8.0)
    ),
    "max-legs-before-quality": every(heavy_legs("first", "max"), quality("then"), gap_under(48.0)),
    "quality-then-legs-same-day": every(quality("first"), heavy_legs("then"), flag("same_day")),
    "lift-run-gap": every(
        lift("first"),
        run("then"),
        gap_under(6.0),
        Not(every(upper("first"), easy("then"))),
        Not(every(easy("then"), number("then_duration_min", "<=", 20.0))),
    ),
    "run-lift-gap": every(run("first"), lift("then"), gap_under(6.0), Not(every(easy("first"), upper("then")))),
    "run-before-heavy-lift": every(
        run("first"),
        lift("then"),
        one_of("then_effort", "heavy", "max"),
        flag("same_day"),
        number("gap_hours", "<", 9.0),
    ),
    "lift-before-run": every(lift("first"), run("then"), flag("same_day"), flag("then_key")),
    "key-run-before-lift": every(run("first"), flag("first_key"), lift("then"), flag("same_day")),
    "race-phase-no-heavy": every(one_of("phase", "race"), heavy_legs("then"), quality("first"), gap_under(72.0)),
    "upper-near-quality": every(upper("first"), quality("then"), gap_under(4.0)),
    "stacked-long-easy": every(
        lift("first"),
        easy("then"),
        number("then_duration_min", ">", 45.0),
        flag("same_day"),
        one_of("priority", "strength", "hypertrophy"),
    ),
    "target-gap-lifting-first": every(
        one_of("priority", "strength"), lift("first"), run("then"), number("gap_hours", ">=", 6.0), gap_under(8.0)
    ),
    "beginner-hard-back-to-back": every(
        one_of("level", "beginner"), quality("first"), quality("then"), gap_under(36.0)
    ),
    "hard-runs-48h": every(quality("first"), either(quality("then"), long_run("then")), gap_under(48.0)),
    "long-after-long": every(long_run("first"), long_run("then"), gap_under(96.0)),
    "legs-twice": every(heavy_legs("first"), heavy_legs("then"), gap_under(48.0), Not(one_of("level", "advanced"))),
    "other-before-key": every(
        one_of("first_kind", "other"), flag("then_key"), gap_under(12.0), Not(one_of("first_mode", "mobility", "yoga"))
    ),
    "short-recovery": every(gap_under(3.0), Not(easy("first")), Not(easy("then")), flag("same_day")),
}

DAY_RULES: Mapping[str, Condition] = {
    "every-fourth-week": number("weeks_since_deload", ">=", 3.0),
    "coach-asks": flag("coach_deload"),
    "low-hrv-lasting": every(flag("hrv_low"), number("hrv_low_days", ">=", 3.0)),
    "effort-drift-lasting": every(number("effort_drift", ">=", 1.5), number("effort_drift_days", ">=", 5.0)),
    "combined-ratio": number("acwr_combined", ">", 1.5),
    "one-sided-ratio": either(number("acwr_run", ">", 1.5), number("acwr_lift", ">", 1.5)),
    "peak-mileage": every(number("mileage_of_peak", ">=", 0.9), Not(one_of("phase", "taper", "race"))),
    "strained-and-monotonous": every(number("monotony", ">", 2.0), number("strain", ">", 6000.0)),
    "sleepless-beginner": every(one_of("level", "beginner"), number("sleep_hours", "<", 6.0), flag("hrv_low")),
    "ratio-in-range-but-tired": every(
        number("acwr_combined", ">=", 0.8), number("acwr_combined", "<=", 1.3), number("readiness", "<", 40.0)
    ),
}
