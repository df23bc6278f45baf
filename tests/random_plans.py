"""Random athletes who plan: a season, goals, deloads, time to train, a week to place and a calendar to be judged."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from shared.contract.words import WeekStart
from shared.messages.times import week_of
from tests.random_athletes import ZONES, RandomAthlete, Sent, random_athlete

KEPT_DAYS: Final = 45
"""More than any rule about a calendar looks back, and than a deload's trigger lasts."""
ODDITIES: Final = (
    "profile", "few days", "several a day", "over midnight", "other offsets", "marks", "sick spells", "one item only",
    "suppressed", "stopped", "mixed arrival",
)  # fmt: skip
WISHES: Final = (
    "season", "season mid-week", "weeks", "template", "goals", "deloads", "availability", "limits", "this week",
    "fixed starts", "done as planned", "calendar of two weeks", "long run once",
    "race soon", "weeks from Sunday", "weeks from Saturday",
)  # fmt: skip
DAY_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class RandomPlans:
    """``week_start``: of the week to be placed; ``week``: its sessions, None = those of the season."""

    athlete: RandomAthlete
    wishes: tuple[str, ...]
    week_start: date
    week: list[dict[str, Any]] | None
    calendar: list[dict[str, Any]]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        one = self.athlete
        zone = one.document["athlete"]["timezone"]
        printer.text(f"random_plans({one.seed}, {list(one.oddities)}, {zone!r}, {list(self.wishes)})")

    @property
    def sent_too(self) -> list[Sent]:
        """What ``RandomAthlete.commands`` does not say of the file."""
        return [Sent("periodization.start-deload", one) for one in self.athlete.document.get("deloads", ())]

    def file_with_week(self) -> RandomAthlete:
        given = {} if self.week is None else {"sessions": self.week}
        return self.athlete.with_file(week={"start": str(self.week_start), **given})

    def file_with_calendar(self) -> RandomAthlete:
        return self.athlete.with_file(week={"start": str(self.week_start), "sessions": self.calendar})


@st.composite
def plans(draw: st.DrawFn) -> RandomPlans:
    oddities = draw(st.lists(st.sampled_from(ODDITIES), max_size=4, unique=True))
    wishes = draw(st.lists(st.sampled_from(WISHES), max_size=8, unique=True))
    return random_plans(draw(st.integers(0, 2**32 - 1)), oddities, draw(st.sampled_from(ZONES)), wishes)


def random_plans(seed: int, oddities: Sequence[str], timezone: str, wishes: Sequence[str]) -> RandomPlans:
    return _PlanMaker(random.Random(seed), frozenset(wishes), random_athlete(seed, oddities, timezone)).plans()


