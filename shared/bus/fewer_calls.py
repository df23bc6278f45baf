"""Many frames in one write and one read: py-amqp makes a system call for each write, and six to read one message.

With green sockets each of them costs more than what is done with the frame.
"""

from collections.abc import Callable
from typing import Any

_FLUSH_BYTES = _READ_BYTES = 64 * 1024


class Corked:
    """While entered, what is written to py-amqp's ``transport`` is held back, and sent in large pieces.

    Nobody may wait in between for an answer to what was written.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._held = bytearray()

    def __enter__(self) -> "Corked":
        self._send = self._transport._write
        self._transport._write = self._hold
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        self._transport._write = self._send
        held, self._held = self._held, bytearray()
        if held and failure is None:  # after a failure the connection is thrown away
            self._transport.write(held)

    def _hold(self, frame: Any) -> None:
        self._held += frame  # a copy: py-amqp uses its buffer again
        if len(self._held) >= _FLUSH_BYTES:
            held, self._held = self._held, bytearray()
            self._send(held)


def read_in_large_pieces(transport: Any) -> None:
    """py-amqp's ``transport``, once connected, from here on takes all the socket has, and gives it out as asked."""
    transport._quick_recv = _Reader(transport._quick_recv)


class _Reader:
    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._held = b""
        self._given = 0

    def __call__(self, count: int) -> bytes:
        if self._given == len(self._held):
            self._held, self._given = self._receive(_READ_BYTES), 0
        piece = self._held[self._given : self._given + count]
        self._given += len(piece)
        return piece  # empty when the other side has closed
