"""Ratios against numbers that somebody else published or computed."""

import csv
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import acwr
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.load.domain import load_history
from services.load.domain.fitness import StartingFitness, fitness, variation
from services.load.domain.ratios import ratios
from services.load.domain.settings import LoadSettings
from shared.rules.decisions import MissingSetting
from tests.unit.services.load.series import FIRST, assessed, daily, day, run_stream

Settings = Mapping[str, Any]
DATA = Path(__file__).resolve().parents[3] / "data"
LOADS = st.lists(st.floats(0, 2000).map(lambda x: round(x, 1)), min_size=28, max_size=120)


def three_athletes() -> dict[str, list[dict[str, str]]]:
    with (DATA / "acwr_R_three_athletes_with_R_outputs.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {athlete: [row for row in rows if row["ID"] == athlete] for athlete in ("1", "2", "3")}


@pytest.mark.parametrize(("athlete", "ewma"), [("1", 1.2497), ("2", 1.4062), ("3", 1.5507)])
def test_williams_published_ratios_of_menaspas_three_athletes(athlete: str, ewma: float, settings: Settings) -> None:
    run = run_stream([float(row["TL"]) for row in three_athletes()[athlete]], settings)
    assert run.ewma == pytest.approx(ewma, abs=5e-5)
    assert run.coupled == pytest.approx(1.43, abs=5e-3)
    assert run.uncoupled == pytest.approx(1.67, abs=5e-3)


def test_every_day_of_the_three_athletes_agrees_with_the_r_package(settings: Settings) -> None:
    for rows in three_athletes().values():
        loads = daily([float(row["TL"]) for row in rows])
        history = load_history(loads, [day(index) for index in range(len(rows))], settings)
        for index, row in enumerate(rows):
            run = history[day(index)].streams["run"]
            assert run.coupled == pytest.approx(float(row["RAC_ACWR"]), abs=0.006), row["Date"]
            assert run.ewma == pytest.approx(float(row["EWMA_ACWR"]), abs=0.006), row["Date"]


@given(LOADS)
def test_the_pypi_package_acwr_agrees(settings: Settings, loads: list[float]) -> None:
    series = pd.Series(loads, index=pd.date_range(FIRST, periods=len(loads)))
    history = load_history(daily(loads), [day(index) for index in range(len(loads))], settings)
    oracle = {method: acwr.acwr(series, method=method) for method in ("rac", "ewma")}
    monotony = acwr.monotony(series)
    for index in range(27, len(loads)):
        run = history[day(index)].streams["run"]
        if run.status == "ok":
            assert run.coupled == pytest.approx(oracle["rac"].iloc[index], rel=1e-9, abs=1e-12)
            assert run.ewma == pytest.approx(oracle["ewma"].iloc[index], rel=1e-9, abs=1e-12)
        if run.variation.monotony is not None:
            assert run.variation.monotony == pytest.approx(monotony.iloc[index], rel=1e-6)


def test_uncoupled_is_right_after_week_four_where_the_r_package_is_wrong(settings: Settings) -> None:
    run = run_stream([50.0] * 28 + [100.0] * 7, settings)
    assert run.uncoupled == pytest.approx(2.0)
    assert run.coupled == pytest.approx(1.6)


@given(LOADS, st.floats(0.001, 1000))
def test_scaling_all_loads_changes_no_ratio_and_no_band(settings: Settings, loads: list[float], scale: float) -> None:
    before, after = run_stream(loads, settings), run_stream([value * scale for value in loads], settings)
    assert (before.status, before.band) == (after.status, after.band)
    for name in ("coupled", "uncoupled", "ewma"):
        figures = getattr(before, name), getattr(after, name)
        assert figures == (None, None) or figures[1] == pytest.approx(figures[0], rel=1e-9, abs=1e-12)
    if before.variation.monotony is not None and before.variation.monotony < 1e6:
        assert after.variation.monotony == pytest.approx(before.variation.monotony, rel=1e-6)


@given(LOADS)
def test_coupled_is_at_most_four_and_fits_uncoupled(settings: Settings, loads: list[float]) -> None:
    for assessment in load_history(daily(loads), [day(index) for index in range(len(loads))], settings).values():
        run = assessment.streams["run"]
        if run.coupled is not None:
            assert run.coupled <= 4 + 1e-9
        if run.status == "ok" and run.uncoupled is not None and run.coupled is not None and run.coupled < 3.99:
            assert run.uncoupled == pytest.approx(3 * run.coupled / (4 - run.coupled), rel=1e-6)


@given(st.lists(st.one_of(st.none(), st.floats(0, 500)), min_size=1, max_size=80))
def test_a_history_is_the_same_as_its_days_one_by_one(settings: Settings, loads: list[float | None]) -> None:
    loads = [0.0, *loads]
    days = [day(index) for index in range(len(loads))]
    history = load_history(daily(loads), days, settings)
    for on in (days[0], days[len(days) // 2], days[-1]):
        alone = load_history(daily(loads), [on], settings)[on]
        assert alone == history[on]


def test_edges_stay_on_their_side_when_the_loads_are_not_exact_in_binary(settings: Settings) -> None:
    for tenth in (0.1, 0.7, 1 / 3, 1e-6):
        bands = [
            run_stream([base * tenth] * 21 + [last * tenth] * 7, settings).band
            for base, last in ((60, 45), (45, 65), (50, 90))
        ]
        assert bands == ["optimal", "optimal", "caution"], tenth


@pytest.mark.parametrize(
    ("series", "status", "given_ratio"),
    [
        ([50.0] * 27, "provisional", True),
        ([50.0] * 28, "ok", True),
        ([50.0] * 10 + [None] + [50.0] * 17, "incomplete", True),
        ([50.0] * 20 + [None] * 3 + [50.0] * 5, "incomplete", True),
        ([50.0] + [None] * 7 + [50.0] * 20, "incomplete", True),
        ([50.0] + [None] * 8 + [50.0] * 19, "incomplete", False),
        ([50.0] * 21 + [None] * 3 + [50.0] * 4, "incomplete", True),
        ([50.0] * 21 + [None] * 4 + [50.0] * 3, "incomplete", False),
        ([50.0] * 10 + [0.0] * 27 + [60.0], "return-from-break", False),
        ([50.0] * 10 + [0.0] * 28, "return-from-break", False),
        ([0.0] * 30, "no-data", False),
    ],
)
def test_statuses(series: list[float | None], status: str, given_ratio: bool, settings: Settings) -> None:
    run = run_stream(series, settings)
    assert run.status == status
    assert (run.coupled is not None) == given_ratio
    assert (run.band is not None) == (status == "ok")


def test_forty_days_without_a_record_are_no_data(settings: Settings) -> None:
    run = run_stream([50.0] * 28, settings, through=day(28 + 40))
    assert (run.status, run.acute, run.coupled) == ("no-data", None, None)
    assert (run.ctl, run.atl, run.tsb) == (None, None, None), "after four weeks nobody knows"
    known = run_stream([50.0] * 28, settings, through=day(28 + 27))
    assert known.ctl == pytest.approx(50 * (1 - np.exp(-28 / 42))), "unknown days are no rest"


def test_a_day_before_the_first_record_has_no_data(settings: Settings) -> None:
    assert assessed([50.0] * 28, settings).date == day(27)
    history = load_history(daily([50.0] * 28), [FIRST - timedelta(days=1)], settings)
    assert {s.status for s in history[FIRST - timedelta(days=1)].streams.values()} == {"no-data"}


def test_an_unknown_day_differs_from_a_rest_day(settings: Settings) -> None:
    rested = run_stream([50.0] * 27 + [0.0] + [50.0] * 6, settings)
    unknown = run_stream([50.0] * 27 + [None] + [50.0] * 6, settings)
    assert (rested.status, unknown.status) == ("ok", "incomplete")
    assert rested.acute is not None and unknown.acute is not None
    assert rested.acute < unknown.acute == pytest.approx(50)


def test_monotony_and_strain() -> None:
    week = variation(np.array([0.0, 80, 40, 0, 90, 60, 80]))
    assert week.monotony == pytest.approx(1.3207, abs=5e-5)
    assert week.strain == pytest.approx(462.24, abs=5e-3)


@pytest.mark.parametrize(
    ("week", "reason"),
    [
        ([50.0] * 7, "no-variation"),
        ([0.1 + 0.2] * 3 + [0.3] * 4, "no-variation"),
        ([0.0] * 7, "no-load"),
        ([1.0, np.nan, 1, 2, 3, 4, 5], "unknown-day"),
        ([1.0, 2, 3], "under-7-days"),
    ],
)
def test_monotony_without_a_number_says_why(week: list[float], reason: str) -> None:
    found = variation(np.array(week))
    assert (found.monotony, found.strain, found.reason) == (None, None, reason)


def test_fitness_after_one_time_constant(settings: Settings) -> None:
    numbers = LoadSettings.of(settings)
    form = fitness(np.full(42, 100.0), numbers)
    assert form.ctl[41] == pytest.approx(63.21, abs=5e-3)
    assert form.atl[6] == pytest.approx(63.21, abs=5e-3)
    assert form.tsb[41] == form.ctl[40] - form.atl[40]
    assert form.tsb[0] == 0


def test_a_starting_fitness_is_where_fitness_starts(settings: Settings) -> None:
    form = fitness(np.full(10, 60.0), LoadSettings.of(settings), StartingFitness(ctl=60, atl=60))
    assert form.ctl == pytest.approx(np.full(10, 60.0))
    assert form.tsb == pytest.approx(np.zeros(10))


def test_bands_follow_the_settings(settings: Settings) -> None:
    series = [50.0] * 21 + [90.0] * 7
    assert run_stream(series, settings).band == "caution"
    assert run_stream(series, {**settings, "load_band_danger_above": 1.45}).band == "danger"


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(MissingSetting, match="load_band_optimal_from"):
        LoadSettings.of({"default_effort": {}})


def test_no_day_at_all_gives_empty_series(settings: Settings) -> None:
    assert len(ratios(np.zeros(0), LoadSettings.of(settings)).coupled) == 0
