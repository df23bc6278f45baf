"""Records that cannot be so: shown, set aside from the sums, and counted once somebody confirms them."""

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from services.load.domain import LoadSeries, daily_loads, score_sessions
from services.load.domain.quality import Screened, screened
from services.load.domain.settings import LoadSettings
from shared.messages.values import DayLoad, DoneSession
from tests.unit.services.load.series import UTC_ZONE

Settings = Mapping[str, Any]
FIRST = datetime(2026, 3, 2, 7, tzinfo=UTC)


def run(identity: str, days: float = 0, hours: float = 0, **more: Any) -> DoneSession:
    shape = {"duration_min": 45, "rpe": 3, "distance_km": 8.01, "kind": "run", **more}
    return DoneSession(id=identity, start=FIRST + timedelta(days=days, hours=hours), **shape)


def screen(sessions: list[DoneSession], settings: Settings, *loads: DayLoad) -> Screened:
    scored = score_sessions(sessions, None, settings)
    return screened(scored, {one.id: one.day_in(UTC_ZONE) for one in scored}, loads, LoadSettings.of(settings))


def told(sessions: list[DoneSession], settings: Settings, *loads: DayLoad) -> list[tuple[str, str | None]]:
    return [(doubt.code, doubt.session) for doubt in screen(sessions, settings, *loads).doubts]


@pytest.mark.parametrize("hours", [1, 7, 14])
def test_a_copy_shifted_by_whole_hours_counts_once(hours: int, settings: Settings) -> None:
    sessions = [run("watch"), run("phone", hours=hours)]
    assert told(sessions, settings) == [("probable-copy", "phone")]
    quality = screen(sessions, settings)
    daily = daily_loads(score_sessions(sessions, None, settings), (), (), UTC_ZONE, FIRST.date(), quality)
    assert daily.run.tolist() == [135]
    assert daily.overlaps == ()


@pytest.mark.parametrize(
    "other",
    [
        run("b", hours=15),
        run("b", hours=1.5),
        run("b", hours=7, distance_km=8.2),
        run("b", hours=7, duration_min=48),
        run("b", hours=7, kind="other", distance_km=8.01),
        run("b", hours=7, confirmed=True),
    ],
    ids=["too far", "no whole hour", "another distance", "another length", "another kind", "confirmed"],
)
def test_a_second_session_is_no_copy(other: DoneSession, settings: Settings) -> None:
    assert told([run("a"), other], settings) == []


def test_two_hours_of_the_same_length_without_a_distance_are_two_sessions(settings: Settings) -> None:
    assert told([run("a", distance_km=None), run("b", hours=9, distance_km=None)], settings) == []


def test_of_two_records_of_one_time_the_one_with_a_distance_counts(settings: Settings) -> None:
    assert told([run("a", distance_km=None), run("b", hours=0.05, duration_min=47)], settings) == [
        ("probable-copy", "a")
    ]


def test_metres_given_as_kilometres_are_told_and_the_minutes_count(settings: Settings) -> None:
    sessions = [run("a", distance_km=8010)]
    (doubt,) = screen(sessions, settings).doubts
    assert (doubt.code, doubt.set_aside) == ("unit-mixed-up", ("distance_km",))
    assert "read as metres it is 8.01 km" in doubt.text
    quality = screen(sessions, settings)
    daily = daily_loads(score_sessions(sessions, None, settings), (), (), UTC_ZONE, FIRST.date(), quality)
    assert (daily.run.tolist(), daily.runs[FIRST.date()][0].distance_km) == ([135], None)


def test_a_watch_left_running_costs_something_unknown_and_is_no_longest_run(settings: Settings) -> None:
    sessions = [run("a", duration_min=900, distance_km=3)]
    quality = screen(sessions, settings)
    assert told(sessions, settings) == [("watch-left-running", "a")]
    daily = daily_loads(score_sessions(sessions, None, settings), (), (), UTC_ZONE, FIRST.date(), quality)
    assert np.isnan(daily.run[0])
    assert np.isnan(daily.combined[0])
    assert daily.lift[0] == 0
    assert daily.runs == {}
    answer = LoadSeries(daily, settings).assess(FIRST.date()).as_json()
    assert answer["streams"]["run"]["load"] is None
    assert answer["quality"][0]["where"] == {"date": "2026-03-02", "session": "a"}


def test_an_effort_of_zero_is_none_given(settings: Settings) -> None:
    sessions = [run("a", rpe=0, type="tempo")]
    assert told(sessions, settings) == [("zero-means-unknown", "a")]
    (scored,) = score_sessions(sessions, None, settings)
    assert (scored.load > 0, scored.method, "rpe" in scored.missing) == (True, "default-effort", True)


def test_a_year_typed_wrong_is_set_aside(settings: Settings) -> None:
    month = [run(f"r{day}", days=2 * day, distance_km=8 + day / 10) for day in range(10)]
    wrong = run("wrong", days=5 - 365)
    assert told([*month, wrong], settings) == [("year-mistyped", "wrong")]
    assert told([*month, run("old", days=-500)], settings) == []


def test_a_day_summed_twice_counts_once_and_other_parts_add_up(settings: Settings) -> None:
    on = FIRST.date()
    loads = [DayLoad(date=on, run=140, lift=80)]
    quality = screen([run("a")], settings, *loads)
    assert [(doubt.code, doubt.day, doubt.set_aside) for doubt in quality.doubts] == [("load-twice", on, ("run",))]
    scored = score_sessions([run("a")], None, settings)
    daily = daily_loads(scored, loads, (), UTC_ZONE, on, quality)
    assert (daily.run.tolist(), daily.lift.tolist()) == ([135], [80])


def test_the_order_of_records_and_a_copy_change_no_figure(settings: Settings) -> None:
    month = [run(f"r{day}", days=day, distance_km=6 + day / 7, duration_min=35 + day) for day in range(0, 28, 2)]
    copies = [one.model_copy(update={"id": f"z{one.id}", "start": one.start + timedelta(hours=2)}) for one in month[:5]]

    def figures(sessions: list[DoneSession]) -> Any:
        scored = score_sessions(sessions, None, settings)
        quality = screen(sessions, settings)
        daily = daily_loads(scored, (), (), UTC_ZONE, date(2026, 3, 29), quality)
        return [LoadSeries(daily, settings).assess(date(2026, 3, 29)).as_json()[key] for key in ("streams", "alerts")]

    shuffled = [*month, *copies]
    random.Random(7).shuffle(shuffled)
    assert figures(shuffled) == figures(month)


def test_at_most_twenty_are_told(settings: Settings) -> None:
    sessions = [run(f"r{day}", days=day, rpe=0) for day in range(25)]
    daily = daily_loads(
        score_sessions(sessions, None, settings), (), (), UTC_ZONE, date(2026, 3, 26), screen(sessions, settings)
    )
    answer = LoadSeries(daily, settings).assess(date(2026, 3, 26)).as_json()
    assert (len(answer["quality"]), answer["quality_more"]) == (20, 5)
