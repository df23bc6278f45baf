"""Sends random messages to the embedded services and holds each reply, and what queries say, against the model."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, Final

from shared.messages.envelope import MAX_CLOCK_AHEAD
from shared.messages.validation import InvalidInput
from tandem.runtime.embedded import Embedded
from tests.replies.model import Athlete, Expected, Model

TENANT: Final = "acme"
START: Final = datetime(2026, 3, 2, 6, tzinfo=UTC)
ATHLETES: Final = ("a1", "a2", "a3")
WEEKS: Final = ("2026-06-01", "2026-06-08")
DAYS: Final = ("2026-02-26", "2026-02-27", "2026-02-28")
OPEN: Final = [
    {"day": day, "from": "05:00", "to": "22:00"} for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
]
OFTEN: Final = {
    "load.record-session": 8, "load.import-sessions": 3, "load.remove-session": 4, "load.mark-day": 4,
    "recovery.record-wellness": 6, "scheduling.set-availability": 2, "scheduling.plan-week": 3,
    "scheduling.move-session": 3, "athlete.put": 4, "athlete.erase": 2, "periodization.start-deload": 2,
    "periodization.set-goals": 2,
}  # fmt: skip
CHECK_EVERY: Final = 25


@dataclass
class Machine:
    """``seen``: how often each kind of outcome was told. ``wrong``: what was not as the model says, with the step."""

    folder: Path
    rules: Path
    seed: int
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    steps: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.now = START
        self.model = Model(MAX_CLOCK_AHEAD.total_seconds())
        self.sent: list[tuple[str, str, Mapping[str, Any], datetime]] = []

    def run(self, steps: int, seconds: float) -> None:
        """So many steps, or as many as go into so many seconds; stops at the first that is wrong."""
        until = monotonic() + seconds
        with Embedded(self.folder, self.rules, clock=lambda: self.now, evaluator="reference") as self.tandem:
            while self.steps < steps and monotonic() < until and not self.wrong:
                self.steps += 1
                self.step()
                if self.steps % CHECK_EVERY == 0 and not self.wrong:
                    self.check_all()
            self.tandem.settle()
            self.wrong += [f"{self.tandem.parked()} parked"] if self.tandem.parked() else []

    def step(self) -> None:
        """One message: a new one, in one of five the repetition of an old one; its stamp is up to 6 min off."""
        self.now += timedelta(seconds=self.random.choice((1, 7, 40)))
        if self.sent and self.random.random() < 0.2:
            id, key, body, at = self.random.choice(self.sent[-60:])
        else:
            key = self.random.choices(list(OFTEN), list(OFTEN.values()))[0]
            body = self.body(key)
            at = self.now.replace(second=0) + timedelta(minutes=self.random.choice((-10, -2, -1, 0, 0, 1, 2, 4, 6)))
            id = f"{self.random.choice('az')}{self.steps}"
            self.sent.append((id, key, body, at))
        is_again = id in self.model.first
        expected = self.model.take(id, key, body, at, self.now)
        reply = self.tandem.tell(TENANT, key, body, id=id, time=at)
        if key == "athlete.put":
            # Four services judge its stamp by their clocks; one that is minutes behind would not find it ahead.
            self.tandem.settle()
        self.compare(
            f"{id} {key} {json.dumps(body)} at {at:%H:%M:%S}, now {self.now:%H:%M:%S}", expected, reply, is_again
        )

    def compare(self, what: str, expected: Expected, reply: Any, is_again: bool) -> None:
        if expected.told is None:
            codes = [problem["code"] for problem in reply.data.get("errors", [])]
            self.seen[f"rejected {expected.code}"] += 1
            if reply.outcome != "rejected" or not (is_again or expected.code in codes):
                self.wrong.append(f"step {self.steps}: {what}: {reply.name} {reply.data}, not {expected.code}")
            return
        names = ("effect", "code", "superseded_by", "items")
        said = {name: reply.data[name] for name in names if name in reply.data}
        self.seen[f"{expected.told['effect']} {expected.told.get('code', '')}".strip()] += 1
        if reply.outcome != "accepted" or said != expected.told or reply.data.get("duplicate", False) != is_again:
            self.wrong.append(f"step {self.steps}: {what}: {reply.name} {reply.data}, not {expected.told}")

    def check_all(self) -> None:
        """What queries answer, and what was told of pending commands, is what the model holds."""
        self.tandem.settle()
        events = [one.data for one in self.tandem.events if one.name.endswith(".command-settled")]
        told = Counter((one["message"], one["key"], one["outcome"], one.get("code")) for one in events)
        if told != Counter(self.model.settled):
            extra, missing = told - Counter(self.model.settled), Counter(self.model.settled) - told
            self.wrong.append(f"step {self.steps}: settled {list(extra)}, not {list(missing)}")
        self.seen["settled"] = len(events)
        for name in ATHLETES:
            athlete = self.model.athletes.get(name, Athlete())
            known = athlete.put is not None
            for key, more, held in (
                ("load.get-load", {"date": DAYS[-1], "days": len(DAYS)}, self.loads),
                ("periodization.get-season", {"weeks": 1}, self.goals),
                *(("scheduling.get-week", {"week_start": week}, self.starts) for week in WEEKS),
            ):
                try:
                    answer: Any = self.tandem.ask(TENANT, key, {"athlete": name, **more})
                except InvalidInput as refused:
                    answer = refused.problems[0].code
                expected, found = held(athlete, more, answer) if known else ("unknown_athlete", answer)
                self.seen["queries"] += 1
                if expected != found:
                    self.wrong.append(f"step {self.steps}: {key} {name} {more}: {found}, not {expected}")

    def loads(self, athlete: Athlete, asked: Mapping[str, Any], answer: Any) -> tuple[Any, Any]:
        """Of each day the run's load, rpe times minutes; a day marked as unknown is."""
        expected = []
        for day in DAYS:
            runs = [one.recorded[2] for one in athlete.sessions.values() if one.recorded is not None and one.counts]
            loads = [one["rpe"] * one["duration_min"] for one in runs if one["start"].startswith(day)]
            is_unknown = athlete.written.get(("mark", day), (None, None))[1] == "unknown"
            expected.append(sum(loads) if loads and not is_unknown else None)
        found = [day["streams"]["run"]["load"] or None for day in answer["days"]]
        return expected, found

    def goals(self, athlete: Athlete, asked: Mapping[str, Any], answer: Any) -> tuple[Any, Any]:
        chosen = athlete.written.get(("choice", "goals"))
        return [goal["id"] for goal in (chosen[1] if chosen else [])], [goal["id"] for goal in answer["goals"]]

    def starts(self, athlete: Athlete, asked: Mapping[str, Any], answer: Any) -> tuple[Any, Any]:
        """The week's one session, and where it stands if it was moved since the week was asked for."""
        week = asked["week_start"]
        if week not in athlete.planned:
            return "not_planned", answer
        (wanted,) = athlete.planned[week]
        start = athlete.placed[week]
        found = {one["id"]: one["start"] for one in answer["sessions"]}
        told = datetime.fromisoformat(found[wanted]).isoformat() if start and wanted in found else start
        return ([wanted], start and datetime.fromisoformat(start).isoformat()), (list(found), told)

    def body(self, key: str) -> dict[str, Any]:
        one_of = self.random.choice
        said: dict[str, Any] = {"athlete": one_of(ATHLETES)}
        match key.partition(".")[2]:
            case "put":
                said |= {"timezone": "UTC", "level": one_of(("beginner", "intermediate", "advanced"))}
            case "record-session":
                said |= self.session(one_of("xyz"))
            case "import-sessions":
                said |= {"sessions": [self.session(one) for one in self.random.sample("xyz", one_of((1, 2, 3)))]}
            case "remove-session":
                said |= {"session": one_of("xyz")}
            case "mark-day":
                said |= {"date": one_of(DAYS), "state": one_of(("sick", "unknown"))}
            case "record-wellness":
                items = sorted(self.random.sample(("fatigue", "mood", "stress"), one_of((1, 2, 3))))
                said |= {"date": one_of(DAYS), **{item: one_of((2, 3, 4)) for item in items}}
            case "set-goals":
                meet = {"id": one_of(("meet", "test")), "kind": "strength", "lift": "squat", "date": "2026-03-25"}
                said |= {"goals": one_of(([], [meet]))} | one_of(({}, {"weeks": one_of((2, 3))}))
            case "start-deload":
                said |= {"from": one_of(("2026-03-09", "2026-03-16")), "days": one_of((5, 7))}
            case "set-availability":
                said |= {"windows": one_of((OPEN, OPEN[1:]))}
            case "plan-week":
                week = one_of(WEEKS)
                easy = {"id": f"s-{week}", "duration_min": 40, "kind": "run", "type": "easy"}
                said |= {"week_start": week} | one_of(({}, {"sessions": [easy]}, {"sessions": [easy]}))
            case "move-session":
                week = one_of(WEEKS)
                said |= {"session": f"s-{week}", "start": f"{week[:-1]}{int(week[-1]) + 1}T{one_of('789'):0>2}:00:00Z"}
        return said

    def session(self, session: str) -> dict[str, Any]:
        """Each at an hour and of a length of its own, so that none passes for another's copy."""
        one_of, place = self.random.choice, "xyz".index(session)
        return {
            "session": session, "start": f"{one_of(DAYS)}T{6 + 5 * place:02}:00:00Z",
            "duration_min": 30 + 20 * place + one_of((0, 5)), "kind": "run", "type": "easy", "rpe": one_of((3, 4)),
            "revision": one_of((0, 0, 1)),
        }  # fmt: skip
