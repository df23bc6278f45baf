"""A day of a platform with some hundred athletes, message by message, and the night after it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from benchmarks.services.house import NOW, House
from shared.bus.delivery.outbox import OutboxEntry
from shared.messages.envelope import Delivery

TODAY = NOW.date()
DAYS_BEFORE = 84
MODEL = "a0"


@dataclass(slots=True)
class Day:
    """The house, its athletes, and what the cases so far have told each other."""

    house: House
    athletes: Sequence[str]
    told: dict[str, list[OutboxEntry]] = field(default_factory=dict)

    def heard(self, case: str, *names: str) -> list[Delivery]:
        return self.house.heard(self.told[case], *names)


@dataclass(frozen=True, slots=True)
class Case:
    """``messages`` makes what ``service`` is given; it is not timed. ``then``: what is told counts for later cases."""

    service: str
    name: str
    messages: Callable[[Day], list[Delivery]]


@dataclass(frozen=True, slots=True)
class Night:
    """A timer, called ``days`` after today until it finds nothing more to do; ``of`` one athlete each."""

    service: str
    name: str


def _day(ago: int) -> date:
    return TODAY - timedelta(days=ago)


def session(name: str, ago: int, hour: int = 6) -> dict[str, object]:
    """A run on most days, a lift on the others; every tenth run is without a stated effort."""
    start = f"{_day(ago).isoformat()}T{hour:02d}:00:00Z"
    if ago % 3 == 0:
        sets = [{"reps": 5, "load_kg": 100, "rir": 2}] * 3
        squat = {"name": "back squat", "region": "lower", "sets": sets}
        lift = {"kind": "lift", "region": "lower", "effort": "moderate", "duration_min": 60, "rpe": 6}
        return {"session": name, "start": start, **lift, "exercises": [squat]}
    run = {"kind": "run", "type": "easy", "duration_min": 45 + ago % 5, "distance_km": 8}
    return {"session": name, "start": start, **run, **({} if ago % 10 == 0 else {"rpe": 3 + ago % 3})}


def morning(ago: int) -> dict[str, object]:
    return {
        "date": _day(ago).isoformat(),
        "rmssd_ms": 60 + ago % 7,
        "resting_hr": 48 + ago % 4,
        "sleep_hours": 7 + ago % 3 / 2,
        "sleep_quality": 4,
        "soreness": 1 + ago % 3,
        "fatigue": 2,
        "mood": 4,
        "stress": 2,
    }


def open_day(house: House, athletes: int) -> Day:
    """Twelve weeks of training and mornings, goals, a season and a planned week for each athlete."""
    put = {"athlete": MODEL, "timezone": "Europe/Berlin", "priority": "balanced", "level": "intermediate"}
    for service in ("load", "recovery", "periodization", "scheduling"):
        house[service].take([house.command("athlete.put", {**put, "body_mass_kg": 75})])
    past = [session(f"s{ago}", ago) for ago in range(DAYS_BEFORE, 0, -1) if ago % 7]
    loads = house["load"].take([house.command("load.import-sessions", {"athlete": MODEL, "sessions": past})])
    mornings = [
        house.command("recovery.record-wellness", {"athlete": MODEL, **morning(ago)})
        for ago in range(DAYS_BEFORE, 0, -1)
    ]
    felt = house["recovery"].take([*house.heard(loads, "load.session-scored", "load.load-assessed"), *mornings])
    race = {"id": "g1", "kind": "race", "class": "A", "date": _day(-60).isoformat(), "distance_km": 21.1}
    goals = {"athlete": MODEL, "goals": [race], "season_start": _day(DAYS_BEFORE + 2).isoformat()}
    season = house["periodization"].take(
        [
            house.command("periodization.set-goals", goals),
            *house.heard(loads, "load.load-assessed"),
            *house.heard(felt, "recovery.readiness-assessed"),
        ]
    )
    weeks = house["scheduling"].take(
        [
            *house.heard(season, "periodization.season-planned", "periodization.week-targets-set"),
            *house.heard(loads, "load.session-scored"),
            house.command("scheduling.plan-week", {"athlete": MODEL, "week_start": _day(TODAY.weekday()).isoformat()}),
            *house.heard(felt, "recovery.readiness-assessed"),
        ]
    )
    house["recovery"].take(house.heard(weeks, "scheduling.week-planned"))
    names = [f"a{number:04d}" for number in range(1, athletes + 1)]
    for room in house.rooms.values():
        room.copy_athlete(MODEL, names)
    return Day(house, names)


def _few(day: Day) -> Sequence[str]:
    """Those who back-fill, 40 messages each."""
    return day.athletes[: max(1, len(day.athletes) // 40)]


def _each(day: Day, key: str, body: Callable[[int], dict[str, object]]) -> list[Delivery]:
    return [day.house.command(key, {"athlete": one, **body(at)}) for at, one in enumerate(day.athletes)]


def _back_filled(day: Day, key: str, body: Callable[[int], dict[str, object]]) -> Iterator[Delivery]:
    for one in _few(day):
        for ago in range(60, 20, -1):
            yield day.house.command(key, {"athlete": one, **body(ago)})


def _imports(day: Day) -> list[Delivery]:
    made = []
    for one in day.athletes[: len(day.athletes) // 4]:
        sessions = [session(f"i{ago}", ago, hour=15) for ago in range(40, 20, -1)]
        made.append(day.house.command("load.import-sessions", {"athlete": one, "sessions": sessions}))
    return made


CASES: Sequence[Case] = (
    Case("load", "record-session, today", lambda d: _each(d, "load.record-session", lambda _: session("t", 0))),
    Case(
        "load",
        "record-session, back-filled",
        lambda d: list(_back_filled(d, "load.record-session", lambda ago: session(f"b{ago}", ago, hour=11))),
    ),
    Case("load", "import-sessions, 20 each", _imports),
    Case(
        "load",
        "mark-day",
        lambda d: _each(d, "load.mark-day", lambda at: {"date": _day(7).isoformat(), "state": "sick"}),
    ),
    Case(
        "load",
        "remove-session",
        lambda d: _each(d, "load.remove-session", lambda at: {"session": f"s{8 + at % 5}"}),
    ),
    Case("recovery", "record-wellness, today", lambda d: _each(d, "recovery.record-wellness", lambda _: morning(0))),
    Case(
        "recovery",
        "record-wellness, back-filled",
        lambda d: list(
            _back_filled(d, "recovery.record-wellness", lambda ago: {**morning(ago), "sleep_hours": 5 + ago % 4})
        ),
    ),
    Case("recovery", "session-scored", lambda d: d.heard("load record-session, today", "load.session-scored")),
    Case("recovery", "load-assessed", lambda d: d.heard("load record-session, today", "load.load-assessed")),
    Case(
        "recovery",
        "both, of an import",
        lambda d: d.heard("load import-sessions, 20 each", "load.session-scored", "load.load-assessed"),
    ),
    Case("periodization", "load-assessed", lambda d: d.heard("load record-session, today", "load.load-assessed")),
    Case(
        "periodization",
        "readiness-assessed",
        lambda d: d.heard("recovery record-wellness, today", "recovery.readiness-assessed"),
    ),
    Case(
        "scheduling",
        "session-scored, of imports",
        lambda d: d.heard("load import-sessions, 20 each", "load.session-scored"),
    ),
    Case(
        "scheduling",
        "readiness-assessed",
        lambda d: d.heard("recovery record-wellness, today", "recovery.readiness-assessed"),
    ),
)
NIGHT: Sequence[Night] = (
    Night("load", "assess-after-midnight"),
    Night("periodization", "replan-due"),
)
