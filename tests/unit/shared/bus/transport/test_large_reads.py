"""Fewer reads, the same frames in the same order."""

import random
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shared.bus.transport.amqp_patches import read_in_large_pieces

Frame = tuple[int, int, bytes]


class Transport:
    """As much of py-amqp's as is touched; the socket gives one of ``pieces`` at a time."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._read_buffer = b""
        self.reads = 0

    def _quick_recv(self, count: int) -> bytes:
        self.reads += 1
        return next(self._pieces, b"")

    def read_frame(self) -> Frame:
        kind, channel, size = struct.unpack(">BHI", self._read(7))
        payload = self._read(size + 1)
        assert payload[-1] == 0xCE
        return kind, channel, payload[:-1]

    def _read(self, count: int) -> bytes:
        read = b""
        while len(read) < count:
            piece = self._quick_recv(count - len(read))
            if not piece:
                raise OSError("closed")
            read += piece
        assert len(read) == count
        return read

    @contextmanager
    def having_timeout(self, timeout: float | None) -> Iterator[None]:
        yield


class Connection:
    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.frames: list[Frame] = []

    def on_inbound_frame(self, frame: Frame) -> bool:
        self.frames.append(frame)
        return frame[0] == 3


def cut(data: bytes, places: Iterable[int]) -> Iterator[bytes]:
    at = [0, *sorted(places), len(data)]
    return (data[start:end] for start, end in zip(at, at[1:], strict=False) if start < end)


@pytest.mark.parametrize("cuts", [0, 3, 400])
def test_every_frame_comes_once_and_in_order(cuts: int) -> None:
    dice = random.Random(20260302)
    sent = [(dice.choice((1, 2, 3, 8)), dice.randrange(9), dice.randbytes(dice.randrange(600))) for _ in range(300)]
    data = b"".join(struct.pack(">BHI", kind, channel, len(body)) + body + b"\xce" for kind, channel, body in sent)
    connection: Any = Connection(Transport(cut(data, dice.sample(range(1, len(data)), cuts))))
    read_in_large_pieces(connection)
    while len(connection.frames) < len(sent):
        before = len(connection.frames)
        completed = connection.blocking_read(1.0)
        assert completed == any(kind == 3 for kind, _, _ in connection.frames[before:])
    assert connection.frames == sent
    assert connection.transport.reads <= cuts + 1
    with pytest.raises(OSError, match="closed"):
        connection.blocking_read(1.0)
