"""No coaching threshold stands in Python: every number in domain code is a unit, a formula's own or a technical bound.

A coach changes thresholds in rule files. Whoever needs a new number here says below why it is none of a coach's; what
a coach could want otherwise becomes a rule's amount or a setting, with its ``because`` and ``source``.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[3] / "services"
EVERYWHERE = {0.0, 1.0, 2.0, 1e-9, 7.0, 24.0, 60.0, 3600.0}
"""Nothing, one, a half's or a square's two, rounding noise, days a week, hours a day, seconds and minutes."""
REASONS: dict[str, dict[float, str]] = {
    "load/domain/alerts.py": {20: "technical: most that are told"},
    "load/domain/daily.py": {3: "technical: most that are told of one session"},
    "load/domain/effort.py": {0.64: "Banister", 1.92: "Banister, men", 1.67: "Banister, women"},
    "load/domain/quality.py": {
        20: "technical: most that are told",
        1000: "metres in a kilometre",
        3: "other sessions that show which year was meant",
        31: "days of a month around the year that was meant",
        365: "days of a year",
        50: "technical: sessions compared with one",
        **dict.fromkeys((5, 10), "technical: minutes by which clocks of two devices differ"),
        **dict.fromkeys((0.1, 0.05, 0.01, 0.005), "technical: by how much two devices measure one session otherwise"),
    },
    "load/domain/settings.py": {
        28: "chronic days: the bands belong to 7 and 28 days",
        366: "technical: days asked for at once",
    },
    "load/domain/strength.py": {30: "Epley's formula", 10: "repetitions up to which the formula holds"},
    "periodization/domain/defaults.py": {104: "technical: longest season", 520: "technical: longest running season"},
    "periodization/domain/goal_sessions.py": {
        1.06: "Riegel's exponent",
        10: "kilometres of the setting ten_km_minutes",
        128: "technical: longest session id",
    },
    "periodization/domain/lift_sessions.py": {5: "planned lengths are told in five-minute marks"},
    "periodization/domain/phases.py": {0.5: "the middle of a week"},
    "periodization/domain/planning.py": {208: "technical: goals at most four years ahead"},
    "periodization/domain/season.py": {6: "decimals of the JSON"},
    "periodization/domain/taper.py": {
        200: "bisection steps",
        256: "cache",
        1e-3: "bisection from",
        1e9: "bisection to",
    },
    "recovery/domain/charts.py": {
        1.4826: "MAD of a normal distribution",
        21: "technical: days an exponential weight is followed",
        4: "independent values of which Student's t has a variance",
    },
    "recovery/domain/factors.py": {100: "top of the scale", 50: "the scale's edge of normal", 9: "decimals compared"},
    "recovery/domain/gate.py": {6: "decimals of the JSON"},
    "recovery/domain/quality.py": {20: "technical: most that are told", 5: "values that make a usual one", 60: "days"},
    "scheduling/domain/availability.py": {3: "clock text"},
    "scheduling/domain/placing/candidate_starts.py": {
        5: "starts on five-minute marks",
        14: "technical: days looked around",
    },
    "scheduling/domain/conflicts.py": {12: "characters of a hash", 14: "technical: days looked around, longest row"},
    "scheduling/domain/placing/attempting.py": {500: "technical: solver", 0.75: "technical: share of the work"},
    "scheduling/domain/placing/budget.py": {
        4: "technical: work a week may cost",
        **dict.fromkeys((6e-5, 5e-9, 5e-6, 2e-5, 6e-6, 1e-6), "technical: what work costs"),
    },
    "scheduling/domain/placing/day_times.py": {20_000: "technical: solver", 10: "technical: what work costs"},
    "scheduling/domain/placing/explaining.py": {
        **dict.fromkeys((3, 4), "sort key"),
        **dict.fromkeys((5, 20), "technical: most rules and sessions that are told"),
    },
    "scheduling/domain/placing/infeasibility.py": {
        1000: "no limit",
        **dict.fromkeys((0.02, 0.5), "technical: shares of the work"),
    },
    "scheduling/domain/checking/check.py": {3: "decimals of the text"},
    "scheduling/domain/checking/verdict.py": dict.fromkeys((50, 48, 1024), "technical: most that is told, in KiB"),
    "scheduling/domain/checking/legal_start.py": {8: "technical: days searched", 9: "technical: days searched"},
    "scheduling/domain/placing/pair_costs.py": {
        5: "technical: solver",
        **dict.fromkeys((29, 40), "technical: numbers of so many bits"),
    },
    "scheduling/domain/placing/planning.py": {
        12: "technical: solver",
    },
    "scheduling/domain/placing/preferences.py": {10_000: "units of a penalty point", 5: "Saturday"},
    "scheduling/domain/placing/solving.py": {
        56: "technical: starts of a big week",
        **dict.fromkeys((0.01, 0.5, 0.7), "technical: shares of the work"),
    },
    "scheduling/domain/week_features.py": {30: "the days in the feature's name, longest_run_of_30_days"},
}


def numbers_in(source: str) -> Iterator[tuple[int, float]]:
    """Line and magnitude of every number that the code holds."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield node.lineno, float(node.value)


def unexplained(name: str, source: str) -> list[str]:
    known = EVERYWHERE | REASONS.get(name, {}).keys()
    return [f"services/{name}:{line}: {number:g}" for line, number in numbers_in(source) if number not in known]


FILES = {path.relative_to(SERVICES).as_posix(): path for path in sorted(SERVICES.glob("*/domain/**/*.py"))}


def test_no_number_of_a_coach_stands_in_domain_code() -> None:
    found = [told for name, path in FILES.items() for told in unexplained(name, path.read_text(encoding="utf-8"))]
    assert not found, "put these into a rule file, or say in REASONS why they are no coach's: " + ", ".join(found)


def test_the_reasons_are_those_of_numbers_that_are_there() -> None:
    there = {name: {number for _, number in numbers_in(path.read_text("utf-8"))} for name, path in FILES.items()}
    stale = [(name, number) for name, reasons in REASONS.items() for number in reasons.keys() - there.get(name, set())]
    assert not stale


@pytest.mark.parametrize("slip", ["if ratio > 1.5: pass", "LIMIT = -0.45", "def f(gap=6.0): ...", "x = {'a': 0.8}"])
def test_a_threshold_slipped_into_code_is_seen(slip: str) -> None:
    assert unexplained("load/domain/alerts.py", slip)
