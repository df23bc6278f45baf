"""Weeks to place: a hybrid athlete's, from five sessions to ten, and ones that cannot be placed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from services.scheduling.domain.week_plan import WeekInputs
from shared.contract.words import WEEKDAYS
from shared.messages.values import Limits, PlannedSession, Profile, Window

MONDAY = date(2026, 3, 9)
ZONE = ZoneInfo("Europe/Berlin")


def _run(name: str, minutes: float, kind: str, start: str | None = None) -> PlannedSession:
    fields = {"id": name, "kind": "run", "type": kind, "duration_min": minutes, "start": start}
    return PlannedSession.model_validate({k: v for k, v in fields.items() if v is not None})


def _lift(name: str, region: str, effort: str) -> PlannedSession:
    return PlannedSession.model_validate(
        {"id": name, "kind": "lift", "region": region, "effort": effort, "duration_min": 60}
    )


HYBRID: Sequence[PlannedSession] = (
    _lift("squat", "lower", "heavy"),
    _run("easy-1", 35, "easy"),
    _lift("press", "upper", "heavy"),
    _run("intervals", 50, "intervals"),
    _lift("whole", "full", "heavy"),
    _run("easy-2", 30, "easy"),
    _run("long", 90, "long"),
    _lift("row", "upper", "moderate"),
    _run("tempo", 40, "tempo"),
    PlannedSession.model_validate({"id": "walk", "kind": "other", "mode": "walk", "duration_min": 30}),
)


def again(count: int) -> list[PlannedSession]:
    """So many sessions: the hybrid athlete's, a second time somewhat longer."""
    rounds = [divmod(number, len(HYBRID)) for number in range(count)]
    return [
        HYBRID[at].model_copy(
            update={"id": f"{HYBRID[at].id}-{turn}", "duration_min": HYBRID[at].duration_min + 5 * turn}
        )
        for turn, at in rounds
    ]


@dataclass(frozen=True, slots=True)
class Case:
    """One week. ``window`` of local time is open on every day."""

    name: str
    sessions: Sequence[PlannedSession]
    window: tuple[str, str]
    limits: Limits
    expected: str = "planned"

    @property
    def inputs(self) -> WeekInputs:
        opens, closes = self.window
        times = [Window.model_validate({"day": day, "from": opens, "to": closes}) for day in WEEKDAYS]
        return WeekInputs(MONDAY, self.sessions, ZONE, times, self.limits, Profile(timezone=ZONE.key))


ALL_DAY = ("06:00", "21:00")
CASES: Sequence[Case] = (
    Case("5 sessions, all day", HYBRID[:5], ALL_DAY, Limits()),
    Case("7 sessions, 98 starts each", HYBRID[:7], ("06:00", "13:30"), Limits()),
    Case("7 sessions, all day", HYBRID[:7], ALL_DAY, Limits()),
    Case("7 sessions, all day, two rest days", HYBRID[:7], ALL_DAY, Limits(min_rest_days=2)),
    Case("10 sessions, all day", HYBRID, ALL_DAY, Limits()),
    Case("10 sessions, all day, two rest days", HYBRID, ALL_DAY, Limits(min_rest_days=2)),
    Case("14 sessions, all day", again(14), ALL_DAY, Limits(max_sessions_per_day=3)),
    Case("no room: 10 sessions, 4 rest days", HYBRID, ALL_DAY, Limits(min_rest_days=4), "infeasible"),
    Case("no room: 20 sessions", again(20), ALL_DAY, Limits(), "infeasible"),
    Case("no room: 7 sessions, an hour a day", HYBRID[:7], ("06:00", "07:00"), Limits(), "infeasible"),
)
