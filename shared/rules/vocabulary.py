"""The features that rules may ask about, declared once: name, shape, type, unit, allowed words, one-line meaning.

Add a feature here when a pack needs one; the loader, the linter, the JSON Schema and the reference page follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from shared.contract.sessions import KINDS, SESSION_TAGS, Kind
from shared.contract.wellness import FACTORS, WELLNESS
from shared.contract.words import (
    INTENSITIES,
    STREAMS,
    Band,
    Colour,
    DayStrategy,
    GoalClass,
    Level,
    LoadStatus,
    PackKind,
    Phase,
    Priority,
    Unit,
)
from shared.rules.model import Outcome, Shape

FeatureType = Literal["number", "word", "bool"]


@dataclass(frozen=True, slots=True)
class Feature:
    """``shapes``: in which conditions it may stand. Numbers carry a unit; words are a closed list."""

    name: str
    shapes: frozenset[Shape]
    type: FeatureType
    meaning: str
    unit: Unit | None = None
    words: tuple[str, ...] = ()


FEATURES: dict[str, Feature] = {}


def _declare(
    shapes: str, name: str, type_: FeatureType, meaning: str, unit: Unit | None, words: tuple[str, ...]
) -> None:
    allowed: frozenset[Shape] = frozenset(shape for shape in get_args(Shape) if shape in shapes.split())
    FEATURES[name] = Feature(name, allowed, type_, meaning, unit, words)


def _number(shapes: str, name: str, unit: Unit, meaning: str) -> None:
    _declare(shapes, name, "number", meaning, unit, ())


def _word(shapes: str, name: str, words: tuple[str, ...], meaning: str) -> None:
    _declare(shapes, name, "word", meaning, None, words)


def _bool(shapes: str, name: str, meaning: str) -> None:
    _declare(shapes, name, "bool", meaning, None, ())


# --- two sessions, the one that starts first and the one after it ---------------------------------------------------
for _which, _told in (("first", "the earlier session"), ("then", "the later session")):
    _word("pair", f"{_which}_kind", KINDS, f"kind of {_told}")
    for _tag, _of_tag in SESSION_TAGS.items():
        _word("pair", f"{_which}_{_tag}", _of_tag.words, _of_tag.meaning.format(session=_told))
    _number("pair", f"{_which}_duration_min", "min", f"length of {_told}")
    _bool("pair", f"{_which}_key", f"{_told} is the day's key session")
_number("pair", "gap_hours", "h", "elapsed time from the end of the first to the start of the second, in UTC hours")
_bool("pair", "same_day", "both start on the same local date")

# --- who the athlete is: may stand in every shape --------------------------------------------------------------------
_word("pair week athlete season", "priority", get_args(Priority), "what the athlete trains for first")
_word("pair week athlete season", "level", get_args(Level), "training level")
_word("pair week athlete season", "phase", get_args(Phase), "phase of the season")
_word(
    "pair week athlete season", "day_strategy", get_args(DayStrategy), "hard sessions on one day, or on different days"
)

# --- a week's calendar ----------------------------------------------------------------------------------------------
_number("week season", "run_minutes", "min", "run minutes of the week")
_number("week", "easy_minutes", "min", "minutes of recovery, easy and long runs in the week")
_number("week", "easy_share", "fraction", "easy run minutes as a share of all run minutes")
_number("week", "quality_runs", "count", "tempo, threshold, interval, hill and race runs in the week")
_number("week", "runs", "count", "runs in the week")
_number("week season", "lift_sessions", "count", "lifting sessions in the week")
_number("week", "heavy_lower_lifts", "count", "lifts for the legs at heavy or max effort in the week")
_number("week", "sessions", "count", "sessions in the week")
_number("week", "sessions_per_day", "count", "most sessions on one day of the week")
_number("week", "rest_days", "days", "days of the week without a session")
_number("week", "hard_days_in_a_row", "days", "longest row of days that each hold a medium-hard or harder session")
_number("week", "longest_run_minutes", "min", "longest run of the week")
_number(
    "week", "longest_run_of_30_days", "fraction", "longest run of the week against the longest of the 30 days before"
)

# --- an athlete's day ------------------------------------------------------------------------------------------------
for _stream in STREAMS:
    _number(
        "athlete",
        f"acwr_{_stream}",
        "ratio",
        f"coupled acute:chronic ratio of the {_stream} stream; unknown unless its status is ok",
    )
    _word("athlete", f"status_{_stream}", get_args(LoadStatus), f"whether the {_stream} ratios can be read")
    _word("athlete", f"band_{_stream}", get_args(Band), f"band of the {_stream} ratio")
_number("athlete", "score", "points", "readiness score, 0 to 100")
_word("athlete", "colour", get_args(Colour), "readiness colour by the score alone")
_number("athlete", "confidence", "fraction", "share of the factor weights that had data")
_bool("athlete", "has_data", "at least one readiness factor could be scored")
_number("athlete", "factors_under_50", "count", "readiness factors scored below 50; the load ratios count as one")
_number("athlete", "lowest_score", "points", "lowest score of a readiness factor, 0 to 100")
_number(
    "athlete", "witnesses", "count", "independent facts outside normal: heart, sleep, fatigue, soreness, effort, ..."
)
_bool("athlete", "sick", "the day is marked sick")
for _factor in FACTORS:
    _number("athlete", f"{_factor}_score", "points", f"score of the factor {_factor}, 0 to 100")
for _name, _item in reversed([*WELLNESS.items()]):
    if _item.flag and _item.asked:
        _bool("athlete", _name, _item.asked)
_bool("athlete", "hrv_low", "seven-day lnRMSSD is below its own band")
_bool("athlete", "hrv_high", "seven-day lnRMSSD is above its own band")
_number("athlete", "resting_hr_rise", "bpm", "resting heart rate above its own 60-day mean")
_number("athlete", "resting_hr_jump", "ratio", "the same for this morning, in its own standard deviations")
_number("athlete", "effort_drift", "points", "effort of easy runs above their own 28-day mean")
_number("athlete", "strength_change", "fraction", "change of estimated one-rep maximum over 14 days")
_number("athlete", "body_mass_change", "fraction", "change of body mass over 14 days")
for _name, _item in WELLNESS.items():
    if _item.unit and _item.asked:
        _number("athlete", _name, _item.unit, _item.asked)
_number("athlete", "signs_over_7_days", "count", "signs of overreaching each present for more than 7 days")
_number(
    "athlete season",
    "weeks_since_deload",
    "weeks",
    "full training weeks since the last deload, or since the season's start",
)
_number("athlete season", "mileage_of_peak", "fraction", "run minutes of the week against the block's highest week")

# --- an athlete's day, asked after a lift -----------------------------------------------------------------------------
_word("athlete", "lift_region", SESSION_TAGS["region"].words, "body region of the lift just done")
_word("athlete", "lift_effort", SESSION_TAGS["effort"].words, "effort of the lift just done")
_word("athlete", "run_type", SESSION_TAGS["type"].words, "type of the run wished for")
_word("athlete", "run_kind", KINDS, "kind of the session wished for")
_word("athlete", "run_mode", SESSION_TAGS["mode"].words, "mode of the session wished for, when it is no run")
_number("athlete", "run_duration_min", "min", "length of the run wished for")
_number("athlete", "run_gap_hours", "h", "time between the lift's end and the run's start")
_bool("athlete", "can_separate", "the run can be moved to another time of the day")
_word("athlete", "gate", INTENSITIES, "today's readiness gate")

# --- a week within a season -------------------------------------------------------------------------------------------
_number("season", "week_number", "count", "number of the week, from 1")
_number("season", "weeks_to_race", "weeks", "whole weeks to the next race; 0 in its week")
_word("season", "race_class", get_args(GoalClass), "class of the next race")
_number("season", "race_distance_km", "km", "distance of the next race")
_number("season", "weeks_to_strength_test", "weeks", "whole weeks to the next strength test; 0 in its week")
_bool("season", "deload", "the week is a deload")
_bool("athlete season", "coach_deload", "a coach asked for a deload in this week")
_word("season", "block_phase", get_args(Phase), "phase of the season that a deload or a test week falls into")
_bool("season", "race_ahead", "a race is still to come, in this week or later")
_bool("season", "race_week", "a race of class A or B is in this week")
_word("season", "taper_class", get_args(GoalClass), "class of the race that this week tapers to")
_number("season", "taper_week", "count", "number of the week within its taper, from 1; the race's week is the last")
_number("season", "sets_share", "fraction", "lifting sets of the week against the first week's")

SHAPE_OF_PACK: Mapping[PackKind, tuple[Shape, ...]] = {
    "sequencing": ("pair", "week"),
    "deload": ("athlete", "season"),
    "recovery": ("athlete",),
    "periodization": ("season", "week", "athlete"),
    "advice": ("athlete", "season", "week", "pair"),
}
OUTCOMES_OF_PACK: Mapping[PackKind, tuple[Outcome, ...]] = {
    "sequencing": ("forbid", "allow", "require"),
    "deload": ("deload", "cap"),
    "recovery": ("gate",),
    "periodization": ("cap", "set"),
    "advice": ("advise",),
}
BUILTIN_WORDS: Mapping[str, Kind | None] = {"any session": None, **{f"any {kind}": kind for kind in KINDS}}


def features_of(shape: Shape) -> tuple[str, ...]:
    return tuple(name for name, feature in FEATURES.items() if shape in feature.shapes)


_SPOKEN: Mapping[str, str] = {
    **{f"acwr_{stream}": f"{stream} load ratio" for stream in STREAMS},
    **{f"status_{stream}": f"status of the {stream} load" for stream in STREAMS},
    **{f"band_{stream}": f"band of the {stream} load ratio" for stream in STREAMS},
    "hrv_score": "HRV score",
    "hrv_low": "HRV below its band",
    "hrv_high": "HRV above its band",
    "resting_hr_score": "resting heart rate score",
    "resting_hr_rise": "resting heart rate above usual",
    "score": "readiness score",
    "has_data": "any readiness data",
    "factors_under_50": "factors scored under 50",
    "lowest_score": "lowest score of a factor",
    "witnesses": "independent facts outside normal",
    "resting_hr_jump": "resting heart rate above usual in standard deviations",
    "signs_over_7_days": "signs of overreaching for more than 7 days",
    "effort_drift": "effort of easy runs above usual",
    "illness": "ill",
    "aches": "aches",
    "longest_run_of_30_days": "longest run against that of the 30 days before",
    "mileage_of_peak": "run minutes against the block's highest week",
    "sets_share": "sets against the first week's",
    "race_ahead": "a race to come",
    "race_class": "class of the next race",
    "race_week": "an A or B race in the week",
    "taper_class": "class of the race tapered to",
    "taper_week": "week of the taper",
    "coach_deload": "deload asked for by a coach",
    "run_gap_hours": "gap between lift and run",
    "can_separate": "lift and run can be separated",
    "gate": "today's gate",
    "run_kind": "session wished for",
}


def spoken(feature: str) -> str | None:
    """What a coach calls a feature whose name in rule files would puzzle; None: its name reads well as it is."""
    return _SPOKEN.get(feature)
