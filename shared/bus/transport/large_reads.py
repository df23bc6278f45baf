"""Reads all that a socket has: py-amqp makes six system calls and three context managers for each message it reads.

With green sockets that costs more than what is then done with the message.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any

import amqp

_READ_BYTES = 64 * 1024
_HEAD = Struct(">BHI")
_END = 0xCE


def read_in_large_pieces(connection: amqp.Connection) -> None:
    """``connection``, once open, from here on takes from its socket what is there, and handles all of it at once."""
    _LargeReads(connection)


class _LargeReads:
    def __init__(self, connection: amqp.Connection) -> None:
        self._connection = connection
        self._transport = connection.transport
        self._receive: Callable[[int], bytes] = self._transport._quick_recv
        self._read_frame: Callable[[], Any] = self._transport.read_frame
        self._held = b""
        self._given = 0
        self._transport._quick_recv = self.receive
        connection.blocking_read = self.blocking_read

    def receive(self, count: int) -> bytes:
        """In place of ``socket.recv``; empty when the other side has closed."""
        if self._given == len(self._held):
            self._held, self._given = self._receive(_READ_BYTES), 0
        piece = self._held[self._given : self._given + count]
        self._given += len(piece)
        return piece

    def blocking_read(self, timeout: float | None = None) -> Any:
        """In place of the connection's: handles at least one frame; true when one of them completed something."""
        with self._transport.having_timeout(timeout):
            completed = self._connection.on_inbound_frame(self._read_frame())
            while (frame := self._frame_in_hand()) is not None:
                completed = self._connection.on_inbound_frame(frame) or completed
        return completed

    def _frame_in_hand(self) -> tuple[int, int, bytes] | None:
        """The next frame, if all of it has come; py-amqp waits for the rest of one that has not."""
        start = self._given + _HEAD.size
        if start > len(self._held) or self._transport._read_buffer:
            return None
        kind, channel, size = _HEAD.unpack_from(self._held, self._given)
        end = start + size
        if end >= len(self._held) or self._held[end] != _END:
            return None
        self._given = end + 1
        return kind, channel, self._held[start:end]
