"""The words of the contract: closed vocabularies that every service, rule file and athlete file share."""

from typing import Literal, get_args

Kind = Literal["run", "lift", "other"]
RunType = Literal["recovery", "easy", "long", "tempo", "threshold", "intervals", "hills", "race"]
Region = Literal["lower", "upper", "full"]
Effort = Literal["light", "moderate", "heavy", "max"]
Mode = Literal["walk", "bike", "row", "swim", "mobility"]
Priority = Literal["strength", "hypertrophy", "endurance", "balanced"]
Level = Literal["beginner", "intermediate", "advanced"]
Phase = Literal["base", "strength", "build", "peak", "taper", "race", "deload", "recovery"]
DayStrategy = Literal["cluster", "spread"]
DayState = Literal["rest", "unknown", "sick", "travel"]
Stream = Literal["run", "lift", "combined"]
Band = Literal["under-load", "optimal", "caution", "danger"]
LoadStatus = Literal["ok", "provisional", "return-from-break", "incomplete", "no-data"]
GoalKind = Literal["race", "strength"]
GoalClass = Literal["A", "B", "C"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Colour = Literal["green", "yellow", "red"]
Intensity = Literal["full", "reduced", "easy"]
Severity = Literal["hard", "soft", "advice"]
PackKind = Literal["sequencing", "deload", "recovery", "periodization", "advice"]

STREAMS: tuple[Stream, ...] = get_args(Stream)
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
QUALITY_RUN_TYPES: tuple[RunType, ...] = ("tempo", "threshold", "intervals", "hills", "race")
EASY_RUN_TYPES: tuple[RunType, ...] = ("recovery", "easy")
