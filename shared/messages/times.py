"""Times and days as messages write them, and which day and week a session belongs to."""

import difflib
import re
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from shared.contract.words import DEFAULT_WEEK_START, WEEKDAYS, Weekday

FIRST_YEAR, LAST_YEAR = 1900, 2199
FIRST_RECORD = date(1970, 1, 1)
"""A day or two after it is what a clock that was never set says; nothing was recorded before."""
STORED = {"stored": True}
"""The context in which a model is read back."""


Moment = TypeVar("Moment", bound=date)
_RFC3339 = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?$")
_ISO_DATE = re.compile(r"^\d{4}-\d\d-\d\d$")
_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")


def read_instant(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if not isinstance(value, str) or not _RFC3339.match(value):
        raise PydanticCustomError(
            "time_format", "write a time as RFC 3339 with an offset, like 2026-03-02T07:00:00+01:00"
        )
    try:
        parsed = datetime.fromisoformat(value.upper().replace("Z", "+00:00"))
    except ValueError as error:
        raise PydanticCustomError("time_impossible", "no such time: {why}", {"why": str(error)}) from None
    _check_year(parsed.year)
    if parsed.tzinfo is None:
        raise PydanticCustomError(
            "offset_missing", "a time needs its offset, like {value}+01:00 or {value}Z", {"value": value}
        )
    return parsed


def read_day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _ISO_DATE.match(value):
        raise PydanticCustomError("date_format", "write a date as YYYY-MM-DD")
    try:
        parsed = date.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("date_impossible", "no such date: {why}", {"why": str(error)}) from None
    _check_year(parsed.year)
    return parsed


def _check_year(year: int) -> None:
    """Keeps every sum of a time and a duration inside what a datetime can hold."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        allowed = {"first": FIRST_YEAR, "last": LAST_YEAR, "year": year}
        raise PydanticCustomError("year_range", "the year must be between {first} and {last}, not {year}", allowed)


@cache
def _zone_names() -> frozenset[str]:
    """Read once: the standard library walks the zone files each time it is asked, some 20 ms."""
    return frozenset(available_timezones())


def known_zone(value: Any) -> Any:
    if isinstance(value, str) and value not in _zone_names():
        message = "'{value}' is no IANA time zone{hint}"
        raise PydanticCustomError("unknown_timezone", message, {"value": value[:60], "hint": _zone_hint(value)})
    return value


def _zone_hint(value: str) -> str:
    """The zone that was probably meant, by its whole name or by its city."""
    by_plain_name = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(available_timezones(), reverse=True)}
    by_plain_name |= {zone.casefold(): zone for zone in available_timezones()}
    plain = value[:60].strip().replace(" ", "_").casefold()
    near = difflib.get_close_matches(plain, by_plain_name, n=1, cutoff=0.7)
    return f"; did you mean '{by_plain_name[near[0]]}'?" if near else ", like Europe/Berlin or America/New_York"


def not_too_old(value: Moment, info: ValidationInfo) -> Moment:
    """What is read again from where it was taken to before this was asked stays."""
    day = value.date() if isinstance(value, datetime) else value
    if day < FIRST_RECORD and info.context != STORED:
        raise PydanticCustomError("too_old", "what was done before {first} is not taken", {"first": str(FIRST_RECORD)})
    return value


def read_clock(value: Any) -> Any:
    if not isinstance(value, str) or not _CLOCK.match(value):
        raise PydanticCustomError("clock_format", 'write a clock time as "HH:MM" between 00:00 and 24:00')
    return value


def day_of_session(start: datetime, timezone: str | None, zone: ZoneInfo) -> date:
    """A session's day: the date of its start on its own clock, that of its time zone or else of its offset. Only a
    start in UTC that names no time zone is read in ``zone``, the athlete's."""
    own = ZoneInfo(timezone) if timezone is not None else None if start.utcoffset() else zone
    return (start if own is None else start.astimezone(own)).date()


def week_of(day: date, starts_on: Weekday = DEFAULT_WEEK_START) -> date:
    """The first day of the week that holds ``day``."""
    return day - timedelta(days=(day.weekday() - WEEKDAYS.index(starts_on)) % len(WEEKDAYS))


def on_one_clock(start: datetime | None, timezone: str | None) -> None:
    """Refuses an offset that the time zone does not have then; a start in UTC says nothing of a clock."""
    if start is None or timezone is None or not start.utcoffset():
        return
    there = start.astimezone(ZoneInfo(timezone))
    if there.utcoffset() != start.utcoffset():
        raise PydanticCustomError(
            "offset_mismatch",
            "at {start} the clocks of {zone} show {there}: correct the offset or the timezone",
            {"start": start.isoformat(), "zone": timezone, "there": there.isoformat()},
        )
