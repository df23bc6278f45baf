"""Which day a session belongs to, and what a day without one means."""

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.load.domain import assess_load, daily_loads, score_sessions
from shared.messages.values import DayLoad, DoneSession, MarkedDay
from tests.unit.services.load.series import UTC_ZONE, day

Settings = Mapping[str, Any]
BERLIN = ZoneInfo("Europe/Berlin")


def run_at(start: str, identity: str = "s", minutes: float = 60, **more: Any) -> DoneSession:
    return DoneSession(id=identity, start=start, duration_min=minutes, kind="run", rpe=1, **more)


@pytest.mark.parametrize(
    ("zone", "start", "local"),
    [
        ("Europe/Berlin", "2026-03-02T22:59:00Z", date(2026, 3, 2)),
        ("Europe/Berlin", "2026-03-02T23:00:00Z", date(2026, 3, 3)),
        ("Europe/Berlin", "2026-03-29T21:59:00Z", date(2026, 3, 29)),
        ("Europe/Berlin", "2026-03-29T22:00:00Z", date(2026, 3, 30)),
        ("Europe/Berlin", "2026-10-25T22:30:00Z", date(2026, 10, 25)),
        ("Pacific/Auckland", "2026-03-02T11:00:00Z", date(2026, 3, 3)),
        ("America/Los_Angeles", "2026-03-02T07:59:00Z", date(2026, 3, 1)),
        ("Pacific/Kiritimati", "2028-02-28T10:00:00Z", date(2028, 2, 29)),
    ],
)
def test_a_session_belongs_to_the_athletes_own_date_of_its_start(
    zone: str, start: str, local: date, settings: Settings
) -> None:
    daily = daily_loads(score_sessions([run_at(start)], None, settings), (), (), ZoneInfo(zone), local)
    assert (daily.first, daily.run.tolist()) == (local, [60.0])


def test_a_session_over_midnight_counts_on_the_day_it_began(settings: Settings) -> None:
    scored = score_sessions([run_at("2026-03-02T23:30:00+01:00", minutes=120)], None, settings)
    daily = daily_loads(scored, (), (), BERLIN, date(2026, 3, 3))
    assert daily.run[0] == 120
    assert np.isnan(daily.run[1])


def test_days_of_23_and_25_hours_are_days(settings: Settings) -> None:
    for first in (date(2026, 3, 28), date(2026, 10, 24)):
        scored = score_sessions(
            [run_at(f"{first + timedelta(days=n)}T12:00:00Z", f"s{n}") for n in range(3)], None, settings
        )
        assert daily_loads(scored, (), (), BERLIN, first + timedelta(days=2)).run.tolist() == [60, 60, 60]


def test_between_records_a_day_is_rest_and_after_the_last_it_is_unknown(settings: Settings) -> None:
    scored = score_sessions([run_at(f"{day(n)}T12:00:00Z", f"s{n}") for n in (0, 3)], None, settings)
    daily = daily_loads(scored, (), (), UTC_ZONE, day(5))
    assert daily.run[:4].tolist() == [60, 0, 0, 60]
    assert np.isnan(daily.run[4:]).all()
    assert daily.states == (None, "rest", "rest", None, "unknown", "unknown")


def test_a_date_missing_in_ready_made_loads_is_unknown() -> None:
    loads = [DayLoad(date=day(n), run=50) for n in (0, 1, 3)]
    daily = daily_loads((), loads, (), UTC_ZONE, day(3))
    assert daily.states == (None, None, "unknown", None)
    assert np.isnan(daily.combined[2])


def test_ready_made_loads_may_come_before_sessions(settings: Settings) -> None:
    scored = score_sessions([run_at(f"{day(5)}T12:00:00Z")], None, settings)
    daily = daily_loads(scored, [DayLoad(date=day(n), lift=10) for n in (0, 1)], (), UTC_ZONE, day(5))
    assert daily.combined.tolist() == [10, 10, 0, 0, 0, 60]


@pytest.mark.parametrize(("state", "load"), [("rest", 0.0), ("sick", 0.0), ("travel", 0.0), ("unknown", None)])
def test_a_mark_says_what_a_day_without_a_record_was(state: Any, load: float | None, settings: Settings) -> None:
    scored = score_sessions([run_at(f"{day(n)}T12:00:00Z", f"s{n}") for n in (0, 2)], None, settings)
    daily = daily_loads(scored, (), [MarkedDay(date=day(1), state=state)], UTC_ZONE, day(2))
    assert daily.state(day(1)) == state
    assert (None if np.isnan(daily.run[1]) else daily.run[1]) == load


def test_a_mark_never_hides_what_was_recorded_except_that_more_is_unknown(settings: Settings) -> None:
    scored = score_sessions([run_at(f"{day(0)}T12:00:00Z")], None, settings)
    sick = daily_loads(scored, (), [MarkedDay(date=day(0), state="sick")], UTC_ZONE, day(0))
    assert sick.run.tolist() == [60]
    unknown = daily_loads(scored, (), [MarkedDay(date=day(0), state="unknown")], UTC_ZONE, day(0))
    assert np.isnan(unknown.run[0])


def test_a_marked_rest_day_after_the_last_session_is_known(settings: Settings) -> None:
    scored = score_sessions([run_at(f"{day(0)}T12:00:00Z")], None, settings)
    daily = daily_loads(scored, (), [MarkedDay(date=day(2), state="rest")], UTC_ZONE, day(3))
    assert daily.states == (None, "rest", "rest", "unknown")


@given(st.integers(0, 2**32), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 23)), min_size=1, max_size=30))
def test_the_order_of_records_changes_nothing(settings: Settings, seed: int, starts: list[tuple[int, int]]) -> None:
    sessions = [
        run_at((datetime(2026, 1, 1, hour, tzinfo=UTC) + timedelta(days=days)).isoformat(), f"s{n}", 30 + n / 7)
        for n, (days, hour) in enumerate(starts)
    ]
    loads = [DayLoad(date=day(n), lift=n / 3) for n in range(0, 40, 3)]
    marks = [MarkedDay(date=day(n), state=state) for n, state in ((3, "sick"), (9, "unknown"), (20, "travel"))]
    expected = assess_load(
        daily_loads(score_sessions(sessions, None, settings), loads, marks, BERLIN, day(41)), day(41), settings
    )
    shuffler = random.Random(seed)
    for rows in (sessions, loads, marks):
        shuffler.shuffle(rows)
    again = assess_load(
        daily_loads(score_sessions(sessions, None, settings), loads, marks, BERLIN, day(41)), day(41), settings
    )
    assert again == expected
