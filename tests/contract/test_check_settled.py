"""The calendar rules of the contract, each with the times at which its verdict turns.

Monday 2026-03-09 in UTC; a lift lasts 60 minutes unless said otherwise, so "gap" is from its end.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract.commands import ask

MONDAY = datetime(2026, 3, 9, tzinfo=UTC)


def at(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


def session(name: str, hours: float, minutes: float, kind: str, **tags: Any) -> dict[str, Any]:
    return {"id": name, "start": at(hours).isoformat(), "duration_min": minutes, "kind": kind, **tags}


def lower(hours: float, effort: str = "heavy", minutes: float = 60, **tags: Any) -> dict[str, Any]:
    return session("lift", hours, minutes, "lift", region="lower", effort=effort, **tags)


def upper(hours: float, effort: str = "heavy") -> dict[str, Any]:
    return session("lift", hours, 60, "lift", region="upper", effort=effort)


def run(hours: float, type: str, minutes: float = 60, **tags: Any) -> dict[str, Any]:
    return session("run", hours, minutes, "run", type=type, **tags)


def verdict(folder: Path, *sessions: dict[str, Any], **athlete: Any) -> tuple[str, int]:
    """("refused" | "accepted", number of warnings about a pair): a calendar of one hard run also lacks easy running."""
    answer = check(folder, *sessions, **athlete)
    return answer["verdict"], sum("easy_share" not in warning["measured"] for warning in answer["warnings"])


def check(folder: Path, *sessions: dict[str, Any], **athlete: Any) -> dict[str, Any]:
    document = {
        "athlete": {"id": "a1", "timezone": "UTC", **athlete},
        "week": {"start": "2026-03-09", "sessions": list(sessions)},
    }
    answer = ask("check", document, folder)
    assert (answer["verdict"] == "refused") == bool(answer["violations"])
    return answer


FINE, WARNED, REFUSED = ("accepted", 0), ("accepted", 1), "refused"


@pytest.mark.parametrize(
    ("hours_between", "expected"),
    [(5, REFUSED), (23.98, REFUSED), (24, FINE), (30, FINE)],
)
def test_heavy_lower_and_long_run_keep_24_hours_in_either_order(
    tmp_path: Path, hours_between: float, expected: Any
) -> None:
    for calendar in (
        (lower(7), run(8 + hours_between, "long", 100)),
        (run(7, "long", 60), lower(8 + hours_between)),
    ):
        answer = verdict(tmp_path, *calendar)
        assert (answer if expected != REFUSED else answer[0]) == expected


@pytest.mark.parametrize("type", ["tempo", "threshold", "intervals", "hills", "race"])
def test_heavy_lower_and_quality_run_refused_under_8_hours_warned_to_24(tmp_path: Path, type: str) -> None:
    assert verdict(tmp_path, lower(6), run(7 + 7.9, type))[0] == REFUSED
    assert verdict(tmp_path, lower(6), run(7 + 8, type)) == WARNED
    assert verdict(tmp_path, lower(6), run(7 + 23.9, type)) == WARNED
    assert verdict(tmp_path, lower(6), run(7 + 24, type)) == FINE


def test_heavy_lower_later_on_the_day_of_a_quality_or_long_run_is_refused(tmp_path: Path) -> None:
    assert verdict(tmp_path, run(5, "intervals"), lower(20))[0] == REFUSED
    assert verdict(tmp_path, run(20, "intervals", 30), lower(24 + 6))[0] == "accepted"
    assert verdict(tmp_path, run(5, "long"), lower(20))[0] == REFUSED


@pytest.mark.parametrize(("hours_between", "expected"), [(40, REFUSED), (47.9, REFUSED), (48, FINE)])
def test_max_lower_and_quality_run_keep_48_hours(tmp_path: Path, hours_between: float, expected: Any) -> None:
    for calendar in (
        (lower(7, "max"), run(8 + hours_between, "tempo")),
        (run(7, "tempo"), lower(8 + hours_between, "max")),
    ):
        answer = verdict(tmp_path, *calendar)
        assert (answer if expected != REFUSED else answer[0]) == expected


def test_full_body_heavy_counts_as_heavy_lower_and_upper_does_not(tmp_path: Path) -> None:
    full = session("lift", 7, 60, "lift", region="full", effort="heavy")
    assert verdict(tmp_path, full, run(20, "long"))[0] == REFUSED
    assert verdict(tmp_path, upper(7), run(20, "long")) == FINE


def test_a_race_of_90_minutes_is_a_long_run(tmp_path: Path) -> None:
    answer = check(tmp_path, lower(7), run(8 + 20, "race", 90))
    assert answer["verdict"] == REFUSED
    assert check(tmp_path, lower(7), run(8 + 20, "race", 89))["verdict"] == "accepted"


@pytest.mark.parametrize(
    ("hours_between", "expected"), [(0.5, REFUSED), (5.9, REFUSED), (6, "accepted"), (8, "accepted")]
)
def test_lift_and_run_keep_6_hours_on_one_day_and_over_midnight(
    tmp_path: Path, hours_between: float, expected: str
) -> None:
    moderate = lower(7, "moderate")
    assert verdict(tmp_path, moderate, run(8 + hours_between, "tempo"))[0] == expected
    late = lower(22, "moderate")
    assert verdict(tmp_path, late, run(23 + hours_between, "tempo"))[0] == expected
    early_run = run(6, "easy")
    assert verdict(tmp_path, early_run, lower(7 + hours_between, "moderate"))[0] == expected


def test_an_easy_run_after_an_upper_lift_is_always_fine(tmp_path: Path) -> None:
    assert verdict(tmp_path, upper(7), run(8, "easy", 90)) == FINE
    assert verdict(tmp_path, upper(7), run(9, "recovery", 20)) == FINE


def test_an_upper_lift_close_to_a_quality_run_is_a_warning(tmp_path: Path) -> None:
    assert verdict(tmp_path, upper(7), run(9, "intervals")) == WARNED


def test_an_upper_lift_close_to_a_long_run_is_refused(tmp_path: Path) -> None:
    assert verdict(tmp_path, upper(7), run(9, "long"))[0] == REFUSED


@pytest.mark.parametrize(
    ("priority", "minutes", "expected"),
    [
        ("strength", 15, FINE),
        ("strength", 16, WARNED),
        ("strength", 20, WARNED),
        ("strength", 21, REFUSED),
        ("hypertrophy", 15, FINE),
        ("hypertrophy", 20, WARNED),
        ("hypertrophy", 21, REFUSED),
        ("balanced", 20, FINE),
        ("balanced", 21, WARNED),
        ("balanced", 30, WARNED),
        ("balanced", 31, REFUSED),
        ("endurance", 30, FINE),
        ("endurance", 31, REFUSED),
    ],
)
def test_a_stacked_run_is_capped_by_priority(tmp_path: Path, priority: str, minutes: float, expected: Any) -> None:
    answer = verdict(tmp_path, lower(7), run(8.25, "easy", minutes), priority=priority)
    assert (answer if expected != REFUSED else answer[0]) == expected


def test_a_run_too_long_to_be_stacked_reports_the_gap(tmp_path: Path) -> None:
    (violation,) = check(tmp_path, lower(7), run(9, "easy", 45))["violations"]
    assert violation["measured"]["gap_hours"] == pytest.approx(1.0)
    assert violation["limit"]["gap_hours"] == 6
    assert violation["sessions"] == ["lift", "run"]
    assert violation["severity"] == "hard"
    assert violation["source"]
    assert violation["nearest_legal_start"]["session"] == "run"


def test_stacking_is_for_runs_after_lifts_only(tmp_path: Path) -> None:
    assert verdict(tmp_path, run(7, "easy", 15), lower(8))[0] == REFUSED


@pytest.mark.parametrize("mode", ["walk", "mobility", "bike"])
def test_walks_mobility_and_easy_riding_after_a_lift_are_fine(tmp_path: Path, mode: str) -> None:
    assert verdict(tmp_path, lower(7), session("easy", 8, 45, "other", mode=mode)) == FINE


def test_lift_first_on_a_shared_day(tmp_path: Path) -> None:
    early = run(6, "easy")
    assert verdict(tmp_path, early, lower(14, "moderate")) == WARNED
    assert verdict(tmp_path, early, lower(14, "heavy"), priority="strength")[0] == REFUSED
    assert verdict(tmp_path, early, lower(14, "max"), priority="hypertrophy")[0] == REFUSED
    assert verdict(tmp_path, early, lower(16, "moderate"), priority="strength") == WARNED


def test_order_draws_no_remark_when_both_are_easy_or_the_run_is_key(tmp_path: Path) -> None:
    assert verdict(tmp_path, run(6, "easy"), lower(14, "light")) == FINE
    assert verdict(tmp_path, run(6, "tempo", key=True), lower(14, "moderate")) == FINE
    assert verdict(tmp_path, run(6, "easy"), lower(14, "moderate"), priority="endurance", phase="peak") == FINE


def test_a_lift_before_the_key_run_draws_the_warning(tmp_path: Path) -> None:
    assert verdict(tmp_path, lower(6, "moderate"), run(15, "tempo", key=True)) == WARNED


def test_overlap_is_a_hard_violation_and_file_order_does_not_matter(tmp_path: Path) -> None:
    walk = session("walk", 7.5, 30, "other", mode="walk")
    one = check(tmp_path, upper(7), walk)
    other = check(tmp_path, walk, upper(7))
    assert [v["rule"] for v in one["violations"]] == ["overlap"]
    assert one["violations"] == other["violations"]


def test_gaps_are_elapsed_hours_across_the_change_of_clocks(tmp_path: Path) -> None:
    """Berlin, 2026-03-29: 02:00 becomes 03:00, so Saturday 09:00 to Sunday 09:00 are 23 hours."""
    document = {
        "athlete": {"id": "a1", "timezone": "Europe/Berlin"},
        "week": {
            "start": "2026-03-23",
            "sessions": [
                {"id": "lift", "start": "2026-03-28T08:00:00+01:00", "duration_min": 60, "kind": "lift",
                 "region": "lower", "effort": "heavy"},
                {"id": "run", "start": "2026-03-29T09:00:00+02:00", "duration_min": 90, "kind": "run", "type": "long"},
            ],
        },
    }  # fmt: skip
    (violation,) = ask("check", document, tmp_path)["violations"]
    assert violation["measured"]["gap_hours"] == pytest.approx(23.0)
    assert violation["limit"]["gap_hours"] == 24
    start = datetime.fromisoformat(violation["nearest_legal_start"]["start"])
    assert start == datetime(2026, 3, 29, 8, tzinfo=UTC)


def test_a_calendar_may_span_many_days_and_rules_look_across_its_weeks(tmp_path: Path) -> None:
    assert verdict(tmp_path, run(6 * 24 + 18, "long"), lower(7 * 24 + 7))[0] == REFUSED
