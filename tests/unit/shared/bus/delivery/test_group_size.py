"""A call for many messages holds its transaction no longer than a batch may last."""

from shared.bus.delivery.dispatch import GroupSize
from shared.bus.routes import Route
from tests.toy.service import ROUTES

ROUTE: Route = ROUTES[0]


def test_slow_handlers_get_few_athletes_at_a_time_and_quick_ones_many() -> None:
    pace = GroupSize(0.25)
    assert pace.fits(ROUTE, 50) and not pace.fits(ROUTE, 51)
    pace.took(ROUTE, athletes=10, seconds=1.0)
    assert pace.fits(ROUTE, 2) and not pace.fits(ROUTE, 3)
    for _ in range(30):
        pace.took(ROUTE, athletes=100, seconds=0.02)
    assert pace.fits(ROUTE, 500)


def test_one_athlete_always_fits_however_slow() -> None:
    pace = GroupSize(0.25)
    pace.took(ROUTE, athletes=1, seconds=9.0)
    assert pace.fits(ROUTE, 1) and not pace.fits(ROUTE, 2)
    assert pace.fits(ROUTES[1], 50), "each route has its own pace"
