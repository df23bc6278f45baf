"""Keeps a consumer alive whatever bytes a sender puts where AMQP expects text.

RabbitMQ passes routing keys, properties and headers on unread. py-amqp decodes them while it reads the socket, and one
byte that is no UTF-8 raises there, outside any message: the consumer's thread would die, start again, get the message
again and die again. Here such a message arrives like any other, marked unreadable, and is refused like any other.
"""

from struct import unpack_from
from typing import Any

import amqp.abstract_channel
import amqp.serialization
import structlog

UNREADABLE = "tandem-unreadable"
"""The only property of a message whose properties could not be decoded."""

_log = structlog.get_logger("tandem.frames")
_read_arguments = amqp.serialization.loads
_read_properties = amqp.serialization.GenericContent._load_properties


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
