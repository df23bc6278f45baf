"""Random athletes, each as an athlete file and as what a platform sends.

Hypothesis draws which oddities an athlete has, so that a failing one shrinks to the oddity that matters; the rest comes
from a seed. A test that needs more of the file (a season, a week) adds it by ``RandomAthlete.with_file``.
"""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tandem.athlete_file import AthleteFile
from tandem.athlete_file.reader import LocatedAthleteFile, locate_athlete_file
from tandem.demo.commands import import_commands, opening_command, planning_commands

NOW: Final = datetime(2026, 4, 1, 16, 40, tzinfo=UTC)
"""A Wednesday in most zones, three days after Europe's clocks changed; in Kiritimati Thursday has begun."""
ZONES: Final = (
    "Europe/Berlin",
    "America/Los_Angeles",
    "Pacific/Kiritimati",
    "Asia/Kolkata",
    "America/St_Johns",
    "UTC",
)
LONGEST_DAYS: Final = 290
"""Beyond the farthest day that a service looks back to."""
EXERCISES: Final = ("back squat", "bench press", "deadlift")


@dataclass(frozen=True)
class Sent:
    """A command without its athlete; ``ago``: how long before the others it was said, whenever it arrives."""

    key: str
    data: Mapping[str, Any]
    ago: timedelta = timedelta(0)


@dataclass(frozen=True)
class RandomAthlete:
    """``document``: the athlete file, as JSON would hold it. ``corrections``: what the platform sends beside what the
    file says, and takes back or overwrites, so that it changes nothing in the end."""

    document: dict[str, Any]
    corrections: tuple[Sent, ...] = ()
    seed: int = 0
    oddities: tuple[str, ...] = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """As hypothesis shows it: by this it can be made again."""
        zone = self.document["athlete"]["timezone"]
        printer.text(f"random_athlete({self.seed}, {list(self.oddities)}, {zone!r})")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.document["athlete"]["timezone"])

    @property
    def today(self) -> date:
        return NOW.astimezone(self.zone).date()

    @cached_property
    def located(self) -> LocatedAthleteFile:
        return locate_athlete_file(json.dumps(self.document), "random.json")

    @property
    def file(self) -> AthleteFile:
        return self.located.athlete_file

    def with_file(self, **more: Any) -> "RandomAthlete":
        return replace(self, document={**self.document, **more})

    def commands(self) -> list[Sent]:
        """What a platform sends, in an order that is no order; mostly what is alike comes together."""
        chance = random.Random(self.seed)
        file = self.file.model_copy(update={"daily_load": []})
        said = [
            opening_command(file, NOW),
            *import_commands(file, self.today + timedelta(days=2)),
            *planning_commands(file, NOW),
        ]
        sent = [Sent(one.key, one.data) for one in said] + _day_loads_sent(self.document) + [*self.corrections]
        chance.shuffle(sent)
        if "mixed arrival" not in self.oddities:
            keys = chance.sample(kinds := sorted({one.key for one in sent}), len(kinds))
            sent.sort(key=lambda one: keys.index(one.key))
        return sent


SAME: Final = {"rmssd_ms": 50, "resting_hr": 52, "sleep_hours": 6, "soreness": 5, "stress": 2, "aches": True}
ODDITIES: Final = (
    "profile", "long history", "few days", "from another system", "without effort", "heart rate", "several a day",
    "over midnight", "other offsets", "marks", "sick spells", "gaps in mornings", "one item only", "suppressed",
    "strength", "copies", "removed", "revised", "stopped", "mixed arrival",
)  # fmt: skip


@st.composite
def athletes(draw: st.DrawFn) -> RandomAthlete:
    """Weeks of sessions and mornings up to today, with some of ``ODDITIES``."""
    oddities = draw(st.lists(st.sampled_from(ODDITIES), max_size=8, unique=True))
    return random_athlete(draw(st.integers(0, 2**32 - 1)), oddities, draw(st.sampled_from(ZONES)))


def random_athlete(seed: int, oddities: Iterable[str], timezone: str) -> RandomAthlete:
    return _Maker(random.Random(seed), frozenset(oddities), timezone).athlete(seed)


