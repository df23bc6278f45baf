"""What a numeric feature can be at all, so that lint sees rules about what never happens. Left out: anything goes."""

import re
from dataclasses import dataclass

from shared.contract.wellness import WELLNESS
from shared.messages.values import MAX_SESSION_MINUTES
from shared.rules.vocabulary import FEATURES


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends included, None = open; ``whole``: only whole numbers."""

    least: float | None = None
    most: float | None = None
    whole: bool = False

    def __contains__(self, value: float) -> bool:
        below = self.least is not None and value < self.least
        above = self.most is not None and value > self.most
        return not (below or above or (self.whole and value != int(value)))

    def __str__(self) -> str:
        if self.least is None and self.most is None:
            return ""
        kind = "a whole number" if self.whole else "a number"
        if self.most is None:
            return f"{kind} from {self.least:g} on"
        return f"{kind} from {self.least or 0:g} to {self.most:g}"


_ANYTHING = Range()
_OF_A_NAME: tuple[tuple[str, Range], ...] = (
    (r"rest_days", Range(0, 7, whole=True)),
    (r"hard_days_in_a_row", Range(0, None, whole=True)),
    (r"taper_week|week_number", Range(1, None, whole=True)),
    (r"weeks_.*", Range(0, None, whole=True)),
    (r"score|\w+_score", Range(0, 100)),
    (r"easy_share|confidence|mileage_of_peak", Range(0, 1)),
    (r"(first|then|run)_duration_min", Range(0, MAX_SESSION_MINUTES)),
    (r"acwr_\w+|sets_share|\w+_minutes|longest_run_of_30_days|race_distance_km", Range(0, None)),
)


def range_of(feature: str) -> Range:
    """Of the features that the platform computes; of any other name anything goes."""
    known = FEATURES.get(feature)
    if known is None or known.type != "number":
        return _ANYTHING
    if feature in WELLNESS:
        return Range(WELLNESS[feature].least, WELLNESS[feature].most)
    for pattern, found in _OF_A_NAME:
        if re.fullmatch(pattern, feature):
            return found
    return Range(0, None, whole=True) if known.unit == "count" else _ANYTHING
