"""Who the athlete is, as ``for athletes`` and rules of every kind may ask."""

from shared.messages.values import Profile
from shared.rules.model import Scalar


def athlete_facts(profile: Profile | None) -> dict[str, Scalar | None]:
    """What rules may ask of the athlete. With no profile the contract's defaults hold (balanced, intermediate).

    A phase nobody named is ``base``: the phases that grant exceptions (race, peak, taper) have to be known. A day
    strategy nobody chose stays unknown: rules about it are silent.
    """
    if profile is None:
        return {"priority": "balanced", "level": "intermediate", "phase": "base", "day_strategy": None}
    return {
        "priority": profile.priority,
        "level": profile.level,
        "phase": profile.phase or "base",
        "day_strategy": profile.day_strategy,
    }
