"""Sessions on a clock: elapsed UTC time, local dates, and the facts that rules are asked about."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain, count
from typing import Any
from zoneinfo import ZoneInfo

from shared.contract.sessions import SESSION_KINDS, Demand, RunType
from shared.contract.words import DEFAULT_WEEK_START, Weekday
from shared.messages.times import day_of_session, week_of
from shared.messages.validation import InvalidInput, Problem
from shared.messages.values import DoneSession, PlannedSession
from shared.rules.model import Facts, Scalar

# A tag that was not given equals no word: no special ban is read into it, and no exception is granted for it either.
UNTAGGED = "untagged"
UTC_ZONE = ZoneInfo("UTC")
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
    day = day_of_session(session.start, session.timezone, zone or UTC_ZONE)
    return Entry(session, starts, starts + duration_seconds(session), day, context)


def entries_of(
    sessions: Sequence[PlannedSession],
    context: Sequence[PlannedSession],
    zone: ZoneInfo | None,
    starts_on: Weekday = DEFAULT_WEEK_START,
) -> list[Entry]:
    """The calendar in time order, in which each id stands once.

    A session is known by its week and its id: ids may come back every week, and those that do are called ``week/id``
    here, ``week`` being the first day of the session's week. A context session that is also in ``sessions`` is left
    out: the proposal counts.
    """
    problems = [
        Problem(f"/sessions/{i}/start", "missing", f"session '{session.id}' needs a start to be checked")
        for i, session in enumerate(sessions)
        if session.start is None
    ]
    own = [entry_of(session, zone) for session in sessions if session.start is not None]
    weeks = [week_of(entry.day, starts_on) for entry in own]
    problems += duplicate_ids(sessions, iter(weeks))
    if problems:
        raise InvalidInput(problems)
    often = Counter(session.id for session in sessions)
    own = [
        entry if often[entry.id] == 1 else _called(entry, f"{week}/{entry.id}")
        for entry, week in zip(own, weeks, strict=True)
    ]
    around = around_of(
        set(zip(weeks, (session.id for session in sessions), strict=True)), own, context, zone, starts_on
    )
    return sorted([*own, *around], key=time_order)


def around_of(
    proposed: Collection[tuple[date, str]],
    own: Sequence[Entry],
    context: Sequence[PlannedSession],
    zone: ZoneInfo | None,
    starts_on: Weekday,
) -> list[Entry]:
    """The context's entries without those that are ``proposed`` (by week and id), each under an id of its own."""
    taken = {entry.id for entry in own} | {name for _, name in proposed}
    entries = []
    for entry in (entry_of(one, zone, context=True) for one in context if one.start is not None):
        week = week_of(entry.day, starts_on)
        if (week, entry.id) in proposed:
            continue
        names = chain((entry.id, f"{week}/{entry.id}"), (f"{week}/{entry.id}/{again}" for again in count(2)))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        entries.append(entry if name == entry.id else _called(entry, name))
    return entries


def _called(entry: Entry, name: str) -> Entry:
    return replace(entry, session=entry.session.model_copy(update={"id": name}))


def duplicate_ids(sessions: Sequence[PlannedSession], weeks: Iterator[date] | None = None) -> list[Problem]:
    """Ids that come twice in one week; ``weeks``: of each session with a start, by default they are all of the same."""
    seen: set[tuple[date | None, str]] = set()
    problems = []
    for i, session in enumerate(sessions):
        known_by = (None if weeks is None or session.start is None else next(weeks), session.id)
        if known_by in seen:
            problems.append(
                Problem(f"/sessions/{i}/id", "duplicate", f"'{session.id}' is the id of an earlier session of its week")
            )
        seen.add(known_by)
    return problems


def time_order(entry: Entry) -> tuple[int, int, str]:
    """Who comes first: the earlier start, then the earlier end, then the id (so that input order never matters)."""
    return (entry.starts, entry.ends, entry.id)


def gap_hours(first: Entry, then: Entry) -> float:
    """Elapsed hours from the end of the first to the start of the second; negative while they overlap."""
    return (then.starts - first.ends) / 3600


def from_done(done: DoneSession) -> PlannedSession:
    """A done session as the planner's context."""
    return PlannedSession(
        id=done.id, **done.tags, duration_min=done.duration_min, start=done.start, timezone=done.timezone
    )


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


def hours_text(hours: float, against: float | None = None) -> str:
    """Hours for a sentence: "24 h", "22 h 30 min", "45 min".

    ``against``: a limit that stands beside them. Where whole minutes would show the two alike, or the wrong one as the
    larger, seconds are shown too: 23 h 59 min 48 s is not 24 h.
    """
    minutes, seconds = round(abs(hours) * 60), 0
    if against is not None and hours != against and (minutes >= round(abs(against) * 60)) == (hours < against):
        minutes, seconds = divmod(round(abs(hours) * 3600), 60)
    whole, rest = divmod(minutes, 60)
    parts = [f"{whole} h"] if whole else []
    if rest or not (whole or seconds):
        parts.append(f"{rest} min")
    if seconds:
        parts.append(f"{seconds} s")
    return ("-" if hours < 0 else "") + " ".join(parts)


def by_week(entries: Iterable[Entry], starts_on: Weekday) -> dict[date, list[Entry]]:
    """Entries per week (its first day, by the local date of the start), in time order."""
    weeks: dict[date, list[Entry]] = {}
    for entry in sorted(entries, key=time_order):
        weeks.setdefault(week_of(entry.day, starts_on), []).append(entry)
    return weeks
