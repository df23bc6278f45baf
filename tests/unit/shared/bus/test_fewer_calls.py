"""Fewer system calls, the same bytes in the same order."""

import random
from collections.abc import Iterable

import pytest

from shared.bus.fewer_calls import Corked, read_in_large_pieces


class Transport:
    """As much of py-amqp's as is touched: what goes out, and a socket that gives what it has."""

    def __init__(self, incoming: Iterable[bytes] = ()) -> None:
        self.calls: list[bytes] = []
        self._incoming = iter(incoming)
        self.asked = 0

    def _write(self, data: bytes | memoryview) -> None:
        self.calls.append(bytes(data))

    def write(self, data: bytes | memoryview) -> None:
        self._write(data)

    def _quick_recv(self, count: int) -> bytes:
        self.asked += 1
        return next(self._incoming, b"")[:count]


def test_frames_leave_together_and_in_order() -> None:
    transport = Transport()
    frame = bytearray(4)
    with Corked(transport):
        for number in range(1000):
            frame[:] = number.to_bytes(4, "big")  # one buffer for all, as py-amqp does
            transport.write(memoryview(frame))
        assert transport.calls == []
    assert transport.calls == [b"".join(number.to_bytes(4, "big") for number in range(1000))]
    transport.write(b"alone")
    assert transport.calls[-1] == b"alone"


def test_much_is_sent_while_more_is_written() -> None:
    transport = Transport()
    with Corked(transport):
        for _ in range(300):
            transport.write(b"x" * 1000)
        assert len(transport.calls) == 4
    assert b"".join(transport.calls) == b"x" * 300_000


def test_nothing_half_written_leaves_after_a_failure() -> None:
    transport = Transport()
    with pytest.raises(ValueError, match="no such header"), Corked(transport):
        transport.write(b"half a frame")
        raise ValueError("no such header")
    transport.write(b"close")
    assert transport.calls == [b"close"]


def test_what_is_read_is_what_was_sent_in_pieces_of_any_size() -> None:
    dice = random.Random(20260302)
    sent = dice.randbytes(500_000)
    cuts = [0, *sorted(dice.sample(range(1, len(sent)), 400)), len(sent)]
    transport = Transport(sent[start:end] for start, end in zip(cuts, cuts[1:], strict=False))
    read_in_large_pieces(transport)
    read = bytearray()
    while piece := transport._quick_recv(dice.randrange(1, 9000)):
        read += piece
    assert bytes(read) == sent
    assert transport.asked == len(cuts)  # one for each piece, and one that says closed