@dataclass
class _Maker:
    chance: random.Random
    oddities: frozenset[str]
    timezone: str
    sessions: list[dict[str, Any]] = field(default_factory=list)
    wellness: list[dict[str, Any]] = field(default_factory=list)
    days: list[dict[str, Any]] = field(default_factory=list)
    daily_load: list[dict[str, Any]] = field(default_factory=list)
    corrections: list[Sent] = field(default_factory=list)
    suppressed_days: int = 0
    sick: set[str] = field(default_factory=set)

    def athlete(self, seed: int) -> RandomAthlete:
        zone = ZoneInfo(self.timezone)
        today = NOW.astimezone(zone).date()
        length = self.chance.randint(35, 120) if not self.has("sick before it began") else 125
        if self.has("few days") or self.has("long history"):
            length = LONGEST_DAYS if self.has("long history") else 10
        if self.has("sick before it began"):
            self.suppressed_days = 46
            self.days += [{"date": str(today - timedelta(days=ago)), "state": "sick"} for ago in range(110, 86, -1)]
        if self.has("marks"):
            self.mark(today, length, ("rest", "unknown", "travel", "sick"), spells=6, longest=2)
        if self.has("sick spells"):
            self.mark(today, length, ("sick", "travel"), spells=5, longest=12)
        self.sick = {one["date"] for one in self.days if one["state"] == "sick"}
        if self.has("suppressed"):
            self.suppressed_days = self.chance.choice((4, 12, 30, 46, 48, LONGEST_DAYS))
        for ago in range(length, -1, -1):
            if not (self.has("stopped") and ago < 25):
                self.day(today - timedelta(days=ago), zone)
            if not self.has("gaps in mornings") or (ago // 9) % 3:
                self.morning(today - timedelta(days=ago), ago)
        self.correct()
        document: dict[str, Any] = {"athlete": {"id": "random", "timezone": self.timezone, **self.profile()}}
        for name in ("sessions", "wellness", "days", "daily_load"):
            if getattr(self, name):
                document[name] = getattr(self, name)
        return RandomAthlete(document, tuple(self.corrections), seed, tuple(sorted(self.oddities)))

    def has(self, oddity: str) -> bool:
        return oddity in self.oddities

    def profile(self) -> dict[str, Any]:
        chosen: dict[str, Any] = {}
        if self.has("heart rate") or self.has("profile"):
            chosen = {"hr_max": 188, "hr_rest": 48, "sex": self.chance.choice(("female", "male"))}
        if self.has("profile"):
            chosen |= {
                "priority": self.chance.choice(("strength", "hypertrophy", "endurance", "balanced")),
                "level": self.chance.choice(("beginner", "intermediate", "advanced")),
                "phase": self.chance.choice(("base", "build", "taper", "race", "deload")),
                "day_strategy": self.chance.choice(("cluster", "spread")),
            }
        return chosen

    def day(self, on: date, zone: ZoneInfo) -> None:
        """What was done on a day. Another system's athlete brings loads of days instead, with days missing."""
        if self.has("from another system"):
            if self.chance.random() < 0.9:
                loads = {kind: 60.0 * self.chance.randint(1, 18) / 2 for kind in ("run", "lift", "other")}
                self.daily_load.append({"date": str(on), **loads})
            return
        for number in range(self.chance.choice((2, 3, 4)) if self.has("several a day") else 1):
            if self.chance.random() < 0.7:
                self.sessions.append(self.session(f"s-{on}-{number}", on, zone))

    def session(self, name: str, on: date, zone: ZoneInfo) -> dict[str, Any]:
        late = self.has("over midnight") and self.chance.random() < 0.3
        hour = self.chance.randint(21, 23) if late else self.chance.randint(5, 20)
        start = datetime.combine(on, time(hour, self.chance.randrange(60)), zone)
        if self.has("other offsets"):
            start = start.astimezone(ZoneInfo(self.chance.choice(ZONES)))
        clock = {"timezone": str(start.tzinfo)} if self.has("moved") and not start.utcoffset() else {}
        kind = self.chance.choice(("run", "run", "lift", "other"))
        minutes = self.chance.randint(20, 200 if late else 110)
        session = {
            "id": name,
            "start": start.isoformat(),
            "duration_min": minutes,
            "kind": kind,
            **self.tags(kind),
            **clock,
        }
        if not (self.has("without effort") and self.chance.random() < 0.4):
            session["rpe"] = self.chance.choice((2, 2.5, 3, 4, 5, 6, 7, 8.5))
        if kind == "run" and self.chance.random() < 0.6:
            session["distance_km"] = round(minutes / self.chance.uniform(4.5, 6.5), 2)
        if self.has("heart rate") and kind != "lift" and self.chance.random() < 0.8:
            session["avg_hr"] = self.chance.randint(105, 190)
        if self.has("strength") and kind == "lift":
            session["exercises"] = [self.exercise() for _ in range(self.chance.randint(1, 3))]
        return session

    def tags(self, kind: str) -> dict[str, Any]:
        possible: dict[str, dict[str, Sequence[str | None]]] = {
            "run": {"type": ("easy", "easy", "recovery", "long", "tempo", "intervals", "race", None)},
            "lift": {"region": ("lower", "upper", "full", None), "effort": ("light", "moderate", "heavy", "max", None)},
            "other": {"mode": ("walk", "bike", "row", "swim", "mobility", None)},
        }
        chosen = {name: self.chance.choice(words) for name, words in possible[kind].items()}
        return {name: word for name, word in chosen.items() if word is not None}

    def exercise(self) -> dict[str, Any]:
        sets = [
            {
                "reps": self.chance.randint(1, 8),
                "load_kg": self.chance.randrange(40, 180, 5),
                "rir": self.chance.randint(0, 3),
            }
            for _ in range(self.chance.randint(1, 4))
        ]
        return {"name": self.chance.choice(EXERCISES), "region": "lower", "sets": sets}

    def morning(self, on: date, ago: int) -> None:
        if self.has("the same every day"):
            self.wellness.append({"date": str(on), **SAME})
            return
        low = ago < self.suppressed_days or str(on) in self.sick
        worse = 12 if str(on) in self.sick else 0
        measured: dict[str, Any] = {
            "rmssd_ms": round(self.chance.gauss(38 - worse if low else 62, 5), 1),
            "resting_hr": round(self.chance.gauss(58 + worse if low else 50, 2), 1),
            "sleep_hours": round(self.chance.gauss(5.8 if low else 7.6, 0.7), 2),
            "sleep_quality": self.chance.randint(1, 3) if low else self.chance.randint(2, 5),
            "soreness": self.chance.randint(3, 5) if low else self.chance.randint(1, 3),
            "fatigue": self.chance.randint(3, 5) if low else self.chance.randint(1, 3),
            "mood": self.chance.randint(1, 3) if low else self.chance.randint(3, 5),
            "stress": self.chance.randint(1, 4),
            "body_mass_kg": round(
                72 - low * max(self.suppressed_days - ago, 0) / 20 + self.chance.uniform(-0.5, 0.5), 1
            ),
            "illness": self.chance.random() < 0.04,
            "aches": self.chance.random() < 0.1,
        }
        wanted = ("sleep_hours",) if self.has("one item only") else tuple(measured)
        given = {name: measured[name] for name in wanted if self.chance.random() < 0.85}
        if given:
            self.wellness.append({"date": str(on), **given})

    def mark(self, today: date, length: int, states: Sequence[str], spells: int, longest: int) -> None:
        marked = {one["date"] for one in self.days}
        for _ in range(self.chance.randint(1, spells)):
            begin = today - timedelta(days=self.chance.randint(0, length))
            state = self.chance.choice(states)
            for after in range(self.chance.randint(1, longest)):
                day = str(begin + timedelta(days=after))
                if day <= str(today) and day not in marked:
                    marked.add(day)
                    self.days.append({"date": day, "state": state})

    def correct(self) -> None:
        """Sessions that overlap another, that were removed, that were first recorded otherwise."""
        some = self.chance.sample(self.sessions, min(4, len(self.sessions)))
        if self.has("copies"):
            self.sessions += [{**one, "id": f"copy-of-{one['id']}"} for one in some[:2]]
        if self.has("removed"):
            for one in some:
                session = {**one, "session": f"gone-{one['id']}", "rpe": 9}
                del session["id"]
                self.corrections += [
                    Sent("load.record-session", session, timedelta(minutes=9)),
                    Sent("load.remove-session", {"session": session["session"]}, timedelta(minutes=4)),
                ]
        if self.has("moved"):
            self.corrections.append(Sent("athlete.put", {"timezone": self.chance.choice(ZONES)}, timedelta(minutes=9)))
        if self.has("revised"):
            for one in some:
                earlier = {**one, "session": one["id"], "duration_min": 240, "rpe": 10}
                del earlier["id"]
                one["revision"] = 3
                self.corrections.append(Sent("load.record-session", {**earlier, "revision": self.chance.randint(0, 2)}))


def _day_loads_sent(document: Mapping[str, Any]) -> list[Sent]:
    """Loads of days, which no message carries, as sessions of an hour of as much load. A day that is missing among them
    is one of which nobody knows anything."""
    loads = {date.fromisoformat(one["date"]): one for one in document.get("daily_load", ())}
    if not loads:
        return []
    zone = ZoneInfo(document["athlete"]["timezone"])
    sessions = [
        {
            "session": f"{kind}-{day}",
            "start": datetime.combine(day, time(hour), zone).isoformat(),
            "timezone": zone.key,
            "duration_min": 60,
            "kind": kind,
            "rpe": load[kind] / 60,
        }
        for day, load in loads.items()
        for kind, hour in (("run", 6), ("lift", 9), ("other", 12))
    ]
    first, last = min(loads), max(loads)
    between = (first + timedelta(days=index) for index in range((last - first).days))
    marked = {one["date"] for one in document.get("days", ())}
    missing = [str(day) for day in between if day not in loads and str(day) not in marked]
    chunks = [sessions[at : at + 200] for at in range(0, len(sessions), 200)]
    imports = [Sent("load.import-sessions", {"sessions": chunk}) for chunk in chunks]
    return imports + [Sent("load.mark-day", {"date": day, "state": "unknown"}) for day in missing]
