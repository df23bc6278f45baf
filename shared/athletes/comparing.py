"""Athletes' decisions made again under other rules, without publishing anything."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Any, Final

from shared.athletes.store import AthleteStore
from shared.bus.routes import Context
from shared.bus.rule_routes import Comparison, changes_of, compare_each
from shared.messages.rule_packs import DecisionChanged
from shared.messages.values import Profile

DAYS_COMPARED: Final = 7


def compare_days(
    context: Context,
    store: AthleteStore[Any],
    athletes: Sequence[str],
    differing: Callable[[str, Profile, Sequence[date]], Iterable[tuple[str, str]]],
) -> Comparison:
    """Today and the six days before, of one athlete after the other. ``differing``: what is about what day, and the
    sentence that says it."""

    def changes_for(athlete: str) -> list[DecisionChanged] | None:
        profile = store.profile_of(athlete)
        if profile is None:
            return None
        today = profile.day_of(context.now())
        days = [today - timedelta(days=ago) for ago in range(DAYS_COMPARED - 1, -1, -1)]
        return changes_of(athlete, differing(athlete, profile, days))

    return compare_each(athletes, changes_for)
