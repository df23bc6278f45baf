"""When the athlete can train: weekly or dated windows of local clock time, turned into spans of UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.contract.words import WEEKDAYS
from shared.messages.values import Window

DAYS_IN_WEEK = 7
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of UTC seconds [opens, closes] that one session may fill."""

    opens: int
    closes: int

    def holds(self, starts: int, seconds: int) -> bool:
        return self.opens <= starts and starts + seconds <= self.closes


def default_windows(settings: Mapping[str, Any]) -> tuple[Window, ...]:
    """The windows of an athlete who gave none: every day, from setting ``day_opens`` to ``day_closes``."""
    opens, closes = settings["day_opens"], settings["day_closes"]
    return tuple(Window.model_validate({"day": day, "from": opens, "to": closes}) for day in WEEKDAYS)


def instant(day: date, clock: str, zone: ZoneInfo, last: bool) -> int:
    """The UTC second at which the local clock shows ``clock`` on ``day``.

    A time inside the spring gap becomes the moment at which the gap ends. Of a time that comes twice in autumn
    ``last`` picks the second, else the first. ``24:00`` is the next day's midnight.
    """
    hour, minute = int(clock[:2]), int(clock[3:])
    if hour == 24:
        day, hour = day + timedelta(days=1), 0
    wall = datetime.combine(day, time(hour, minute))
    aware = wall.replace(tzinfo=zone, fold=1 if last else 0)
    if aware.astimezone(_UTC).astimezone(zone).replace(tzinfo=None) == wall:
        return round(aware.timestamp())
    return _end_of_gap(wall, zone)


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> int:
    # Before the gap fold=0 and fold=1 agree on the later reading; the change lies between the two readings.
    low = round(wall.replace(tzinfo=zone, fold=1).timestamp())
    high = round(wall.replace(tzinfo=zone, fold=0).timestamp())
    before = datetime.fromtimestamp(low, tz=zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, tz=zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def spans_of_week(windows: Sequence[Window], week_start: date, zone: ZoneInfo) -> list[Span]:
    """The windows that open on the seven days from ``week_start``, in time order; those that touch are joined.

    A window whose ``to`` is not after its ``from`` ends on the next day. A window that falls wholly into a
    daylight-saving gap is no time at all.
    """
    spans = []
    for offset in range(DAYS_IN_WEEK):
        day = week_start + timedelta(days=offset)
        for window in windows:
            if window.date == day or window.day == WEEKDAYS[day.weekday()]:
                closing = day if window.closes > window.opens else day + timedelta(days=1)
                opens = instant(day, window.opens, zone, last=False)
                closes = instant(closing, window.closes, zone, last=True)
                if closes > opens:
                    spans.append(Span(opens, closes))
    return joined(spans)


def joined(spans: Sequence[Span]) -> list[Span]:
    """Overlapping and touching spans as one."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.opens, s.closes)):
        if merged and span.opens <= merged[-1].closes:
            merged[-1] = Span(merged[-1].opens, max(merged[-1].closes, span.closes))
        else:
            merged.append(span)
    return merged


def midnight(day: date, zone: ZoneInfo) -> int:
    """The UTC second at which the local day begins."""
    return instant(day, "00:00", zone, last=False)
