"""Sessions on a clock: elapsed UTC time, local dates, and the facts that rules are asked about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.contract.sessions import SESSION_KINDS, Demand, RunType
from shared.messages.validation import InvalidInput, Problem
from shared.messages.values import DoneSession, PlannedSession
from shared.rules.model import Facts, Scalar

# A tag that was not given equals no word: no special ban is read into it, and no exception is granted for it either.
UNTAGGED = "untagged"
_RUN_NAMES: Mapping[RunType, str] = {"intervals": "interval run", "hills": "hill run", "race": "race"}
"""Of the types whose word alone does not read well before "run"."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One session with its place. ``starts``/``ends`` in whole seconds since the epoch (UTC); ``day`` is local."""

    session: PlannedSession
    starts: int
    ends: int
    day: date
    context: bool = False

    @property
    def id(self) -> str:
        return self.session.id

    def at(self, starts: int, zone: ZoneInfo | None) -> "Entry":
        """The same session at another start."""
        moved = local_time(starts, zone, self.session.start)
        return Entry(self.session, starts, starts + self.ends - self.starts, moved.date(), self.context)


def local_time(seconds: int, zone: ZoneInfo | None, like: datetime | None = None) -> datetime:
    """An instant on the athlete's clock; without a zone, in the offset that ``like`` was written in."""
    if zone is None and (like is None or like.tzinfo is None):
        zone = ZoneInfo("UTC")
    return datetime.fromtimestamp(seconds, tz=zone if zone is not None else like.tzinfo if like else None)


def duration_seconds(session: PlannedSession) -> int:
    return round(session.duration_min * 60)


def entry_of(session: PlannedSession, zone: ZoneInfo | None, context: bool = False) -> Entry:
    """A session that has a start, on the clock."""
    if session.start is None:
        raise InvalidInput([Problem("/sessions", "start_missing", f"session '{session.id}' has no start")])
    starts = round(session.start.timestamp())
    day = local_time(starts, zone, session.start).date()
    return Entry(session, starts, starts + duration_seconds(session), day, context)


def entries_of(
    sessions: Sequence[PlannedSession], context: Sequence[PlannedSession], zone: ZoneInfo | None
) -> list[Entry]:
    """The calendar in time order. A context session that is also in ``sessions`` is left out: the proposal counts."""
    problems = [
        Problem(f"/sessions/{i}/start", "missing", f"session '{session.id}' needs a start to be checked")
        for i, session in enumerate(sessions)
        if session.start is None
    ] + duplicate_ids(sessions)
    if problems:
        raise InvalidInput(problems)
    own = {session.id for session in sessions}
    entries = [entry_of(session, zone) for session in sessions]
    entries += [entry_of(s, zone, context=True) for s in context if s.id not in own and s.start is not None]
    return sorted(entries, key=time_order)


def duplicate_ids(sessions: Sequence[PlannedSession]) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for i, session in enumerate(sessions):
        if session.id in seen:
            problems.append(
                Problem(f"/sessions/{i}/id", "duplicate", f"'{session.id}' is the id of an earlier session")
            )
        seen.add(session.id)
    return problems


def time_order(entry: Entry) -> tuple[int, int, str]:
    """Who comes first: the earlier start, then the earlier end, then the id (so that input order never matters)."""
    return (entry.starts, entry.ends, entry.id)


def gap_hours(first: Entry, then: Entry) -> float:
    """Elapsed hours from the end of the first to the start of the second; negative while they overlap."""
    return (then.starts - first.ends) / 3600


def from_done(done: DoneSession) -> PlannedSession:
    """A done session as the planner's context."""
    return PlannedSession(id=done.id, **done.tags, duration_min=done.duration_min, start=done.start)


def class_facts(session: PlannedSession) -> dict[str, Scalar | None]:
    """A session as the rules see it, features without prefix."""
    facts: dict[str, Scalar | None] = session.tags
    facts["duration_min"] = float(session.duration_min)
    facts["key"] = session.key
    for tag in SESSION_KINDS[session.kind].tags:
        if facts[tag] is None:
            facts[tag] = UNTAGGED
    return facts


def pair_facts(first: Entry, then: Entry, athlete: Facts) -> dict[str, Scalar | None]:
    """One question about two sessions; the gap is negative while they overlap."""
    facts: dict[str, Scalar | None] = dict(athlete)
    facts.update({f"first_{name}": value for name, value in class_facts(first.session).items()})
    facts.update({f"then_{name}": value for name, value in class_facts(then.session).items()})
    facts["gap_hours"] = gap_hours(first, then)
    facts["same_day"] = first.day == then.day
    return facts


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def demand_of(session: PlannedSession) -> Demand | None:
    """How hard it is by its tags; None when they do not say."""
    kind = SESSION_KINDS[session.kind]
    return kind.demand_of(kind.graded_by and getattr(session, kind.graded_by))


def is_easy(session: PlannedSession) -> bool:
    return demand_of(session) == "easy"


def name_of(session: PlannedSession) -> str:
    """A session in a person's words: "heavy lower lift", "long run", "walk"."""
    if session.kind == "run":
        return _RUN_NAMES.get(session.type, f"{session.type} run") if session.type is not None else "run"
    if session.kind == "lift":
        return " ".join(word for word in (session.effort, session.region, "lift") if word)
    return session.mode or f"{session.kind} session"


def session_json(session: PlannedSession) -> dict[str, Any]:
    """A planned session in the contract's words, tags that do not apply left out."""
    document: dict[str, Any] = {"id": session.id}
    document |= {tag: word for tag, word in session.tags.items() if word is not None}
    document["duration_min"] = session.duration_min
    if session.key:
        document["key"] = True
    return document


def hours_text(hours: float) -> str:
    """Hours for a sentence: "24 h", "22 h 30 min", "45 min"."""
    minutes = round(abs(hours) * 60)
    whole, rest = divmod(minutes, 60)
    parts = [f"{whole} h"] if whole else []
    if rest or not whole:
        parts.append(f"{rest} min")
    return ("-" if hours < 0 else "") + " ".join(parts)


def by_week(entries: Iterable[Entry]) -> dict[date, list[Entry]]:
    """Entries per calendar week (Monday of the local date of the start), in time order."""
    weeks: dict[date, list[Entry]] = {}
    for entry in sorted(entries, key=time_order):
        weeks.setdefault(monday_of(entry.day), []).append(entry)
    return weeks
