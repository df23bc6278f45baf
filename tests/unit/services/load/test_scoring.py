"""What a session costs, and what stands in for a missing effort."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.load.domain import estimated_max_kg, score_session, score_sessions
from services.load.domain.effort import trimp
from services.load.domain.strength import best_max
from shared.messages.values import DoneSession, Exercise, ExerciseSet, Profile

Settings = Mapping[str, Any]
START = datetime(2026, 3, 2, 7, tzinfo=UTC)


def session(identity: str = "s", days: float = 0, **fields: Any) -> DoneSession:
    given_fields: dict[str, Any] = {"kind": "run", "type": "easy", "duration_min": 60, **fields}
    return DoneSession(id=identity, start=START + timedelta(days=days), **given_fields)


@pytest.mark.parametrize(("minutes", "rpe", "load"), [(60, 5, 300), (30, 8, 240), (90, 4, 360), (45, 1, 45)])
def test_load_is_minutes_times_effort(minutes: float, rpe: float, load: float, settings: Settings) -> None:
    scored = score_session(session(duration_min=minutes, rpe=rpe), None, settings)
    assert scored.parts == {"run": load, "lift": 0, "other": 0}
    assert (scored.method, scored.status, scored.missing) == ("session-rpe", "measured", ())


@pytest.mark.parametrize("kind", ["run", "lift", "other"])
def test_each_kind_has_its_stream(kind: str, settings: Settings) -> None:
    scored = score_session(session(kind=kind, type=None, rpe=5), None, settings)
    assert scored.parts == {name: 300 if name == kind else 0 for name in ("run", "lift", "other")}


@given(
    st.sampled_from(
        [("run", t) for t in ("recovery", "easy", "long", "tempo", "threshold", "intervals", "hills", "race", None)]
        + [("lift", e) for e in ("light", "moderate", "heavy", "max", None)]
        + [("other", m) for m in ("walk", "bike", "row", "swim", "mobility", None)]
    ),
    st.floats(1, 1440),
)
def test_a_missing_effort_is_never_a_free_session(
    settings: Settings, tagged: tuple[str, str | None], minutes: float
) -> None:
    kind, tag = tagged
    tags = {"type": None, {"run": "type", "lift": "effort", "other": "mode"}[kind]: tag}
    scored = score_session(session(kind=kind, duration_min=minutes, **tags), None, settings)
    assert scored.load > 0
    assert (scored.method, scored.status) == ("default-effort", "assumed")
    assert "rpe" in scored.missing


def test_the_default_effort_is_the_rule_files(settings: Settings) -> None:
    assert score_session(session(), None, settings).load == 60 * 3
    table = {**settings["default_effort"], "run": {**settings["default_effort"]["run"], "easy": 4}}
    assert score_session(session(), None, {**settings, "default_effort": table}).load == 60 * 4


def test_ones_own_median_for_such_sessions_comes_before_the_default(settings: Settings) -> None:
    done = [session(f"e{n}", -n, rpe=rpe) for n, rpe in ((1, 2), (2, 6), (3, 5))]
    hard = [session(f"h{n}", -n - 0.5, rpe=9, type="intervals") for n in (1, 2, 3)]
    scored = score_session(session(), None, settings, [*done, *hard])
    assert (scored.load, scored.method, scored.status) == (60 * 5, "own-median-effort", "estimated")
    assert "avg_hr" in scored.missing
    assert score_session(session(), None, settings, done[:2]).method == "default-effort"


def test_neither_later_nor_long_past_sessions_speak_for_one(settings: Settings) -> None:
    later = [session(f"e{n}", n, rpe=9) for n in (1, 2, 3)]
    past = [session(f"p{n}", -90 - n, rpe=9) for n in (1, 2, 3)]
    assert score_session(session(), None, settings, [*later, *past]).method == "default-effort"


PROFILE = Profile(timezone="UTC", hr_rest=40, hr_max=200)


def test_heart_rate_counts_by_the_athletes_own_scale(settings: Settings) -> None:
    """Same heart rate, half as long, in the units of the athlete's own efforts: half the load."""
    done = [session(f"e{n}", -n, rpe=4, avg_hr=130) for n in range(1, 6)]
    scored = score_session(session(duration_min=30, avg_hr=130), PROFILE, settings, done)
    assert (scored.method, scored.status) == ("heart-rate", "estimated")
    assert scored.load == pytest.approx(30 * 4)
    harder = score_session(session(duration_min=30, avg_hr=150), PROFILE, settings, done)
    assert harder.load > scored.load


