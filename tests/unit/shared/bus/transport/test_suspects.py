"""Messages that were delivered often in vain: one of them may kill whoever takes it."""

from typing import Any

import amqp
import pytest

from shared.bus.transport.consumer import SUSPECT_AFTER, BatchEntrypoint


class Noting(BatchEntrypoint):  # type: ignore[misc]  # nameko ships no types
    """Settles by noting, and dies at the killer as a process would: what it had acknowledged until then stays so."""

    def _settle(self, messages: list[Any]) -> None:
        assert self._singly
        if any(message.body == "killer" for message in messages):
            raise MemoryError
        self.settled.extend(message.body for message in messages)


def message(body: str, delivered: int) -> amqp.Message:
    return amqp.Message(body, application_headers={"x-delivery-count": delivered})


def taker() -> Noting:
    made = Noting("command", ())
    made.settled = []
    return made


def test_neighbours_of_a_killer_get_their_turn_before_the_broker_gives_them_up() -> None:
    neighbours = {f"n{number}" for number in range(400)}
    for delivered in range(SUSPECT_AFTER, 20):
        entrypoint = taker()
        entrypoint._waiting.extend(message(body, delivered) for body in ("killer", *sorted(neighbours)))
        with pytest.raises(MemoryError):
            entrypoint._settle_suspects()
        neighbours -= set(entrypoint.settled)
    # Each death spares about half of those left; 15 deaths leave one of 400 in 80 runs of this test.
    assert len(neighbours) <= 3


def test_what_was_hardly_delivered_before_comes_first() -> None:
    entrypoint = taker()
    entrypoint._waiting.extend([message("killer", SUSPECT_AFTER), message("new", 0), message("newer", 1)])
    with pytest.raises(MemoryError):
        entrypoint._settle_suspects()
    assert sorted(entrypoint.settled) == ["new", "newer"]
