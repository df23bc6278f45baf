"""What deserves a word: each stream's own spike, a run too long too soon, a session recorded twice."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.load.domain import LoadAssessment, assess_load, daily_loads, score_sessions
from shared.messages.values import DoneSession
from tests.unit.services.load.series import UTC_ZONE, assessed, day

Settings = Mapping[str, Any]


def codes(assessment: LoadAssessment) -> list[tuple[str, str]]:
    return [(alert.code, alert.stream) for alert in assessment.alerts]


def test_a_streams_spike_shows_though_the_sum_is_flat(settings: Settings) -> None:
    found = assessed([20.0] * 21 + [80.0] * 7, settings, lift=[80.0] * 21 + [20.0] * 7)
    assert found.streams["combined"].coupled == pytest.approx(1.0)
    assert codes(found) == [("load-danger", "run")]
    assert "80 AU a day over 7 days, 35 over 28 (ratio 2.29)" in found.alerts[0].message


def test_the_message_promises_nothing_about_injury(settings: Settings) -> None:
    for alert in assessed([20.0] * 21 + [80.0] * 7, settings).alerts:
        assert "injur" not in alert.message.lower()
        assert "risk" not in alert.message.lower()


def test_caution_is_said_and_is_no_spike(settings: Settings) -> None:
    found = assessed([50.0] * 21 + [90.0] * 7, settings)
    assert codes(found) == [("load-caution", "run"), ("load-caution", "combined")]
    assert found.spikes == ()


@pytest.mark.parametrize("series", [[50.0] * 28, [50.0] * 21 + [10.0] * 7, [10.0] * 20 + [90.0] * 7])
def test_no_alert_within_bounds_or_without_a_band(series: list[float], settings: Settings) -> None:
    assert assessed(series, settings).alerts == ()


def run(index: int, minutes: float, km: float | None = None, hour: int = 7, identity: str | None = None) -> DoneSession:
    start = f"{day(index).isoformat()}T{hour:02d}:00:00Z"
    name = identity or f"d{index}h{hour}"
    return DoneSession(id=name, start=start, duration_min=minutes, kind="run", type="long", rpe=3, distance_km=km)


def on_day(index: int, sessions: list[DoneSession], settings: Settings) -> LoadAssessment:
    daily = daily_loads(score_sessions(sessions, None, settings), (), (), UTC_ZONE, day(index))
    return assess_load(daily, day(index), settings)


@pytest.mark.parametrize(
    ("earlier", "today", "alerted"),
    [
        ((100, None), (110, None), False),
        ((100, None), (111, None), True),
        ((100, 20.0), (90, 22.0), False),
        ((100, 20.0), (90, 22.1), True),
        ((100, None), (90, 40.0), False),
    ],
)
def test_a_run_of_more_than_110_percent_of_the_longest_in_30_days(
    earlier: tuple[float, float | None], today: tuple[float, float | None], alerted: bool, settings: Settings
) -> None:
    found = on_day(30, [run(0, *earlier), run(30, *today)], settings)
    assert (("long-run-spike", "run") in codes(found)) == alerted


def test_a_run_31_days_ago_is_not_compared_with(settings: Settings) -> None:
    assert on_day(31, [run(0, 50), run(31, 100)], settings).alerts == ()


def test_the_spiking_session_is_named(settings: Settings) -> None:
    (alert,) = on_day(5, [run(0, 50), run(5, 100)], settings).alerts
    assert alert.sessions == ("d5h7",)
    assert alert.as_json()["sessions"] == ["d5h7"]
    assert "100 min is 100% longer" in alert.message


def test_overlapping_sessions_count_and_are_told_as_possible_duplicates(settings: Settings) -> None:
    found = on_day(0, [run(0, 90, hour=7, identity="watch"), run(0, 60, hour=8, identity="phone")], settings)
    assert found.streams["run"].load == 450
    assert ("possible-duplicate", "run") in codes(found)
    assert found.alerts[-1].sessions == ("watch", "phone")
    touching = on_day(0, [run(0, 60, hour=7), run(0, 60, hour=8)], settings)
    assert ("possible-duplicate", "run") not in codes(touching)


def test_an_overlap_is_told_while_it_weighs_on_the_figures(settings: Settings) -> None:
    pair = [run(0, 90, hour=7, identity="watch"), run(0, 60, hour=8, identity="phone")]
    for index, told in ((27, True), (28, False)):
        found = on_day(index, [*pair, run(index, 60)], settings)
        assert (("possible-duplicate", "run") in codes(found)) == told
