"""The shipped sequencing rules against the contract's "Settled" section, case by case, at each threshold."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from shared.rules.decisions import Rules
from shared.rules.lifecycle.rule_book import open_rules
from shared.rules.model import Facts, Scalar

RULES = Path(__file__).parents[5] / "rules"

SESSIONS: Mapping[str, Mapping[str, Scalar]] = {
    "easy": {"kind": "run", "type": "easy"},
    "recovery": {"kind": "run", "type": "recovery"},
    "long": {"kind": "run", "type": "long"},
    "race": {"kind": "run", "type": "race"},
    "tempo": {"kind": "run", "type": "tempo"},
    "key tempo": {"kind": "run", "type": "tempo", "key": True},
    "intervals": {"kind": "run", "type": "intervals"},
    "heavy lower": {"kind": "lift", "region": "lower", "effort": "heavy"},
    "heavy full": {"kind": "lift", "region": "full", "effort": "heavy"},
    "max lower": {"kind": "lift", "region": "lower", "effort": "max"},
    "moderate lower": {"kind": "lift", "region": "lower", "effort": "moderate"},
    "light lower": {"kind": "lift", "region": "lower", "effort": "light"},
    "heavy upper": {"kind": "lift", "region": "upper", "effort": "heavy"},
    "max upper": {"kind": "lift", "region": "upper", "effort": "max"},
    "walk": {"kind": "other", "mode": "walk"},
    "bike": {"kind": "other", "mode": "bike"},
}


@pytest.fixture(scope="module", params=["reference", "durable-rules"])
def rules(request: pytest.FixtureRequest) -> Iterator[Rules]:
    with open_rules(RULES, evaluator=request.param) as opened:
        assert opened.evaluator() == request.param
        yield opened


def _verdict(
    rules: Rules, first: str, then: str, gap: float, same_day: bool, minutes: float = 60, **athlete: Scalar
) -> str:
    facts: dict[str, Scalar | None] = {"priority": "balanced", "level": "intermediate", "phase": "base", **athlete}
    for which, name in (("first", first), ("then", then)):
        session = {"key": False, "duration_min": minutes, **SESSIONS[name]}
        facts.update({f"{which}_{tag}": value for tag, value in session.items()})
    facts.update({"gap_hours": gap, "same_day": same_day})
    (fired,) = rules.decide("sequencing", [facts])
    severities = {one.rule.severity for one in fired}
    return "refused" if "hard" in severities else "warned" if "soft" in severities else "fine"


@pytest.mark.parametrize(
    ("first", "then", "gap", "same_day", "verdict"),
    [
        # A lift and a run under 6 h, either order, over midnight too.
        ("moderate lower", "easy", 5.99, True, "refused"), ("moderate lower", "easy", 6.0, True, "fine"),
        ("moderate lower", "easy", 5.99, False, "refused"), ("easy", "moderate lower", 5.99, False, "refused"),
        ("easy", "moderate lower", 6.0, False, "fine"),
        # (a) upper then easy: always fine. (b) upper and quality: a warning.
        ("heavy upper", "easy", 0.0, True, "fine"), ("heavy upper", "recovery", 2.0, True, "fine"),
        ("heavy upper", "tempo", 5.0, True, "warned"), ("heavy upper", "tempo", 6.0, True, "fine"),
        ("tempo", "heavy upper", 5.0, False, "warned"), ("heavy upper", "long", 5.0, True, "refused"),
        # Walks and easy riding after a lift are always fine.
        ("max lower", "walk", 0.0, True, "fine"), ("heavy lower", "bike", 0.0, True, "fine"),
        # Heavy lower and quality: under 8 h refused, 8 to 24 h a warning.
        ("heavy lower", "intervals", 7.99, True, "refused"), ("heavy lower", "intervals", 8.0, True, "warned"),
        ("heavy lower", "intervals", 23.99, False, "warned"), ("heavy lower", "intervals", 24.0, False, "fine"),
        ("intervals", "heavy full", 23.99, False, "warned"), ("intervals", "heavy full", 7.99, False, "refused"),
        # A heavy lower lift later on the same day as a quality or long run.
        ("intervals", "heavy lower", 12.0, True, "refused"), ("long", "heavy lower", 12.0, True, "refused"),
        ("intervals", "moderate lower", 12.0, True, "warned"),
        # Max lower and quality: 48 h, both ways; heavy upper does not count.
        ("max lower", "tempo", 47.99, False, "refused"), ("max lower", "tempo", 48.0, False, "fine"),
        ("tempo", "max lower", 47.99, False, "refused"), ("max upper", "tempo", 10.0, False, "fine"),
        # Heavy lower and long run: 24 h, both ways.
        ("heavy lower", "long", 23.99, False, "refused"), ("heavy lower", "long", 24.0, False, "fine"),
        ("long", "heavy full", 23.99, False, "refused"), ("long", "heavy full", 24.0, False, "fine"),
        ("moderate lower", "long", 12.0, True, "fine"),
        # Order on a shared day: a run first draws a warning; both easy, or a key run: no remark.
        ("easy", "heavy lower", 10.0, True, "warned"), ("easy", "light lower", 10.0, True, "fine"),
        ("key tempo", "heavy upper", 10.0, True, "fine"), ("heavy upper", "key tempo", 10.0, True, "warned"),
        ("easy", "heavy lower", 10.0, False, "fine"),
        # Two sessions at once.
        ("walk", "bike", -0.01, True, "refused"), ("walk", "bike", 0.0, True, "fine"),
    ],
)  # fmt: skip
def test_balanced_athletes(rules: Rules, first: str, then: str, gap: float, same_day: bool, verdict: str) -> None:
    assert _verdict(rules, first, then, gap, same_day) == verdict


@pytest.mark.parametrize(
    ("priority", "minutes", "verdict"),
    [
        ("strength", 15, "fine"), ("strength", 15.5, "warned"), ("strength", 20, "warned"),
        ("strength", 20.5, "refused"), ("hypertrophy", 15, "fine"), ("hypertrophy", 20, "warned"),
        ("hypertrophy", 21, "refused"), ("balanced", 20, "fine"), ("balanced", 20.5, "warned"),
        ("balanced", 30, "warned"), ("balanced", 30.5, "refused"),
        ("endurance", 30, "fine"), ("endurance", 30.5, "refused"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lift", ["heavy lower", "heavy full", "light lower"])
@pytest.mark.parametrize("gap", [0.0, 5.99])
def test_a_stacked_run_is_as_long_as_the_priority_allows(
    rules: Rules, lift: str, gap: float, priority: str, minutes: float, verdict: str
) -> None:
    assert _verdict(rules, lift, "easy", gap, True, minutes, priority=priority) == verdict
    assert _verdict(rules, lift, "recovery", gap, True, minutes, priority=priority) == verdict
    assert _verdict(rules, lift, "tempo", gap, True, minutes, priority=priority) == "refused"


@pytest.mark.parametrize("priority", ["strength", "hypertrophy"])
def test_where_lifting_leads_a_run_before_a_heavy_lift_is_refused(rules: Rules, priority: str) -> None:
    assert _verdict(rules, "easy", "heavy upper", 10.0, True, priority=priority) == "refused"
    assert _verdict(rules, "easy", "max upper", 10.0, True, priority=priority) == "refused"
    assert _verdict(rules, "easy", "moderate lower", 10.0, True, priority=priority) == "warned"
    assert _verdict(rules, "key tempo", "heavy upper", 10.0, True, priority=priority) == "fine"
    assert _verdict(rules, "easy", "heavy upper", 10.0, False, priority=priority) == "fine"


@pytest.mark.parametrize("phase", ["race", "peak", "taper"])
def test_close_to_a_race_an_endurance_athlete_runs_first(rules: Rules, phase: str) -> None:
    assert _verdict(rules, "tempo", "heavy upper", 10.0, True, priority="endurance", phase=phase) == "fine"
    assert _verdict(rules, "tempo", "heavy upper", 10.0, True, priority="endurance", phase="base") == "warned"
    assert _verdict(rules, "tempo", "heavy upper", 10.0, True, priority="balanced", phase=phase) == "warned"
    assert _verdict(rules, "heavy upper", "tempo", 10.0, True, priority="endurance", phase=phase) == "warned"
    assert _verdict(rules, "heavy upper", "tempo", 10.0, True, priority="endurance", phase="base") == "fine"


def test_a_race_of_ninety_minutes_is_a_long_run_too(rules: Rules) -> None:
    assert _verdict(rules, "heavy lower", "race", 20.0, False, minutes=89) == "warned"
    assert _verdict(rules, "heavy lower", "race", 20.0, False, minutes=90) == "refused"


def _week(rules: Rules, **facts: Scalar) -> list[str]:
    asked: Facts = {"priority": "balanced", **facts}
    (fired,) = rules.decide("sequencing", [asked])
    return [one.id for one in fired]


def test_the_week_as_a_whole(rules: Rules) -> None:
    assert _week(rules, run_minutes=100.0, easy_share=0.79) == ["easy-share"]
    assert _week(rules, run_minutes=100.0, easy_share=0.8) == []
    assert _week(rules, lift_sessions=3.0, quality_runs=2.0) == ["quality-with-three-lifts"]
    assert _week(rules, longest_run_of_30_days=1.1) == []
    assert _week(rules, longest_run_of_30_days=1.101) == ["long-run-jump"]


def test_a_limit_is_what_a_person_compares_with(rules: Rules) -> None:
    limits = {rule.id: dict(rule.limit) for rule in rules.pack("sequencing").rules}
    assert limits["heavy-lower-near-long-run"] == {"gap_hours": 24.0}
    assert limits["heavy-lower-near-quality-run"] == {"gap_hours": 8.0}
    assert limits["stacked-run-length-balanced"] == {"duration_min": 20.0, "gap_hours": 6.0}
    assert limits["easy-share"] == {"easy_share": 0.8}
    assert limits["long-run-jump"] == {"longest_run_of_30_days": 1.1}
