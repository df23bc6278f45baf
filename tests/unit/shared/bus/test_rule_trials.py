"""Trying a pack on a big tenant's athletes holds up nobody, and the answer says how far it came."""

from collections.abc import Iterator

import eventlet

from shared.bus.rule_routes import MAX_ATHLETES, TRIAL_S, compare_each
from shared.messages.rule_packs import DecisionChanged


def changed(athlete: str) -> list[DecisionChanged]:
    return [DecisionChanged(athlete=athlete, about="week", sentence="accepted becomes refused")]


def test_others_have_their_turn_between_two_athletes() -> None:
    order: list[str] = []

    def compare(athlete: str) -> list[DecisionChanged]:
        order.append(athlete)
        return changed(athlete)

    def others() -> None:
        for _ in range(3):
            order.append("somebody else's message")
            eventlet.sleep(0)

    eventlet.spawn(others)
    compare_each(["a", "b", "c"], compare)
    assert order == ["a", "somebody else's message", "b", "somebody else's message", "c", "somebody else's message"]


def test_it_ends_when_its_time_is_up_and_says_so() -> None:
    times: Iterator[float] = iter([0.0, TRIAL_S / 2, TRIAL_S])
    found = compare_each([f"a{n}" for n in range(10_000)], changed, clock=lambda: next(times))
    assert (found.athletes, found.of, len(found.changes)) == (2, 10_000, 2)


def test_those_with_nothing_to_compare_do_not_count() -> None:
    athletes = [f"a{n}" for n in range(3 * MAX_ATHLETES)]
    found = compare_each(athletes, lambda athlete: None if athlete.endswith("0") else changed(athlete))
    assert found.athletes == MAX_ATHLETES
    assert found.of == len(athletes) - 6
