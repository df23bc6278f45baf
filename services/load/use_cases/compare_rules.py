"""Load read again under other rules, without publishing anything: which bands and alerts would be others."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from services.load.store import LoadStore
from services.load.use_cases.gather import gather_series
from shared.athletes.batches import compare_days
from shared.bus.routes import Context
from shared.bus.rule_routes import Comparison
from shared.messages.values import Profile
from shared.rules.lifecycle.dry_run import BothRules


def compare_bands(context: Context, both: BothRules) -> Comparison:
    store = LoadStore(context.db, context.tenant)

    def differing(athlete: str, profile: Profile, days: Sequence[date]) -> Iterator[tuple[str, str]]:
        before, after = gather_series(store, athlete, profile, days[-1], both.before, both.after)
        for day in days:
            yield from _changed(before.assess(day).as_json(), after.assess(day).as_json())

    return compare_days(context, store, store.recorded_athletes(), differing)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, stream in old["streams"].items():
        was, now = stream["band"], new["streams"][name]["band"]
        if was != now:
            yield old["date"], f"load of {name}: {was or 'no band'} becomes {now or 'no band'}"
    before, after = ([alert["message"] for alert in load["alerts"]] for load in (old, new))
    for message in after:
        if message not in before:
            yield old["date"], f"now alerts: {message}"
    for message in before:
        if message not in after:
            yield old["date"], f"no longer alerts: {message}"
