"""Daily series for tests: ready-made loads from a first day on, None = unknown."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.load.domain import DailyLoads, LoadAssessment, StreamLoad, assess_load, daily_loads
from shared.messages.values import DayLoad, MarkedDay

FIRST = date(2026, 1, 1)
UTC_ZONE = ZoneInfo("UTC")


def day(index: int) -> date:
    return FIRST + timedelta(days=index)


def daily(
    run: Sequence[float | None],
    lift: Sequence[float | None] | None = None,
    marked: Sequence[MarkedDay] = (),
    through: date | None = None,
) -> DailyLoads:
    rows = [
        DayLoad(date=day(index), run=value, lift=(lift[index] or 0.0) if lift else 0.0)
        for index, value in enumerate(run)
        if value is not None
    ]
    return daily_loads((), rows, marked, UTC_ZONE, through or day(len(run) - 1))


def assessed(run: Sequence[float | None], settings: Mapping[str, Any], **more: Any) -> LoadAssessment:
    """The assessment of the last day of the series."""
    loads = daily(run, **more)
    return assess_load(loads, more.get("through") or day(len(run) - 1), settings)


def run_stream(run: Sequence[float | None], settings: Mapping[str, Any], **more: Any) -> StreamLoad:
    return assessed(run, settings, **more).streams["run"]
