"""A planned week as an iCalendar file (RFC 5545) that any calendar program subscribes to or imports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from icalendar import Calendar, Event

from services.scheduling.domain.calendar import name_of
from services.scheduling.domain.week_plan import PlacedSession, placed_from_json

_PRODUCT = "-//Tandem//scheduling//EN"
MAX_CANCELLED: Final = 60
"""Of one week; as many as it may hold sessions."""


@dataclass(frozen=True, slots=True)
class CalendarOf:
    """Whose week it is; ``week_start`` is its first day."""

    tenant: str
    athlete: str
    week_start: date

    def uid(self, session: str) -> str:
        """A session's own for good, whatever is planned anew: no id holds a slash, so no two are alike."""
        return f"{self.tenant}/{self.athlete}/{self.week_start}/{session}@tandem"


def as_ics(
    sessions: Sequence[PlacedSession], of: CalendarOf, stamped: datetime, changes: Mapping[str, Mapping[str, Any]]
) -> bytes:
    """A week's sessions as events in UTC. ``stamped`` (aware) becomes DTSTAMP; ``changes``: see ``changed_calendar``.

    A moved session moves in the athlete's calendar and is not doubled; one that was dropped from the week comes once,
    as STATUS:CANCELLED.
    """
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"Training of {of.athlete}")
    here = {placed.session.id for placed in sessions}
    gone = [
        placed_from_json(one["cancelled"]) for name, one in changes.items() if "cancelled" in one and name not in here
    ]
    for placed in (*sessions, *gone):
        change = changes.get(placed.session.id, {})
        event = Event()
        event.add("uid", of.uid(placed.session.id))
        event.add("dtstamp", stamped.astimezone(UTC))
        event.add("last-modified", datetime.fromisoformat(change["modified"]) if change else stamped.astimezone(UTC))
        event.add("sequence", change.get("sequence", 0))
        event.add("dtstart", placed.start.astimezone(UTC))
        event.add("dtend", placed.end.astimezone(UTC))
        event.add("summary", name_of(placed.session).capitalize())
        event.add("description", "\n".join(placed.why))
        event.add("categories", [placed.session.kind])
        event.add("status", "CONFIRMED" if placed.session.id in here else "CANCELLED")
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def changed_calendar(
    changes: Mapping[str, Mapping[str, Any]],
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    """By session how often it changed (``sequence``) and when last (``modified``, ISO); ``cancelled`` is what was
    dropped, as it stood. ``before`` and ``after``: the week's placed sessions as JSON. Other reasons for a place are no
    change of a session."""
    had, has = ({one["id"]: one for one in sessions} for sessions in (before, after))
    changed = dict(changes)
    for name, one in has.items():
        known, same = changed.get(name), name not in had or _plain(had[name]) == _plain(one)
        if known is None and same:
            changed[name] = {"sequence": 0, "modified": now.astimezone(UTC).isoformat()}
        elif not same or (known is not None and "cancelled" in known):
            changed = touched(changed, name, now)
    for name in sorted(had.keys() - has.keys()):
        changed = touched(changed, name, now)
        changed[name] = {**changed[name], "cancelled": had[name]}
    cancelled = sorted((name for name in changed if name not in has), key=lambda name: str(changed[name]["modified"]))
    for name in cancelled[:-MAX_CANCELLED]:
        del changed[name]
    return changed


def _plain(session: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in session.items() if name != "why"}


def touched(changes: Mapping[str, Mapping[str, Any]], session: str, now: datetime) -> dict[str, Any]:
    """The same with one change more of a session, which is no longer cancelled if it was."""
    sequence = changes.get(session, {"sequence": 0})["sequence"] + 1
    return {**changes, session: {"sequence": sequence, "modified": now.astimezone(UTC).isoformat()}}
