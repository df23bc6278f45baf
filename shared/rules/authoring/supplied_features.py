"""Which features the platform supplies to the rules of each kind; of any other one a rule never gets an answer."""

from collections.abc import Mapping

from shared.contract.words import STREAMS, PackKind
from shared.rules.vocabulary import features_of

_WHO = frozenset(("priority", "level", "phase", "day_strategy"))
_AFTER_LIFT = frozenset(
    ("lift_region", "lift_effort", "run_type", "run_kind", "run_mode", "run_duration_min", "run_gap_hours",
     "can_separate", "gate")
)  # fmt: skip
_OF_THE_DELOAD_CLOCK = frozenset(("weeks_since_deload", "coach_deload", "mileage_of_peak"))
_LOAD_WORDS = frozenset(f"{name}_{stream}" for name in ("band", "status") for stream in STREAMS)
_DAY = frozenset(features_of("athlete")) - _AFTER_LIFT - _OF_THE_DELOAD_CLOCK
_WEEK_OF_SEASON = frozenset(features_of("season")) - _OF_THE_DELOAD_CLOCK

SUPPLIED: Mapping[PackKind, frozenset[str]] = {
    "sequencing": frozenset(features_of("pair")) | frozenset(features_of("week")),
    "deload": _DAY | _OF_THE_DELOAD_CLOCK,
    "recovery": _DAY - _LOAD_WORDS,
    "periodization": _WEEK_OF_SEASON | _WHO,
    "advice": _AFTER_LIFT | _WHO,
}


def supplied_elsewhere(feature: str, kind: PackKind) -> tuple[PackKind, ...]:
    """The kinds whose rules are supplied with ``feature``; empty when ``kind`` is one of them."""
    return (
        () if feature in SUPPLIED[kind] else tuple(other for other, features in SUPPLIED.items() if feature in features)
    )
