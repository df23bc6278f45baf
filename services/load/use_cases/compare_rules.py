"""Load read again under other rules, without telling anybody: which bands and alerts would be others."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from services.load.store import LoadStore
from services.load.use_cases.gather import gather_series
from shared.bus.routes import Context
from shared.bus.rule_routes import Comparison, changes_of, compare_each
from shared.messages.rule_packs import DecisionChanged
from shared.rules.lifecycle.dry_run import BothRules

EVERYBODY: Final = 1_000_000
"""To say of how many athletes those compared are some."""
DAYS_BACK: Final = 6


def compare_bands(context: Context, both: BothRules) -> Comparison:
    """Today and the six days before."""
    store = LoadStore(context.db, context.tenant)

    def changes_for(athlete: str) -> list[DecisionChanged] | None:
        profile = store.profile_of(athlete)
        if profile is None:
            return None
        changes: list[DecisionChanged] = []
        today = profile.day_of(context.now())
        series = gather_series(store, athlete, profile, today, both.before, both.after)
        for back in range(DAYS_BACK, -1, -1):
            before, after = (one.assess(today - timedelta(days=back)).as_json() for one in series)
            changes += changes_of(athlete, _changed(before, after))
        return changes

    return compare_each(store.recorded_athletes(EVERYBODY), changes_for)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, stream in old["streams"].items():
        was, now = stream["band"], new["streams"][name]["band"]
        if was != now:
            yield old["date"], f"load of {name}: {was or 'no band'} becomes {now or 'no band'}"
    known = [alert["message"] for alert in old["alerts"]]
    told = [alert["message"] for alert in new["alerts"]]
    for message in told:
        if message not in known:
            yield old["date"], f"now alerts: {message}"
    for message in known:
        if message not in told:
            yield old["date"], f"no longer alerts: {message}"
