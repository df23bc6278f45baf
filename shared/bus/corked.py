"""Many frames in one write: py-amqp makes a system call for each, and wakes the broker for each."""

from typing import Any

_FLUSH_BYTES = 64 * 1024


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
