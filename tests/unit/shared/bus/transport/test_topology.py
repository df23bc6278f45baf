"""Which messages reach which service."""

from shared.bus.routes import Route
from shared.bus.transport.topology import command_bindings, event_bindings
from tests.toy.service import Get, get

ROUTES = (
    Route("command", "load.get-load", Get, get),
    Route("command", "load.mark-day", Get, get),
    Route("command", "athlete.put", Get, get, replies=False),
    Route("event", "recovery.readiness-assessed", Get, get),
)


def test_a_service_hears_all_of_its_own_subject_and_only_what_it_takes_of_others() -> None:
    assert command_bindings(ROUTES) == ["*.athlete.put", "*.load.#"]


def test_events_are_bound_one_by_one() -> None:
    assert event_bindings(ROUTES) == ["*.recovery.readiness-assessed"]
