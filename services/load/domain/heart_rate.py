"""Heart-rate load, used only to stand in for a missing effort."""

import math
from statistics import median

from shared.messages.values import DoneSession, Profile

BANISTER_A = 0.64
BANISTER_B_MEN = 1.92
BANISTER_B_WOMEN = 1.67
"""Banister's TRIMP as GoldenCheetah computes it. For women 0.86 is found in place of 0.64 as well: here the factor
cancels, because TRIMP is turned into AU by the athlete's own scale."""


def trimp(minutes: float, avg_hr: float, hr_rest: float, hr_max: float, sex: str | None) -> float | None:
    """Banister 1991: minutes x x x 0.64 e^(b x), x = heart-rate reserve used (0 to 1).

    None when the heart rate lies outside the athlete's range: then one of the three numbers is wrong. From an
    average heart rate, so intervals come out low.
    """
    if not hr_rest < avg_hr <= hr_max:
        return None
    reserve = (avg_hr - hr_rest) / (hr_max - hr_rest)
    exponent = BANISTER_B_WOMEN if sex == "female" else BANISTER_B_MEN
    return minutes * reserve * BANISTER_A * math.exp(exponent * reserve)


def session_trimp(session: DoneSession, profile: Profile | None) -> float | None:
    """TRIMP of a session, or None when heart rate, resting or maximum heart rate is missing or impossible."""
    if profile is None or session.avg_hr is None or profile.hr_rest is None or profile.hr_max is None:
        return None
    return trimp(session.duration_min, session.avg_hr, profile.hr_rest, profile.hr_max, profile.sex)


def own_scale(pairs: list[tuple[float, float]]) -> float:
    """AU per TRIMP: the median over sessions with both, given as (AU, TRIMP)."""
    return median(au / heart for au, heart in pairs)
