"""What each command does, in a few lines: who stands, by revision, ce-time and ce-id. It shares no code with Tandem."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Version = tuple[datetime, str]
Told = dict[str, Any]
"""The part of a reply that says what came of the command."""


@dataclass
class Session:
    recorded: tuple[int, Version, Mapping[str, Any]] | None = None
    removed: Version | None = None

    @property
    def counts(self) -> bool:
        return self.recorded is not None and (self.removed is None or self.recorded[1] > self.removed)


@dataclass
class Athlete:
    """All that stands of one, until the next erase."""

    put: Version | None = None
    sessions: dict[str, Session] = field(default_factory=dict)
    written: dict[tuple[str, ...], tuple[Version, Any]] = field(default_factory=dict)
    """By what it is about (a mark, a choice, a week, …) the newest that was said."""
    planned: dict[str, list[str]] = field(default_factory=dict)
    """By week the sessions of its plan: once planned it stays until another calendar is asked for."""

    placed: dict[str, str | None] = field(default_factory=dict)
    """By week where its session was moved to; None: where the planner has put it."""

    def plan(self, week: str) -> None:
        """What was asked for, if it names sessions; moves that are not older than it stand."""
        asked = self.written.get(("week", week))
        if self.put is not None and asked is not None and asked[1] is not None:
            self.planned[week] = [one["id"] for one in asked[1]]
            moved = self.written.get(("move", self.planned[week][0]))
            self.placed[week] = moved[1] if moved is not None and moved[0] >= asked[0] else None

    def stands(self) -> set[str]:
        """The ids of what counts."""
        ids = {version[1] for about, (version, what) in self.written.items() if about[0] != "week" or what is not None}
        for one in self.sessions.values():
            ids |= {one.recorded[1][1]} if one.recorded is not None and one.counts else set()
            ids |= {one.removed[1]} if one.removed is not None and not one.counts else set()
        return ids

    def waits(self) -> set[str]:
        """The ids of what waits for a season that has no such week."""
        return {version[1] for about, (version, what) in self.written.items() if about[0] == "week" and what is None}

    def week_of(self, session: str) -> str | None:
        return next((week for week, sessions in self.planned.items() if session in sessions), None)


@dataclass
class Expected:
    """``told`` None: it is rejected with ``code``."""

    told: Told | None
    code: str | None = None


def told(effect: str, code: str | None = None, by: Version | None = None, revision: int | None = None) -> Told:
    said: Told = {"effect": effect}
    if code is not None:
        said["code"] = code
    if by is not None:
        stamp = by[0].isoformat().replace("+00:00", "Z")
        said["superseded_by"] = {"time": stamp, "id": by[1]} | ({} if revision is None else {"revision": revision})
    return said


APPLIED, DUPLICATE, ERASED = told("applied"), told("none", "duplicate"), told("none", "erased")
WAITS = told("pending", "waits_for_athlete")
ORDER = ("applied", "pending", "none")


class Model:
    """One tenant. ``take`` says what a message must be answered, and remembers what it did."""

    def __init__(self, max_ahead_s: float) -> None:
        self.athletes: dict[str, Athlete] = {}
        self.erased: dict[str, datetime] = {}
        self.first: dict[str, Expected] = {}
        self.named: dict[str, str] = {}
        self.pending: dict[str, str] = {}
        self.settled: list[tuple[str, str, str, str | None]] = []
        """Of each command that was pending: id, key, outcome and code, as ``command-settled`` tells them."""
        self.max_ahead_s = max_ahead_s

    def take(self, id: str, key: str, body: Mapping[str, Any], at: datetime, now: datetime) -> Expected:
        if id in self.first:
            return self._again(id, key)
        if (at - now).total_seconds() > self.max_ahead_s:
            expected = Expected(None, "clock_ahead")
        elif key == "athlete.erase":
            expected = Expected(self._erase(body["athlete"], at))
        elif body["athlete"] in self.erased and at <= self.erased[body["athlete"]]:
            expected = Expected(ERASED)
        else:
            name = key.rpartition(".")[2].replace("-", "_")
            athlete = self.athletes.get(body["athlete"], Athlete())
            expected = getattr(self, f"_{name}")(athlete, body, (at, id))
            if expected.told is not None:  # what is rejected leaves nothing
                self.athletes[body["athlete"]] = athlete
        self.first[id], self.named[id] = expected, body["athlete"]
        if key != "athlete.erase" and body["athlete"] in self.athletes:
            self._settle(body["athlete"])
        if expected.told is not None and expected.told["effect"] == "pending":
            self.pending[id] = key
        return expected

    def _settle(self, name: str) -> None:
        """What waited for the profile, or for a season's week that somebody else asks for now, is told."""
        athlete = self.athletes[name]
        stands, waits = athlete.stands(), athlete.waits()
        for id in [one for one in self.pending if self.named[one] == name and athlete.put is not None]:
            if id not in waits:
                outcome = ("applied", None) if id in stands else ("none", "superseded")
                self.settled.append((id, self.pending.pop(id), *outcome))

    def _again(self, id: str, key: str) -> Expected:
        """The first reply again; of what was received before an erase nothing is known but that it was."""
        if key == "athlete.erase":
            return Expected(DUPLICATE) if self.first[id].told else self.first[id]
        return self.first[id]

    def _erase(self, athlete: str, at: datetime) -> Told:
        held = self.athletes.pop(athlete, None)
        was_erased = athlete in self.erased
        self.erased[athlete] = max(at, self.erased.get(athlete, at))
        for id in [one for one in self.pending if self.named[one] == athlete]:
            self.settled.append((id, self.pending.pop(id), "none", "erased"))
        for id, whose in self.named.items():
            if whose == athlete and self.first[id].code != "clock_ahead":
                self.first[id] = Expected(ERASED)
        return DUPLICATE if was_erased and held is None else APPLIED

    def _write(self, athlete: Athlete, about: tuple[str, ...], what: Any, version: Version) -> Told:
        stands = athlete.written.get(about)
        if stands is not None and stands[0] >= version:
            return DUPLICATE if stands[0] == version else told("none", "superseded", stands[0])
        athlete.written[about] = version, what
        return APPLIED

    def _put(self, athlete: Athlete, body: Mapping[str, Any], version: Version) -> Expected:
        said = self._write(athlete, ("put",), body, version)
        athlete.put = athlete.written["put",][0]
        for week in [about[1] for about in athlete.written if about[0] == "week"]:
            athlete.plan(week)
        return Expected(said)

    def _record(self, athlete: Athlete, sent: Mapping[str, Any], version: Version) -> Told:
        session = athlete.sessions.setdefault(sent["session"], Session())
        revision = sent["revision"]
        if session.recorded is not None and session.recorded[:2] >= (revision, version):
            stands = session.recorded
            return DUPLICATE if stands[1] == version else told("none", "superseded", stands[1], stands[0])
        session.recorded = revision, version, sent
        if session.removed is not None and session.removed >= version:
            return told("none", "superseded", session.removed)
        return APPLIED

    def _record_session(self, athlete: Athlete, body: Mapping[str, Any], version: Version) -> Expected:
        return Expected(self._known(athlete, self._record(athlete, body, version)))

    def _import_sessions(self, athlete: Athlete, body: Mapping[str, Any], version: Version) -> Expected:
        return self._items(athlete, {one["session"]: self._record(athlete, one, version) for one in body["sessions"]})

    def _remove_session(self, athlete: Athlete, body: Mapping[str, Any], version: Version) -> Expected:
        session = athlete.sessions.setdefault(body["session"], Session())
        earlier, session.removed = session.removed, max(version, session.removed or version)
        if session.counts and session.recorded is not None:
            said = told("none", "superseded", session.recorded[1], session.recorded[0])
        elif earlier is not None and earlier >= version:
            said = told("none", "superseded", earlier)
        else:
            said = APPLIED
        return Expected(self._known(athlete, said))

    def _mark_day(self, athlete: Athlete, body: Mapping[str, Any], version: Version) -> Expected:
        return Expected(self._known(athlete, self._write(athlete, ("mark", body["date"]), body["state"], version)))

    def _record_wellness(self, athlete: Athlete, body: Mapping[str, Any], version: Version) -> Expected:
        items = {name: value for name, value in body.items() if name not in ("athlete", "date")}
        said = {
            name: self._write(athlete, ("morning", body["date"], name), value, version) for name, value in items.items()
        }
        return self._items(athlete, said)

    def _set_goals(self, athlete: Athlete, body: Mapping[str, Any], version: Version) -> Expected:
        given = {name: value for name, value in body.items() if name != "athlete"}
        return self._items(
            athlete, {name: self._write(athlete, ("choice", name), value, version) for name, value in given.items()}
        )

    def _start_deload(self, athlete: Athlete, body: Mapping[str, Any], version: Version) -> Expected:
        return Expected(self._known(athlete, self._write(athlete, ("deload", body["from"]), body["days"], version)))

    def _set_availability(self, athlete: Athlete, body: Mapping[str, Any], version: Version) -> Expected:
        return Expected(self._known(athlete, self._write(athlete, ("windows",), body["windows"], version)))

    def _plan_week(self, athlete: Athlete, body: Mapping[str, Any], version: Version) -> Expected:
        sessions = body.get("sessions")
        said = self._write(athlete, ("week", body["week_start"]), sessions, version)
        if said == APPLIED and athlete.put is not None and sessions is None:
            said = told("pending", "waits_for_targets")
        if said == APPLIED:
            athlete.plan(body["week_start"])
        return Expected(self._known(athlete, said))

    def _move_session(self, athlete: Athlete, body: Mapping[str, Any], version: Version) -> Expected:
        if athlete.put is None:
            return Expected(None, "unknown_athlete")
        week = athlete.week_of(body["session"])
        if week is None:
            return Expected(None, "unknown_session")
        asked = athlete.written["week", week][0]
        if athlete.written["week", week][1] is not None and asked > version:
            return Expected(told("none", "superseded", asked))
        said = self._write(athlete, ("move", body["session"]), body["start"], version)
        if said == APPLIED:
            athlete.placed[week] = body["start"]
        return Expected(said)

    def _known(self, athlete: Athlete, said: Told) -> Told:
        return WAITS if said == APPLIED and athlete.put is None else said

    def _items(self, athlete: Athlete, items: Mapping[str, Told]) -> Expected:
        each = {name: self._known(athlete, said) for name, said in items.items()}
        strongest = min(each.values(), key=lambda said: ORDER.index(said["effect"]))
        others = [{"id": name, **said} for name, said in each.items() if said != APPLIED]
        return Expected(strongest | ({"items": others} if others else {}))
