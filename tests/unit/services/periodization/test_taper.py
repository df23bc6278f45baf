"""The exponential taper against the figures of Bosquet et al. 2007 and sums done by hand."""

from math import exp

import pytest

from services.periodization.domain import taper_time_constant, taper_week_shares


@pytest.mark.parametrize(("mean_cut", "time_constant_days"), [(0.50, 9.62), (0.41, 13.05), (0.60, 6.95)])
def test_two_weeks_have_the_published_time_constants(mean_cut: float, time_constant_days: float) -> None:
    assert taper_time_constant(14, mean_cut) == pytest.approx(time_constant_days, abs=0.01)


def test_weekly_shares_are_the_means_of_their_days() -> None:
    first, last = taper_week_shares(14, 0.5)
    assert first == pytest.approx(sum(exp(-day / 9.62) for day in range(1, 8)) / 7, abs=1e-3)
    assert last == pytest.approx(sum(exp(-day / 9.62) for day in range(8, 15)) / 7, abs=1e-3)
    assert (first + last) / 2 == pytest.approx(0.5, abs=1e-9)


def test_one_week_keeps_its_mean() -> None:
    assert taper_week_shares(7, 0.3) == (pytest.approx(0.7, abs=1e-9),)


def test_days_before_a_taper_of_no_whole_weeks_keep_everything() -> None:
    first, last = taper_week_shares(10, 0.5)
    assert (first + last) * 7 == pytest.approx(4 + 10 * 0.5, abs=1e-9)
    assert first > last


@pytest.mark.parametrize(("days", "mean_cut"), [(0, 0.5), (14, 0.0), (14, 1.0)])
def test_what_is_no_taper_is_refused(days: int, mean_cut: float) -> None:
    with pytest.raises(ValueError, match="taper needs"):
        taper_time_constant(days, mean_cut)