@pytest.mark.parametrize(
    ("profile", "avg_hr", "own", "missing"),
    [
        (None, 130, 5, ("rpe", "hr_rest", "hr_max")),
        (PROFILE, None, 5, ("rpe", "avg_hr")),
        (PROFILE, 30, 5, ("rpe", "plausible_heart_rate")),
        (PROFILE, 210, 5, ("rpe", "plausible_heart_rate")),
        (PROFILE, 130, 4, ("rpe", "own_heart_rate_scale")),
    ],
)
def test_what_kept_heart_rate_from_counting_is_named(
    profile: Profile | None, avg_hr: float | None, own: int, missing: tuple[str, ...], settings: Settings
) -> None:
    done = [session(f"e{n}", -n, rpe=4, avg_hr=130) for n in range(1, own + 1)]
    scored = score_session(session(avg_hr=avg_hr), profile, settings, done)
    assert (scored.method, scored.missing) == ("own-median-effort", missing)


def test_heart_rate_never_speaks_for_a_lift(settings: Settings) -> None:
    lift = {"kind": "lift", "type": None, "effort": "heavy", "region": "lower"}
    done = [session(f"l{n}", -n, rpe=8, avg_hr=120, **lift) for n in range(1, 7)]
    assert score_session(session(avg_hr=120, **lift), PROFILE, settings, done).method == "own-median-effort"


def test_sessions_are_scored_together_in_any_order(settings: Settings) -> None:
    rows = [session(f"e{n}", n, rpe=None if n in (3, 5) else n + 1.0) for n in range(7)]
    forward, backward = score_sessions(rows, None, settings), score_sessions(rows[::-1], None, settings)
    assert forward == backward
    assert [one.method for one in forward].count("own-median-effort") == 2


def test_banisters_trimp() -> None:
    """GoldenCheetah's code; rest 40, max 200, average 130, 30 min."""
    assert trimp(30, 130, 40, 200, "male") == pytest.approx(31.80, abs=5e-3)
    assert trimp(30, 130, 40, 200, "female") == pytest.approx(27.63, abs=5e-3)
    assert trimp(30, 39, 40, 200, "male") is None


@pytest.mark.parametrize(
    ("load", "reps", "rir", "expected"),
    [
        (100, 5, None, 116.6667),
        (80, 10, None, 106.6667),
        (100, 1, 0, 100),
        (100, 1, None, 100),
        (100, 1, 2, 110),
        (100, 3, 2, 116.6667),
        (100, 8, 3, None),
        (100, 0, 0, None),
        (0, 5, 0, None),
    ],
)
def test_epley_with_repetitions_in_reserve(load: float, reps: int, rir: float | None, expected: float | None) -> None:
    found = estimated_max_kg(load, reps, rir)
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-4))


def test_the_best_set_of_each_lift_counts() -> None:
    sets = [ExerciseSet(reps=5, load_kg=100), ExerciseSet(reps=3, load_kg=110), ExerciseSet(reps=12, load_kg=90)]
    plank = Exercise(name="plank", sets=[ExerciseSet(reps=1)])
    (squat,) = best_max([Exercise(name="squat", sets=sets), plank])
    assert (squat.lift, squat.e1rm_kg) == ("squat", pytest.approx(121))
