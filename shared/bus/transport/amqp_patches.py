"""What is put in py-amqp's place: readers that no sender's bytes can kill, and reads of all that a socket has.

RabbitMQ passes routing keys, properties and headers on unread. py-amqp decodes them while it reads the socket, and one
byte that is no UTF-8 raises there, outside any message: the consumer's thread would die, start again, get the message
again and die again. Here such a message arrives like any other, marked unreadable, and is refused like any other.

py-amqp makes six system calls and three context managers for each message it reads. With green sockets that costs more
than what is then done with the message.
"""

from collections.abc import Callable
from struct import Struct, unpack_from
from typing import Any

import amqp
import amqp.abstract_channel
import amqp.serialization
import structlog

UNREADABLE = "tandem-unreadable"
"""The only property of a message whose properties could not be decoded."""

_log = structlog.get_logger("tandem.frames")
_read_arguments = amqp.serialization.loads
_read_properties = amqp.serialization.GenericContent._load_properties
_READ_BYTES = 64 * 1024
_HEAD = Struct(">BHI")
_END = 0xCE


def survive_hostile_frames() -> None:
    """Puts tolerant readers in the place of py-amqp's, for this process; once is enough, twice does no harm."""
    amqp.abstract_channel.loads = _tolerant_arguments
    amqp.serialization.GenericContent._load_properties = _tolerant_properties


def _tolerant_arguments(format: str, buffer: Any, offset: int) -> tuple[list[Any], int]:
    try:
        values, end = _read_arguments(format, buffer, offset)
    except UnicodeDecodeError:
        values, end = _replacing(format, buffer, offset)
    return values, end


def _replacing(format: str, buffer: Any, offset: int) -> tuple[list[Any], int]:
    """Arguments of basic.deliver, get-ok and return: short texts, a bit, numbers."""
    values: list[Any] = []
    for kind in format:
        match kind:
            case "s":
                length = buffer[offset]
                text = bytes(buffer[offset + 1 : offset + 1 + length])
                values.append(text.decode("utf-8", "replace"))
                offset += 1 + length
            case "b":
                values.append(bool(buffer[offset] & 1))
                offset += 1
            case "B" | "l" | "L":
                code, size = {"B": (">H", 2), "l": (">I", 4), "L": (">Q", 8)}[kind]
                values += unpack_from(code, buffer, offset)
                offset += size
            case _:
                raise ValueError(f"no method with text that a sender writes has an argument of type {kind}")
    return values, offset


def _tolerant_properties(message: Any, class_id: int, buffer: Any, offset: int) -> int:
    try:
        end: int = _read_properties(message, class_id, buffer, offset)
    except Exception as error:  # noqa: BLE001 - text, numbers, times and nested tables each fail in their own way
        _log.warning("a message's properties cannot be read", error=type(error).__name__)
        message.properties = {UNREADABLE: True}
        return len(buffer)
    return end


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
