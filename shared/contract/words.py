"""The words of the contract: closed vocabularies that every service, rule file and athlete file share."""

from typing import Literal, get_args

Priority = Literal["strength", "hypertrophy", "endurance", "balanced"]
Level = Literal["beginner", "intermediate", "advanced"]
Phase = Literal["base", "strength", "build", "peak", "taper", "race", "deload", "recovery"]
DayStrategy = Literal["cluster", "spread"]
DayState = Literal["rest", "unknown", "sick", "travel"]
Stream = Literal["run", "lift", "combined"]
Band = Literal["under-load", "optimal", "caution", "danger"]
LoadStatus = Literal["ok", "provisional", "return-from-break", "incomplete", "no-data"]
Lapse = Literal["break", "race-recovery", "returning", "not-recording"]
"""What an athlete's training is in while the ratios mean something else."""
ScoreMethod = Literal["session-rpe", "heart-rate", "own-median-effort", "default-effort"]
"""How a session's load was found."""
ScoreStatus = Literal["measured", "estimated", "assumed"]
LoadQuality = Literal[
    "zero-means-unknown", "unit-mixed-up", "implausible-distance", "watch-left-running", "probable-copy",
    "year-mistyped", "load-twice",
]  # fmt: skip
"""What may look wrong in the records of training."""
MorningQuality = Literal["zero-means-unknown", "implausible-value", "unit-mixed-up"]
"""What may look wrong in a morning."""
DeloadCause = Literal["planned", "early", "coach"]
WeekStatus = Literal["planned", "infeasible", "undecided"]
BudgetSpent = Literal["not_proved", "not_minimal", "undecided", "out_of_time"]
"""What planning left unfinished when the work that a week may cost was spent."""
GoalKind = Literal["race", "strength"]
GoalClass = Literal["A", "B", "C"]
"""From the most important to the least."""
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WeekStart = Literal["mon", "sun", "sat"]
"""The day on which an athlete's weeks begin."""
Colour = Literal["green", "yellow", "red"]
Intensity = Literal["full", "reduced", "easy"]
"""Of a day's gate, from the mildest to the strictest."""
Action = Literal["none", "watch", "pull-back"]
"""What the signs of overreaching ask for, from the mildest to the strictest."""
Answer = Literal["go", "shorten", "separate", "swap"]
"""To a run wished for after a lift, from the mildest to the strictest."""
EffectWord = Literal["applied", "pending", "none"]
"""What came of a command, from the strongest to the weakest."""
EffectCode = Literal[
    "waits_for_athlete", "waits_for_targets", "duplicate", "superseded", "erased", "dry_run", "unchanged"
]
"""Why a command is pending or changed nothing."""
Severity = Literal["hard", "soft", "advice"]
PackKind = Literal["sequencing", "deload", "recovery", "periodization", "advice"]
ServiceName = Literal["load", "recovery", "periodization", "scheduling"]
"""The four services, as they are named in routing keys, schemas and metric labels."""
Unit = Literal[
    "h", "min", "days", "weeks", "fraction", "g", "kg", "g/kg", "km", "bpm", "ms", "AU", "count", "points", "ratio"
]

STREAMS: tuple[Stream, ...] = get_args(Stream)
WEEK_STARTS: tuple[WeekStart, ...] = get_args(WeekStart)
DEFAULT_WEEK_START: WeekStart = "mon"
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
SERVICES: tuple[ServiceName, ...] = get_args(ServiceName)
EFFECTS: tuple[EffectWord, ...] = get_args(EffectWord)
PACK_KINDS: tuple[PackKind, ...] = get_args(PackKind)
INTENSITIES: tuple[Intensity, ...] = get_args(Intensity)
ACTIONS: tuple[Action, ...] = get_args(Action)
ANSWERS: tuple[Answer, ...] = get_args(Answer)
GOAL_CLASSES: tuple[GoalClass, ...] = get_args(GoalClass)
TRAINING_PHASES: frozenset[Phase] = frozenset({"base", "strength", "build", "peak"})
"""Phases whose weeks load; in the others something rests."""
DAYS_OUT_OF_NORMAL: tuple[DayState, ...] = ("sick", "travel")
"""Days that say nothing about an athlete's normal."""
