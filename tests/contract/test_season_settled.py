"""Season weeks worked out by hand from the contract."""

from pathlib import Path
from typing import Any

import pytest

from tests.contract.commands import ask

TEMPLATE = {
    "run_minutes": 240, "long_run_minutes": 90, "quality_runs": 1, "lifts": 3, "lower_sets": 16, "upper_sets": 18,
}  # fmt: skip


def weeks(folder: Path, count: int, goals: list[dict[str, Any]] | None = None, **more: Any) -> list[dict[str, Any]]:
    document = {
        "athlete": {"id": "a1", "timezone": "UTC"},
        "season": {"start": "2026-03-02", "weeks": count, "week_template": TEMPLATE},
        "goals": goals or [],
        **more,
    }
    found = ask("season", document, folder)["weeks"]
    assert [w["number"] for w in found] == list(range(1, count + 1))
    return found  # type: ignore[no-any-return]


def test_without_a_race_minutes_hold_and_every_fourth_week_is_a_deload(tmp_path: Path) -> None:
    found = weeks(tmp_path, 8)
    assert [w["deload"] for w in found] == [False, False, False, True] * 2
    assert [w["run_minutes"] for w in found] == pytest.approx([240, 240, 240, 180] * 2)
    assert [w["lower_sets"] for w in found][2:4] == pytest.approx([16, 8.8])
    assert [w["upper_sets"] for w in found][2:4] == pytest.approx([18, 9.9])
    assert {w["lift_sessions"] for w in found} == {3}
    assert found[3]["phase"] == "deload"
    assert found[3]["reasons"]


def test_towards_a_race_minutes_grow_six_per_cent_to_at_most_130(tmp_path: Path) -> None:
    found = weeks(tmp_path, 16, [{"id": "g", "kind": "race", "class": "A", "date": "2026-06-21", "distance_km": 21.1}])
    building = [w["run_minutes"] for w in found[:3]]
    assert building == pytest.approx([240, 240 * 1.06, 240 * 1.06**2])
    assert found[3]["deload"]
    assert max(w["run_minutes"] for w in found) <= 240 * 1.3 + 1e-9
    assert found[4]["run_minutes"] >= found[2]["run_minutes"] - 1e-9


def test_an_a_race_has_two_taper_weeks_of_half_the_minutes_and_30_then_50_per_cent_of_the_sets(tmp_path: Path) -> None:
    found = weeks(tmp_path, 10, [{"id": "g", "kind": "race", "class": "A", "date": "2026-05-10", "distance_km": 21.1}])
    before, first, second = found[7], found[8], found[9]
    assert [w["phase"] for w in (first, second)] in (["taper", "race"], ["taper", "taper"])
    full = max(w["run_minutes"] for w in found)
    assert (first["run_minutes"] + second["run_minutes"]) / 2 == pytest.approx(0.5 * full, rel=0.02)
    assert first["run_minutes"] > second["run_minutes"]
    assert (first["upper_sets"], second["upper_sets"]) == (pytest.approx(18 * 0.7), pytest.approx(18 * 0.5))
    assert not first["deload"] and not second["deload"], f"a taper wins over a deload: {before}"


def test_a_b_race_has_one_taper_week_and_a_c_race_none(tmp_path: Path) -> None:
    found = weeks(tmp_path, 6, [{"id": "g", "kind": "race", "class": "B", "date": "2026-04-12"}])
    assert found[5]["run_minutes"] == pytest.approx(found[4]["run_minutes"] * 0.7, rel=0.07)
    c_race = weeks(tmp_path, 6, [{"id": "g", "kind": "race", "class": "C", "date": "2026-04-12"}])
    assert c_race[5]["run_minutes"] >= c_race[4]["run_minutes"] * 0.99


def test_a_strength_test_takes_30_per_cent_of_minutes_and_half_the_sets(tmp_path: Path) -> None:
    found = weeks(tmp_path, 6, [{"id": "g", "kind": "strength", "class": "A", "date": "2026-04-10", "lift": "squat"}])
    assert found[5]["run_minutes"] == pytest.approx(240 * 0.7)
    assert found[5]["lower_sets"] == pytest.approx(8)
    assert found[5]["upper_sets"] == pytest.approx(9)


def test_peak_mileage_weeks_keep_upper_sets_and_cut_lower_ones(tmp_path: Path) -> None:
    found = weeks(tmp_path, 16, [{"id": "g", "kind": "race", "class": "A", "date": "2026-06-21", "distance_km": 21.1}])
    peaks = [w for w in found if any("peak mileage week" in reason for reason in w["reasons"])]
    assert peaks
    for week in peaks:
        assert week["lower_sets"] == pytest.approx(16 * 0.6)
        assert week["upper_sets"] == pytest.approx(18)


def test_most_running_is_easy(tmp_path: Path) -> None:
    assert all(w["easy_share"] >= 0.8 for w in weeks(tmp_path, 12))


def test_an_early_deload_follows_its_trigger_and_the_clock_starts_again(tmp_path: Path) -> None:
    """Runs jump in week 2 so that the run stream is in the danger band, and the legs ache; week 3 is the deload, the
    next is week 7. The ratio alone deloads nobody."""
    from datetime import date, timedelta

    first = date(2026, 3, 2) - timedelta(days=28)
    rows, sore = [], []
    for index in range(28 + 14):
        day = (first + timedelta(days=index)).isoformat()
        rows.append({"date": day, "run": 120 if index >= 28 + 7 else 50, "lift": 50})
        sore.append({"date": day, "soreness": 4 if index >= 28 + 7 else 2})
    alone, both = weeks(tmp_path, 8, daily_load=rows), weeks(tmp_path, 8, daily_load=rows, wellness=sore)
    assert [w["number"] for w in alone if w["deload"]] == [4, 8]
    assert [w["number"] for w in both if w["deload"]] == [3, 7]


def test_a_break_and_the_return_from_it_ask_for_no_deload_even_with_a_sign_beside_them(tmp_path: Path) -> None:
    """Six usual weeks, three off, and back as before: the ratio is over 1.5, and the legs ache for once."""
    from datetime import date, timedelta

    first = date(2026, 3, 2) - timedelta(days=28)
    week = (300, 0, 200, 0, 250, 0, 400)
    loads, sore = [], []
    for index in range(84):
        day = (first + timedelta(days=index)).isoformat()
        loads.append({"date": day, "run": 0 if 42 <= index < 63 else week[index % 7]})
        sore.append({"date": day, "soreness": 5 if index >= 70 else 2})
    found = weeks(tmp_path, 12, daily_load=loads, wellness=sore)
    assert [w["number"] for w in found if w["deload"]] == [4, 8, 12]
    assert not [reason for w in found for reason in w["reasons"] if "early" in reason]
