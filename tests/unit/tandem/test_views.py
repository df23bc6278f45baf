"""What the terminal shows: honest about the unknown, coloured on terminals only, readable at any width."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from rich.console import Console

from tandem.views.advice import show_advice
from tandem.views.calendar import show_week
from tandem.views.console import bar, number, rules_line, session_label, share, spark
from tandem.views.load import show_load, show_streams
from tandem.views.readiness import score_text, show_readiness
from tandem.views.season import show_season
from tandem.views.verdict import show_verdict

Show = Callable[[Console, Mapping[str, Any]], None]


def shown(show: Callable[..., None], answer: Any, width: int = 100) -> str:
    out = io.StringIO()
    show(Console(file=out, width=width, highlight=False), answer)
    return out.getvalue()


def stream(**fields: Any) -> dict[str, Any]:
    known = {
        "load": 60.0,
        "acute": 50.0,
        "chronic": 40.0,
        "acwr": {"coupled": 1.25, "uncoupled": 1.36, "ewma": 1.2},
        "band": "optimal",
        "status": "ok",
        "monotony": 1.1,
        "strain": 385.0,
        "ctl": 30.0,
        "atl": 45.0,
        "tsb": -15.0,
    }
    return {**known, **fields}


UNKNOWN = stream(
    load=None,
    acute=None,
    chronic=None,
    acwr={"coupled": None, "uncoupled": None, "ewma": None},
    band=None,
    status="incomplete",
    monotony=None,
    strain=None,
    ctl=None,
    atl=None,
    tsb=None,
)


def session(id: str, start: str, end: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": id,
        "start": start,
        "end": end,
        "kind": "run",
        "type": "easy",
        "duration_min": 40,
        "why": [],
        **fields,
    }


WEEK: dict[str, Any] = {
    "status": "planned",
    "week_start": "2026-03-09",
    "sessions": [
        session(
            "w.squats",
            "2026-03-09T07:00:00+01:00",
            "2026-03-09T08:00:00+01:00",
            kind="lift",
            type=None,
            region="lower",
            effort="heavy",
            why=[
                "Placed at Mon 07:00, inside the window Mon 06:00 to Mon 08:00",
                "48 h before long run 'w.long': at least 24 h apart (hard rule near-long)",
                "48 h before long run 'w.long': at least 6 h apart (hard rule gap)",
                "20 h after easy run 'earlier': at least 6 h apart (hard rule gap)",
            ],
        ),
        session("w.long", "2026-03-11T07:00:00+01:00", "2026-03-11T08:40:00+01:00", type="long", duration_min=100),
    ],
    "penalties": [],
    "optimal": True,
    "conflict": [],
    "suggestions": [],
}


@pytest.mark.parametrize(("value", "digits", "said"), [(None, 0, "–"), (0, 0, "0"), (-0.2, 0, "0"), (-3.46, 1, "-3.5")])
def test_an_unknown_number_is_a_dash_and_never_a_zero(value: float | None, digits: int, said: str) -> None:
    assert number(value, digits) == said
    assert share(None) == "–" and share(0.8) == "80 %"


def test_a_bar_is_as_wide_as_asked_whatever_its_value() -> None:
    for value in (-5.0, 0.0, 0.03, 33.3, 50.0, 99.9, 100.0, 400.0):
        assert len(bar(value, 100.0, 20, "green").plain) == 20
    assert bar(50.0, 100.0, 20, "green").plain.count("█") == 10
    assert bar(5.0, 0.0, 4, "green").plain == "····"


def test_an_unknown_day_of_a_small_chart_is_a_dot_and_a_day_of_rest_the_lowest_mark() -> None:
    assert spark([None, 0.0, 5.0, 10.0], "blue").plain == "·▁▅█"
    assert spark([0.0, None], "blue").plain == "▁·"


def test_a_stream_without_a_band_says_why() -> None:
    answer = {"date": "2026-03-01", "streams": {"run": stream(), "lift": UNKNOWN, "combined": UNKNOWN}, "alerts": []}
    text = shown(show_load, answer)
    assert "no band for lift, combined: incomplete, a day in the window is unknown" in text
    lift = next(line for line in text.splitlines() if line.startswith("lift"))
    assert set(lift.split()[1:]) == {"–"}


def test_the_load_says_that_its_bands_are_a_convention() -> None:
    answer = {"date": "2026-03-01", "streams": {"run": stream()}, "alerts": [{"message": "Running jumped."}]}
    text = " ".join(shown(show_load, answer).split())
    assert "no forecast of injury" in text and "▲ Running jumped." in text


def factor(name: str, **known: Any) -> dict[str, Any]:
    unknown = {"value": None, "baseline": None, "low": None, "high": None, "score": None}
    return {"name": name, "weight": 0.2, "status": "ok", **unknown, **known}


READINESS: dict[str, Any] = {
    "date": "2026-03-01",
    "score": 58.0,
    "colour": "yellow",
    "limiting_factor": "sleep",
    "confidence": 0.3,
    "factors": [
        factor("sleep", value=5.1, baseline=8.0, low=6.0, score=27.0),
        factor("hrv", status="missing"),
    ],
    "gate": {"intensity": "reduced", "volume_factor": 0.8, "reason": "one factor is low", "rules": ["gate-one"]},
    "signs": [{"name": "sleep", "since": "2026-02-27", "days": 3}],
    "action": "watch",
    "today": [session("t", "2026-03-01T07:00:00+01:00", "", changed=True, why=["tempo becomes easy"])],
}


def test_readiness_names_its_limiting_factor_and_what_is_missing() -> None:
    text = shown(show_readiness, READINESS)
    assert "58 of 100, yellow · limited by sleep · confidence 30 %" in text
    assert "◀ limits today" in text and "no figure" in text and "missing" in text
    assert "Gate: reduced, volume × 0.8 · one factor is low" in text
    assert "tempo becomes easy" in text and "(changed)" in text


def test_readiness_without_data_is_unknown_and_not_green() -> None:
    nothing = {**READINESS, "score": None, "colour": None, "limiting_factor": None, "confidence": 0.0, "factors": []}
    assert "unknown" in shown(show_readiness, nothing)


def test_a_week_is_a_table_of_seven_days_with_times_and_a_why_line_per_session() -> None:
    text = shown(show_week, WEEK)
    assert all(name in text for name in ("Mon 9 Mar", "Wed 11 Mar", "Sun 15 Mar", "rest"))
    assert "07:00–08:00" in text and "07:00–08:40" in text
    assert "Mon 07:00  lift lower heavy" in text and "Wed 07:00  run long" in text


def test_a_why_line_says_weekdays_and_one_reason_per_other_session() -> None:
    text = " ".join(shown(show_week, WEEK, 200).split())
    assert "48 h before long run on Wed: at least 24 h apart (hard rule near-long)" in text
    assert "at least 6 h apart (hard rule gap); " not in text
    assert "20 h after easy run 'earlier'" in text and "Placed at" not in text


@pytest.mark.parametrize("width", [60, 84, 100, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for show, answer in ((show_week, WEEK), (show_readiness, READINESS)):
        assert all(len(line) <= width for line in shown(show, answer, width).splitlines())


def test_a_narrow_terminal_gets_a_list_of_days() -> None:
    text = shown(show_week, WEEK, 60)
    assert "Mon 9 Mar" in text and "┃" not in text


def test_an_infeasible_week_names_what_cannot_hold_together() -> None:
    answer = {
        **WEEK,
        "status": "infeasible",
        "conflict": [{"kind": "rule", "id": "near-long", "message": "Rule near-long"}],
        "suggestions": ["Open more windows"],
    }
    text = shown(show_week, answer)
    assert "• Rule near-long" in text and "→ Open more windows" in text


def test_a_week_of_nothing_and_a_season_of_nothing_say_so() -> None:
    assert "Nothing to place" in shown(show_week, {**WEEK, "sessions": []})
    assert "No weeks" in shown(show_season, {"weeks": [], "goals": []})


def test_a_calendar_of_two_weeks_has_two_rows() -> None:
    later = session("next", "2026-03-17T07:00:00+01:00", "2026-03-17T07:40:00+01:00")
    text = shown(show_week, {**WEEK, "sessions": [*WEEK["sessions"], later]})
    assert text.count("run easy") == 2 and "Mon 9 Mar" not in text


def test_a_season_shows_phases_and_reasons() -> None:
    week = {
        "number": 4,
        "start": "2026-03-23",
        "phase": "deload",
        "deload": True,
        "reasons": ["planned deload"],
        "run_minutes": 180.0,
        "easy_share": 0.8,
        "lift_sessions": 3,
        "lower_sets": 9.0,
        "upper_sets": 10.0,
        "long_run_minutes": 70.0,
        "priority": "balanced",
    }
    goal = {"id": "g", "kind": "race", "date": "2026-05-24", "class": "A", "name": "Half"}
    text = shown(show_season, {"weeks": [week], "goals": [goal]})
    assert "deload ▼" in text and "planned deload" in text and "Sun 24 May 2026: Half (race, A)" in text


def test_a_verdict_shows_measurement_limit_source_and_the_way_out() -> None:
    finding = {
        "rule": "near-long",
        "severity": "hard",
        "sessions": ["a", "b"],
        "measured": {"gap_hours": 21.0},
        "limit": {"gap_hours": 24.0},
        "message": "too close",
        "source": "Coaching practice (practice)",
        "nearest_legal_start": {"session": "b", "start": "2026-03-15T11:00:00+01:00"},
    }
    stuck = {**finding, "nearest_legal_start": None}
    text = shown(show_verdict, {"verdict": "refused", "violations": [finding, stuck], "warnings": []})
    assert "Refused: 2 hard rules broken, 0 warnings" in text
    assert "gap_hours 21 (limit 24) · source: Coaching practice" in text
    assert "→ b could start Sun 15 Mar 11:00" in text and "no legal start within 7 days" in text


def test_advice_shows_limits_and_fuel() -> None:
    fuel = {"after_lift": {"protein_g": {"from": 20.0, "to": 40.0, "target": 21.6}, "carb_g": None, "notes": ["Soon."]}}
    answer = {"answer": "shorten", "max_minutes": 20, "gap_hours": 6, "why": ["Short and easy."], "fuel": fuel}
    text = shown(show_advice, answer)
    assert "at most 20 min" in text and "20 to 40 g protein (for you 22)" in text and "• Short and easy." in text


def test_the_small_charts_have_a_column_per_day() -> None:
    days = [
        {"date": f"2026-03-{day:02}", "streams": {name: stream() for name in ("run", "lift", "combined")}}
        for day in range(2, 30)
    ]
    days[3]["streams"] = dict.fromkeys(("run", "lift", "combined"), UNKNOWN)
    ruler, run, ratio, *_ = shown(show_streams, days).splitlines()
    assert ruler.index("2 Mar") == 10
    assert run[10:38].index("·") == 3 and ratio[10:38].count("·") == 1


@pytest.mark.parametrize(
    ("tags", "label"),
    [
        ({"kind": "run", "type": "long"}, "run long"),
        ({"kind": "run"}, "run"),
        ({"kind": "lift", "region": "lower", "effort": "heavy"}, "lift lower heavy"),
        ({"kind": "other", "mode": "bike"}, "bike"),
        ({"kind": "other"}, "other"),
    ],
)
def test_a_session_is_named_in_the_contract_s_words(tags: dict[str, str], label: str) -> None:
    assert session_label(tags) == label


def test_decisions_are_grouped_by_pack() -> None:
    decided = [
        {"pack": "base.deload", "version": "1.0.0", "hash": "abc", "rule": rule, "severity": "advice"}
        for rule in ("one", "two", "one")
    ]
    assert rules_line(decided) == "base.deload 1.0.0 (abc): one, two"
    assert rules_line(None) == ""


@pytest.mark.parametrize(
    ("score", "colour", "text"),
    [
        (66.55, "yellow", "66.5"),
        (66.996, "yellow", "66.996"),
        (34.04, "yellow", "34.04"),
        (58.0, "yellow", "58"),
        (67.0, "green", "67"),
        (67.4, "green", "67"),
        (33.6, "red", "34"),
    ],
)
def test_a_score_does_not_look_like_that_of_another_colour(score: float, colour: str, text: str) -> None:
    assert score_text(score, colour) == text
