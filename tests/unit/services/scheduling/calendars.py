"""Short ways to write sessions, windows and weeks in tests, and hypothesis strategies for them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from shared.contract.words import WEEKDAYS
from shared.messages.values import PlannedSession, Window

RUN_TYPES = ("recovery", "easy", "long", "tempo", "threshold", "intervals", "hills", "race")
PRIORITIES = ("strength", "hypertrophy", "endurance", "balanced")


def lift(name: str, minutes: float = 60, region: Any = "lower", effort: Any = "heavy", **more: Any) -> PlannedSession:
    return PlannedSession(id=name, kind="lift", duration_min=minutes, region=region, effort=effort, **more)


def run(name: str, minutes: float = 40, type: Any = "easy", **more: Any) -> PlannedSession:
    return PlannedSession(id=name, kind="run", duration_min=minutes, type=type, **more)


def walk(name: str, minutes: float = 30, **more: Any) -> PlannedSession:
    return PlannedSession(id=name, kind="other", mode="walk", duration_min=minutes, **more)


def at(session: PlannedSession, start: str | datetime) -> PlannedSession:
    when = datetime.fromisoformat(start) if isinstance(start, str) else start
    return session.model_copy(update={"start": when})


def windows(*times: tuple[str, str], days: Iterable[str] = WEEKDAYS) -> list[Window]:
    return [Window.model_validate({"day": day, "from": a, "to": b}) for day in days for a, b in times]


def plain(sessions: Iterable[PlannedSession]) -> list[dict[str, Any]]:
    """As the independent checker reads them."""
    return [session.model_dump(exclude_none=True) for session in sessions]


@st.composite
def tagged_sessions(draw: st.DrawFn, name: str) -> PlannedSession:
    kind = draw(st.sampled_from(("run", "run", "lift", "lift", "other")))
    minutes = draw(st.sampled_from((15, 20, 25, 40, 60, 95)))
    if kind == "run":
        return run(name, minutes, draw(st.sampled_from(RUN_TYPES)), key=draw(st.booleans()))
    if kind == "lift":
        region = draw(st.sampled_from(("lower", "upper", "full")))
        return lift(name, minutes, region, draw(st.sampled_from(("light", "moderate", "heavy", "max"))))
    return walk(name, minutes)


def weeks(most: int) -> st.SearchStrategy[list[PlannedSession]]:
    """Up to ``most`` sessions to be placed."""
    return (
        st.integers(1, most)
        .flatmap(lambda count: st.tuples(*(tagged_sessions(f"s{i}") for i in range(count))))
        .map(list)
    )
