"""Load figures that can be worked out by hand or are printed in a paper."""

import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract.commands import ask

FIRST = date(2026, 1, 1)


def loads(run: list[float | None], lift: list[float | None] | None = None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for index, value in enumerate(run):
        if value is None:
            continue
        row: dict[str, Any] = {"date": (FIRST + timedelta(days=index)).isoformat(), "run": value}
        if lift is not None and lift[index] is not None:
            row["lift"] = lift[index]
        rows.append(row)
    return rows


def load(folder: Path, rows: list[dict[str, Any]], on: date | None = None) -> dict[str, Any]:
    document = {"athlete": {"id": "a1", "timezone": "Europe/Berlin"}, "daily_load": rows}
    return ask("load", document, folder, *(["--on", on.isoformat()] if on else []))


@pytest.mark.parametrize(
    ("series", "ratio", "band"),
    [
        ([60.0] * 21 + [45.0] * 7, 0.8, "optimal"),
        ([45.0] * 21 + [65.0] * 7, 1.3, "optimal"),
        ([50.0] * 21 + [90.0] * 7, 1.5, "caution"),
        ([50.0] * 21 + [91.0] * 7, 91 * 4 / (3 * 50 + 91), "danger"),
        ([50.0] * 21 + [38.0] * 7, 38 * 4 / (3 * 50 + 38), "optimal"),
        ([50.0] * 21 + [36.0] * 7, 36 * 4 / (3 * 50 + 36), "under-load"),
    ],
)
def test_band_edges_are_inclusive_and_exactly_one_and_a_half_is_caution(
    tmp_path: Path, series: list[float | None], ratio: float, band: str
) -> None:
    run = load(tmp_path, loads(series))["streams"]["run"]
    assert run["acwr"]["coupled"] == pytest.approx(ratio, abs=1e-9)
    assert (run["band"], run["status"]) == (band, "ok")


def test_coupled_uncoupled_acute_and_chronic(tmp_path: Path) -> None:
    run = load(tmp_path, loads([50.0] * 28 + [100.0] * 7))["streams"]["run"]
    assert run["acute"] == pytest.approx(100)
    assert run["chronic"] == pytest.approx((21 * 50 + 7 * 100) / 28)
    assert run["acwr"]["uncoupled"] == pytest.approx(2.0)


def test_a_spike_shows_in_its_stream_though_the_sum_is_flat(tmp_path: Path) -> None:
    run: list[float | None] = [20.0] * 21 + [80.0] * 7
    lift: list[float | None] = [80.0] * 21 + [20.0] * 7
    answer = load(tmp_path, loads(run, lift))
    assert answer["streams"]["combined"]["band"] == "optimal"
    assert answer["streams"]["run"]["band"] == "danger"
    assert [a["stream"] for a in answer["alerts"]] == ["run"]


def test_fewer_than_28_days_is_provisional_with_ratios_and_no_band(tmp_path: Path) -> None:
    run = load(tmp_path, loads([50.0] * 27))["streams"]["run"]
    assert run["status"] == "provisional"
    assert run["band"] is None
    assert run["acwr"]["coupled"] is not None


def test_return_from_break_has_no_number(tmp_path: Path) -> None:
    run = load(tmp_path, loads([0.0] * 28 + [60.0] * 3))["streams"]["run"]
    assert run["status"] == "return-from-break"
    assert run["acwr"] == {"coupled": None, "uncoupled": None, "ewma": None}


def test_unknown_days_are_left_out_of_the_means_and_named(tmp_path: Path) -> None:
    series: list[float | None] = [50.0] * 28
    series[10] = None
    run = load(tmp_path, loads(series))["streams"]["run"]
    assert run["status"] == "incomplete"
    assert run["band"] is None
    assert run["chronic"] == pytest.approx(50)
    assert run["acwr"]["coupled"] == pytest.approx(1.0)


def test_too_few_known_days_give_no_ratio(tmp_path: Path) -> None:
    series: list[float | None] = [50.0] * 28
    series[23:27] = [None] * 4
    run = load(tmp_path, loads(series))["streams"]["run"]
    assert run["acwr"]["coupled"] is None
    assert run["status"] == "incomplete"


def test_days_after_the_last_record_are_unknown(tmp_path: Path) -> None:
    on = FIRST + timedelta(days=30)
    assert load(tmp_path, loads([50.0] * 28), on)["streams"]["run"]["status"] == "incomplete"


def test_monotony_strain_and_fitness(tmp_path: Path) -> None:
    week = [0.0, 80.0, 40.0, 0.0, 90.0, 60.0, 80.0]
    run = load(tmp_path, loads([0.0] * 21 + week))["streams"]["run"]
    assert run["monotony"] == pytest.approx(1.3207, abs=1e-4)
    assert run["strain"] == pytest.approx(462.24, abs=1e-2)
    steady = load(tmp_path, loads([100.0] * 42))["streams"]["run"]
    assert steady["ctl"] == pytest.approx(100 * (1 - math.exp(-1)), abs=1e-9)
    yesterday = [100 * (1 - math.exp(-41 / tau)) for tau in (42, 7)]
    assert steady["tsb"] == pytest.approx(yesterday[0] - yesterday[1], abs=1e-9)


def test_streams_of_sessions_on_the_athletes_own_day(tmp_path: Path) -> None:
    """23:30 in Berlin belongs to that date though it is the next day in Auckland and the same in UTC."""
    document = {
        "athlete": {"id": "a1", "timezone": "Europe/Berlin"},
        "sessions": [
            {"id": "r", "start": "2026-03-02T22:45:00Z", "duration_min": 60, "kind": "run", "type": "easy", "rpe": 5},
            {"id": "l", "start": "2026-03-03T07:00:00+01:00", "duration_min": 30, "kind": "lift", "rpe": 8},
            {"id": "o", "start": "2026-03-03T12:00:00+01:00", "duration_min": 90, "kind": "other", "mode": "bike",
             "rpe": 4},
        ],
    }  # fmt: skip
    second = ask("load", document, tmp_path)
    assert second["date"] == "2026-03-03"
    assert {name: s["load"] for name, s in second["streams"].items()} == {"run": 0, "lift": 240, "combined": 600}
    first = ask("load", document, tmp_path, "--on", "2026-03-02")
    assert first["streams"]["run"]["load"] == 300


def test_no_records_is_no_data(tmp_path: Path) -> None:
    document = {"athlete": {"id": "a1", "timezone": "UTC"}, "season": {"start": "2026-03-02", "weeks": 4,
                "week_template": {"run_minutes": 100}}}  # fmt: skip
    answer = ask("load", document, tmp_path)
    assert answer["date"] == "2026-03-02"
    assert {s["status"] for s in answer["streams"].values()} == {"no-data"}
    assert answer["streams"]["run"]["acute"] is None
