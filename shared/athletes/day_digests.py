"""Which days of a long history are worth publishing again: those whose figures differ from what was published last."""

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

MAX_DAYS_PUBLISHED = 84
"""Today and the days before it of which an event may tell."""


def changed_days(
    days: Sequence[Mapping[str, Any]], published: Mapping[str, int], silent: Mapping[str, Any]
) -> tuple[list[Mapping[str, Any]], dict[str, int]]:
    """``days``: figures with their ``date`` (ISO), oldest first, the last always published. ``published``: date ->
    digest of what was published. ``silent``: the figures of a day that nobody needs to hear of while nothing else was
    published of it.

    Returns the days to publish, and ``published`` as it stands afterwards.
    """
    nothing = _digest(silent)
    after = dict(published)
    changed = []
    for index, day in enumerate(days):
        on = str(day["date"])
        digest = _digest({name: value for name, value in day.items() if name != "date"})
        if digest != published.get(on, nothing) or index == len(days) - 1:
            changed.append(day)
            after[on] = digest
    return changed, after


def first_day(today: date) -> date:
    """Of those that are published."""
    return today - timedelta(days=MAX_DAYS_PUBLISHED - 1)


def of_days_published(digests: Mapping[str, int], today: date) -> dict[str, int]:
    """Without those of older days, which are published no more."""
    first = first_day(today).isoformat()
    return {day: digest for day, digest in digests.items() if day >= first}


def _digest(figures: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(figures, sort_keys=True).encode())
