"""Readiness figures worked out by hand from the contract: factors, score, gate, signs."""

import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract.commands import ask

TODAY = date(2026, 4, 1)


def mornings(days: int, **fields: Any) -> list[dict[str, Any]]:
    """One morning a day, the last of them today; a field may be a function of "days ago"."""
    rows = []
    for ago in range(days - 1, -1, -1):
        row: dict[str, Any] = {"date": (TODAY - timedelta(days=ago)).isoformat()}
        for name, value in fields.items():
            given = value(ago) if callable(value) else value
            if given is not None:
                row[name] = given
        rows.append(row)
    return rows


def readiness(folder: Path, wellness: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    document = {"athlete": {"id": "a1", "timezone": "UTC"}, "wellness": wellness, **more}
    return ask("readiness", document, folder, "--on", TODAY.isoformat())


def factor(answer: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [f for f in answer["factors"] if f["name"] == name]
    return found


def alternating(ago: int) -> float:
    return math.exp(4.0 if ago % 2 else 4.2)


def test_the_hrv_band_lies_around_the_mean_of_the_60_days_before_the_last_7(tmp_path: Path) -> None:
    """Mornings that alternate are each the opposite of the one before: an autocorrelation of -1 in 59 pairs, drawn
    towards 0.3 by 15, is none at all. The week's mean then has a variance of 1/7, the baseline's of 1/60."""
    hrv = factor(readiness(tmp_path, mornings(67, rmssd_ms=lambda ago: alternating(ago) if ago >= 7 else 60.0)), "hrv")
    sd = 0.1 * math.sqrt(60 / 59)
    edge = 2.3 * sd * math.sqrt((1 / 7 + 1 / 60) * 59 / 57)
    assert hrv["low"] == pytest.approx(4.1 - edge, abs=1e-6)
    assert hrv["high"] == pytest.approx(4.1 + edge, abs=1e-6)
    assert hrv["value"] == pytest.approx(math.log(60.0), abs=1e-9)
    assert hrv["score"] == pytest.approx(100 - 50 * (4.1 - math.log(60.0)) / (4.1 - hrv["low"]), abs=1e-6)


def test_hrv_needs_3_valid_mornings_of_7_and_14_of_60(tmp_path: Path) -> None:
    two = mornings(67, rmssd_ms=lambda ago: 60.0 if ago >= 7 or ago < 2 else None)
    assert factor(readiness(tmp_path, two), "hrv")["score"] is None
    thin = mornings(67, rmssd_ms=lambda ago: 60.0 + ago % 3 if ago < 7 + 13 else None)
    assert factor(readiness(tmp_path, thin), "hrv")["score"] is None
    enough = mornings(67, rmssd_ms=lambda ago: 60.0 + ago % 3 if ago < 7 + 14 else None)
    assert factor(readiness(tmp_path, enough), "hrv")["score"] is not None


def test_the_resting_hr_edge_is_at_least_2_bpm(tmp_path: Path) -> None:
    steady = mornings(67, resting_hr=lambda ago: 50 if ago >= 7 else 51)
    assert factor(readiness(tmp_path, steady), "resting_hr")["score"] == pytest.approx(75)


@pytest.mark.parametrize(
    ("hours", "quality", "score"), [(8, None, 100), (6, None, 50), (5, None, 25), (4, None, 0), (8, 2, 80)]
)
def test_sleep_scores(tmp_path: Path, hours: float, quality: int | None, score: float) -> None:
    nights = mornings(7, sleep_hours=hours, sleep_quality=quality)
    assert factor(readiness(tmp_path, nights), "sleep")["score"] == pytest.approx(score)


def test_sleep_takes_the_worse_of_last_night_and_the_week(tmp_path: Path) -> None:
    bad_night = mornings(7, sleep_hours=lambda ago: 6 if ago == 0 else 8)
    assert factor(readiness(tmp_path, bad_night), "sleep")["score"] == pytest.approx(50)
    bad_week = mornings(7, sleep_hours=lambda ago: 8 if ago == 0 else 6)
    expected = 50 + (sum([8] + [6] * 6) / 7 - 6) * 25
    assert factor(readiness(tmp_path, bad_week), "sleep")["score"] == pytest.approx(expected)


def test_missing_factors_are_dropped_and_weights_renormalised(tmp_path: Path) -> None:
    answer = readiness(tmp_path, mornings(7, sleep_hours=6, fatigue=4))
    assert answer["score"] == pytest.approx(50)
    assert answer["confidence"] == pytest.approx(0.3)
    assert answer["colour"] == "yellow"
    assert answer["gate"]["intensity"] == "reduced"
    assert answer["gate"]["volume_factor"] == pytest.approx(0.8)


def test_below_a_confidence_of_0_3_there_is_no_score_and_what_is_missing_is_told(tmp_path: Path) -> None:
    answer = readiness(tmp_path, mornings(7, sleep_hours=6))
    assert (answer["score"], answer["colour"], answer["confidence"]) == (None, None, 0.2)
    assert "hrv" in answer["gate"]["reason"]


def test_the_limiting_factor_is_named_and_a_bad_wearable_makes_it_easy(tmp_path: Path) -> None:
    answer = readiness(tmp_path, mornings(7, sleep_hours=4.5))
    assert answer["limiting_factor"] == "sleep"
    assert answer["gate"]["intensity"] == "easy"
    assert answer["gate"]["volume_factor"] == pytest.approx(0.6)
    assert answer["gate"]["rules"]


def test_no_data_is_not_green(tmp_path: Path) -> None:
    answer = readiness(tmp_path, [])
    assert (answer["score"], answer["colour"], answer["confidence"]) == (None, None, 0)
    assert answer["gate"]["intensity"] == "full"
    assert "no data" in answer["gate"]["reason"].lower()


def test_illness_gates_to_easy_and_is_the_limiting_factor(tmp_path: Path) -> None:
    answer = readiness(tmp_path, mornings(7, sleep_hours=8, illness=lambda ago: ago == 0))
    assert answer["limiting_factor"] == "illness"
    assert answer["gate"]["intensity"] == "easy"


def planned(*sessions: dict[str, Any]) -> dict[str, Any]:
    return {"week": {"start": "2026-03-30", "sessions": list(sessions)}}


def today_sessions() -> dict[str, Any]:
    day = TODAY.isoformat()
    return planned(
        {"id": "i", "start": f"{day}T07:00:00Z", "duration_min": 60, "kind": "run", "type": "intervals"},
        {"id": "l", "start": f"{day}T17:00:00Z", "duration_min": 50, "kind": "lift", "region": "upper",
         "effort": "max"},
        {"id": "r", "start": f"{day}T20:00:00Z", "duration_min": 40, "kind": "run", "type": "race"},
        {"id": "later", "start": "2026-04-02T07:00:00Z", "duration_min": 60, "kind": "run", "type": "intervals"},
    )  # fmt: skip


def test_reduced_lowers_one_step_and_a_fifth_and_never_removes(tmp_path: Path) -> None:
    today = readiness(tmp_path, mornings(7, sleep_hours=6, fatigue=4), **today_sessions())["today"]
    by_id = {s["id"]: s for s in today}
    assert set(by_id) == {"i", "l", "r"}
    assert (by_id["i"]["type"], by_id["i"]["duration_min"], by_id["i"]["changed"]) == ("threshold", 48, True)
    assert (by_id["l"]["effort"], by_id["l"]["duration_min"]) == ("heavy", 40)
    assert (by_id["r"]["type"], by_id["r"]["duration_min"], by_id["r"]["changed"]) == ("race", 40, False)
    assert by_id["r"]["why"]


def test_easy_makes_runs_easy_and_lifts_moderate(tmp_path: Path) -> None:
    by_id = {s["id"]: s for s in readiness(tmp_path, mornings(7, sleep_hours=4.5), **today_sessions())["today"]}
    assert (by_id["i"]["type"], by_id["i"]["duration_min"]) == ("easy", 36)
    assert (by_id["l"]["effort"], by_id["l"]["duration_min"]) == ("moderate", 30)


def signs(ago_from: int, **fields: Any) -> list[dict[str, Any]]:
    return mornings(70, **{n: (lambda ago, v=v: v if ago < ago_from else 3) for n, v in fields.items()})


def test_signs_count_their_first_day(tmp_path: Path) -> None:
    answer = readiness(tmp_path, signs(5, soreness=4))
    (sign,) = answer["signs"]
    assert (sign["name"], sign["days"], sign["since"]) == ("soreness", 5, (TODAY - timedelta(days=4)).isoformat())
    assert answer["action"] == "none"


@pytest.mark.parametrize(
    ("days", "fields", "action"),
    [
        (7, {"soreness": 4, "fatigue": 4, "mood": 2}, "none"),
        (8, {"soreness": 4, "fatigue": 4, "mood": 2}, "pull-back"),
        (8, {"soreness": 4, "stress": 5}, "watch"),
        (8, {"soreness": 4}, "none"),
    ],
)
def test_several_signs_for_more_than_a_week_pull_back(
    tmp_path: Path, days: int, fields: dict[str, int], action: str
) -> None:
    assert readiness(tmp_path, signs(days, **fields))["action"] == action


def test_two_days_without_a_record_neither_break_nor_lengthen_a_sign(tmp_path: Path) -> None:
    rows = [r for i, r in enumerate(reversed(signs(10, soreness=4))) if i not in (3, 4)]
    (sign,) = readiness(tmp_path, rows)["signs"]
    assert sign["since"] == (TODAY - timedelta(days=9)).isoformat()
    assert sign["days"] == 8


def test_a_load_ratio_of_one_and_a_half_scores_50(tmp_path: Path) -> None:
    first = TODAY - timedelta(days=27)
    rows = [
        {"date": (first + timedelta(days=i)).isoformat(), "run": 50 if i < 21 else 90, "lift": 50} for i in range(28)
    ]
    answer = readiness(tmp_path, [], daily_load=rows)
    assert factor(answer, "load_run")["score"] == pytest.approx(50)
    assert factor(answer, "load_lift")["score"] == pytest.approx(100)
    assert answer["confidence"] == pytest.approx(0.2)