@dataclass
class _PlanMaker:
    chance: random.Random
    wishes: frozenset[str]
    athlete: RandomAthlete

    def wants(self, wish: str) -> bool:
        return wish in self.wishes

    @property
    def this_week(self) -> date:
        return week_of(self.athlete.today, self.starts_on)

    @property
    def starts_on(self) -> WeekStart:
        return "sun" if self.wants("weeks from Sunday") else "sat" if self.wants("weeks from Saturday") else "mon"

    def plans(self) -> RandomPlans:
        seasonal = self.wants("season") or self.wants("goals") or self.wants("race soon")
        # A season's coming week is planned by itself and stands beside the week before it; a file knows no such plan.
        week_start = self.this_week if self.wants("this week") and not seasonal else self.this_week + timedelta(days=7)
        from_season = self.wants("season") and not self.wants("season mid-week") and not self.wants("fixed starts")
        week = None if from_season else self.week(week_start)
        first = str(self.athlete.today - timedelta(days=KEPT_DAYS))
        document = {name: value for name, value in self.athlete.document.items() if name in ("athlete", "days")}
        document["wellness"] = [one for one in self.athlete.document.get("wellness", ()) if one["date"] >= first]
        document["sessions"] = [one for one in self.athlete.document.get("sessions", ()) if one["start"] >= first]
        document |= self.season()
        document["athlete"] = {**document["athlete"], "week_starts_on": self.starts_on}
        if self.wants("done as planned"):
            for done, planned in zip(reversed(document["sessions"]), week or (), strict=False):
                done["planned"] = planned["id"]
        if self.wants("long run once"):
            start = datetime.combine(
                week_start - timedelta(days=self.chance.randint(15, 34)), time(8), self.athlete.zone
            )
            long = {"id": "the-long-one", "kind": "run", "type": "long", "duration_min": 170, "rpe": 4}
            document["sessions"].append({**long, "start": start.isoformat()})
        if self.wants("availability") or self.wants("limits"):
            document["availability"] = self.windows()
            if self.wants("limits"):
                document["limits"] = {
                    "max_sessions_per_day": self.chance.randint(1, 3), "min_rest_days": self.chance.randint(0, 3),
                }  # fmt: skip
        athlete = RandomAthlete(document, (), self.athlete.seed, self.athlete.oddities)
        return RandomPlans(athlete, tuple(sorted(self.wishes)), week_start, week, self.calendar(week_start))

    def season(self) -> dict[str, Any]:
        said: dict[str, Any] = {}
        if self.wants("season"):
            shift = self.chance.randint(1, 6) if self.wants("season mid-week") else 0
            start = self.this_week - timedelta(days=7 * self.chance.randint(0, 5) - shift)
            said["season"] = {"start": str(start)}
            if self.wants("weeks"):
                said["season"]["weeks"] = self.chance.randint(7, 14)
            if self.wants("template"):
                said["season"]["week_template"] = {
                    "run_minutes": 30 * self.chance.randint(1, 10), "long_run_minutes": 30, "lower_sets": 6,
                    "quality_runs": self.chance.randint(0, 2), "lifts": self.chance.randint(0, 3), "upper_sets": 8,
                }  # fmt: skip
        if self.wants("race soon"):
            race = {"id": "race", "kind": "race", "distance_km": 10, "date": str(self.this_week + timedelta(days=20))}
            said |= {"goals": [race], "athlete": self.endurance_first()}
        elif self.wants("goals"):
            said["goals"] = [self.goal(number) for number in range(self.chance.randint(1, 3))]
        if self.wants("deloads"):
            said["deloads"] = [
                {
                    "from": str(self.this_week + timedelta(days=self.chance.randint(-20, 20))),
                    "days": self.chance.randint(1, 9),
                }
            ]
        return said

    def goal(self, number: int) -> dict[str, Any]:
        goal: dict[str, Any] = {
            "id": f"goal-{number}",
            "date": str(self.day_near(60)),
            "class": self.chance.choice("ABC"),
        }
        if self.chance.random() < 0.7:
            return {**goal, "kind": "race", "distance_km": self.chance.choice((5, 10, 21.1, 42.2))}
        return {**goal, "kind": "strength", "lift": "back-squat", "target_kg": 140}

    def windows(self) -> list[dict[str, str]]:
        windows = []
        for day in DAY_NAMES:
            if self.chance.random() < 0.75:
                opens = self.chance.randint(5, 19)
                windows.append(
                    {"day": day, "from": f"{opens:02}:00", "to": f"{opens + self.chance.randint(1, 4):02}:30"}
                )
        return windows

    def week(self, start: date) -> list[dict[str, Any]]:
        sessions = [self.session(f"planned-{number}") for number in range(self.chance.randint(1, 5))]
        if self.wants("fixed starts"):
            for session in sessions[::2]:
                session["start"] = self.moment(start, 7)
        return sessions

    def calendar(self, start: date) -> list[dict[str, Any]]:
        days = 14 if self.wants("calendar of two weeks") else 7
        sessions = [self.session(f"proposed-{number}") for number in range(self.chance.randint(1, 6))]
        placed = [{**session, "start": self.moment(start, days)} for session in sessions]
        return placed + self.lift_before_run(start) if self.wants("race soon") else placed

    def endurance_first(self) -> dict[str, Any]:
        """Some rules hold only for such an athlete in the last weeks before a race, which the season has to say."""
        known = {name: value for name, value in self.athlete.document["athlete"].items() if name != "phase"}
        return {**known, "priority": "endurance"}

    def lift_before_run(self, start: date) -> list[dict[str, Any]]:
        lift = {"id": "before", "kind": "lift", "region": "upper", "effort": "moderate", "duration_min": 40}
        run = {"id": "after", "kind": "run", "type": "easy", "duration_min": 40}
        day = start + timedelta(days=self.chance.randrange(7))
        moments = [datetime.combine(day, time(hour), self.athlete.zone).isoformat() for hour in (7, 17)]
        return [{**session, "start": moment} for session, moment in zip((lift, run), moments, strict=True)]

    def session(self, name: str) -> dict[str, Any]:
        session: dict[str, Any] = {"id": name, "duration_min": 5 * self.chance.randint(5, 28)}
        kind = self.chance.choice(("run", "run", "lift", "lift", "other"))
        tags = {
            "run": {"type": self.chance.choice(("easy", "long", "tempo", "intervals"))},
            "lift": {
                "region": self.chance.choice(("lower", "upper", "full")),
                "effort": self.chance.choice(("light", "heavy", "max")),
            },
            "other": {"mode": self.chance.choice(("walk", "bike"))},
        }
        return {**session, "kind": kind, **tags[kind]}

    def day_near(self, days: int) -> date:
        return self.this_week + timedelta(days=self.chance.randint(-days // 3, days))

    def moment(self, start: date, days: int) -> str:
        day = start + timedelta(days=self.chance.randrange(days))
        clock = time(self.chance.randint(5, 20), self.chance.choice((0, 15, 30)))
        return datetime.combine(day, clock, self.athlete.zone).isoformat()
