"""Breaks, races, returns and silence: they are states with a date, and no alarm comes of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.load.domain import LoadAssessment, daily_loads, load_history, score_sessions
from shared.messages.values import DoneSession
from tests.unit.services.load.series import UTC_ZONE, assessed, daily, day

Settings = Mapping[str, Any]
WEEK = [300.0, 0.0, 200.0, 0.0, 250.0, 0.0, 400.0]
USUAL = WEEK * 10
OFF = [0.0] * 21


def told(run: list[float | None], settings: Settings, **more: Any) -> tuple[str | None, str | None]:
    found = assessed(run, settings, **more)
    return found.lapse.name if found.lapse else None, found.streams["run"].band


def share_of(week: list[float], share: float) -> list[float]:
    return [share * load for load in week]


def test_three_weeks_off_and_a_graded_return_are_no_danger(settings: Settings) -> None:
    run = USUAL + OFF + share_of(WEEK, 0.5) + share_of(WEEK, 0.75) + WEEK * 6
    history = load_history(daily(run), [day(index) for index in range(70, len(run))], settings)
    bands = {found.streams[name].band for found in history.values() for name in ("run", "combined")}
    assert bands <= {"under-load", "optimal", None}
    assert all(not found.alerts for found in history.values())
    names = [history[day(index)].lapse for index in (70, 80, 90, 91, 98, 120, 144)]
    assert [one and one.name for one in names] == [None, "break", "break", "returning", "returning", "returning", None]
    assert names[1] is not None and names[3] is not None
    assert (names[1].since, names[3].since) == (day(70), day(91))
    assert history[day(120)].lapse == names[5] and names[5] is not None and names[5].until is not None
    assert history[day(111)].streams["run"].status == "return-from-break"
    assert history[day(111)].streams["run"].coupled == pytest.approx(sum(WEEK) / 7 / (2.25 * sum(WEEK) / 28))


def test_more_than_was_usual_is_a_spike_after_a_break_too(settings: Settings) -> None:
    assert told([*USUAL, *OFF, *share_of(WEEK * 2, 2)], settings) == ("returning", "danger")


def test_the_usual_band_is_untouched_without_a_lapse(settings: Settings) -> None:
    assert told([*USUAL, *share_of(WEEK, 2)], settings) == (None, "danger")


def raced(race_minutes: float, settings: Settings) -> LoadAssessment:
    """Ten usual weeks of an hour's run every other day; a race on the last day."""
    sessions = [
        DoneSession(id=f"s{index}", kind="run", type="easy", start=_at(index), duration_min=60, rpe=4)
        for index in range(0, 68, 2)
    ]
    sessions.append(DoneSession(id="race", kind="run", type="race", start=_at(69), duration_min=race_minutes, rpe=9))
    daily_of = daily_loads(score_sessions(sessions, None, settings), (), (), UTC_ZONE, day(69))
    return load_history(daily_of, [day(69)], settings)[day(69)]


def _at(index: int) -> datetime:
    return datetime.combine(day(index), datetime.min.time(), UTC) + timedelta(hours=9)


def test_a_long_race_is_no_step_of_training(settings: Settings) -> None:
    marathon = raced(220, settings)
    assert (marathon.streams["run"].band, marathon.alerts[0].code) == ("optimal", "long-run-spike")
    assert marathon.lapse is not None
    assert (marathon.lapse.name, marathon.lapse.since, marathon.lapse.until) == ("race-recovery", day(69), day(75))
    assert marathon.streams["run"].coupled is not None and marathon.streams["run"].coupled > 1.5


@pytest.mark.parametrize(
    ("silent", "state", "band", "as_of"),
    [(0, None, "danger", None), (3, None, "danger", 76), (6, None, "danger", 76), (7, "not-recording", None, None)],
)
def test_a_band_stands_with_its_date_until_nobody_records_any_more(
    silent: int, state: str | None, band: str | None, as_of: int | None, settings: Settings
) -> None:
    found = assessed([*USUAL, *share_of(WEEK, 2.2)], settings, through=day(76 + silent))
    run = found.streams["run"]
    assert (found.lapse.name if found.lapse else None, run.band) == (state, band)
    assert run.as_of == (None if as_of is None else day(as_of))
    assert ("as_of" in run.as_json()) == (as_of is not None)


def test_eleven_months_after_the_last_record_fitness_is_unknown(settings: Settings) -> None:
    for silent, known in ((28, True), (29, False), (330, False)):
        run = assessed(list(USUAL), settings, through=day(69 + silent)).streams["run"]
        assert ((run.ctl is not None), (run.atl is not None), (run.tsb is not None)) == (known, known, known)
