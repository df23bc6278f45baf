"""Which days of a long history are worth telling again: those whose figures differ from what was told last."""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any


def changed_days(
    days: Sequence[Mapping[str, Any]], told: Mapping[str, int], silent: Mapping[str, Any]
) -> tuple[list[Mapping[str, Any]], dict[str, int]]:
    """``days``: figures with their ``date`` (ISO), oldest first, the last always told. ``told``: date -> digest of
    what was told. ``silent``: the figures of a day that nobody needs to hear of while nothing else was told of it.

    Returns the days to tell, and ``told`` as it stands afterwards.
    """
    nothing = _digest(silent)
    after = dict(told)
    changed = []
    for index, day in enumerate(days):
        date = str(day["date"])
        digest = _digest({name: value for name, value in day.items() if name != "date"})
        if digest != told.get(date, nothing) or index == len(days) - 1:
            changed.append(day)
            after[date] = digest
    return changed, after


def _digest(figures: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(figures, sort_keys=True).encode())
