"""A planned week as an iCalendar file (RFC 5545) that any calendar program subscribes to or imports."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from services.scheduling.domain.calendar import name_of
from services.scheduling.domain.week_plan import PlacedSession

_PRODUCT = "-//Tandem//scheduling//EN"
_UTC = ZoneInfo("UTC")


def as_ics(sessions: Sequence[PlacedSession], athlete: str, stamped: datetime) -> bytes:
    """A week's sessions as events in UTC. ``stamped`` (aware) becomes DTSTAMP.

    A session keeps its UID over every new plan (``<session>.<athlete>@tandem``), so a moved session moves in the
    athlete's calendar and is not doubled.
    """
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"Training of {athlete}")
    for placed in sessions:
        event = Event()
        event.add("uid", f"{placed.session.id}.{athlete}@tandem")
        event.add("dtstamp", stamped.astimezone(_UTC))
        event.add("dtstart", placed.start.astimezone(_UTC))
        event.add("dtend", placed.end.astimezone(_UTC))
        event.add("summary", name_of(placed.session).capitalize())
        event.add("description", "\n".join(placed.why))
        event.add("categories", [placed.session.kind])
        calendar.add_component(event)
    return bytes(calendar.to_ical())
