"""Publishes batches without waiting for the one before: several are under way on one channel, each with its confirms.

A green thread reads the connection all the time and tells each batch what the broker confirmed, refused or returned;
nobody else may read it. py-amqp does not match confirms to messages, so tags are counted here; after any error their
count can no longer be trusted: the connection is thrown away, and every batch under way fails.
"""

import contextlib
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any

import amqp
import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore
from kombu import Connection

from shared.bus.broker import Confirms, MessageRefused, PublishFailed
from shared.bus.transport.amqp_patches import read_in_large_pieces
from shared.bus.transport.publish_frames import publish_frames
from shared.messages.envelope import DEFAULT_EXCHANGE, EVENTS_EXCHANGE, Outgoing

_WRITE_BYTES = 64 * 1024
_BROKEN = (OSError, amqp.AMQPError, amqp.exceptions.MessageNacked)
_MESSAGES_FAULT = (
    amqp.exceptions.InternalError,  # a reply address that names nobody kills the broker's channel
    amqp.exceptions.PreconditionFailed,  # larger than the broker takes
    amqp.exceptions.ContentTooLarge,
    amqp.exceptions.FrameError,
    amqp.exceptions.FrameSyntaxError,
    ValueError,  # no frame can hold it
)
"""Errors that a message brings about; all others are the broker's, the network's or the permissions'."""


class _Sending:
    """One batch under way: which of its messages are not yet confirmed, and what else the broker said of it."""

    def __init__(self) -> None:
        self.first = 0
        self.unconfirmed: set[int] = set()
        self.dropped: list[str] = []
        self.not_taken: set[int] = set()
        self._written = False
        self._settled = Event()

    def written(self) -> None:
        """All of it is on its way; without this, quick confirms of the first messages would look like all of them."""
        self._written = True
        self.settle_if_confirmed()

    def settle_if_confirmed(self) -> None:
        if self._written and not self.unconfirmed and not self._settled.ready():
            self._settled.send(None)

    def fail(self, error: Exception) -> None:
        if not self._settled.ready():
            self._settled.send_exception(_failure(error))

    def wait(self) -> None:
        self._settled.wait()


class _Link:
    """One connection with its channel and the green thread that reads it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.channel: Any = connection.channel()
        self.channel.confirm_select()
        self.channel.events["basic_ack"].add(self._on_ack)
        self.channel.events["basic_nack"].add(self._on_nack)
        self.channel.events["basic_return"].add(self._on_return)
        self._amqp: Any = connection.connection
        read_in_large_pieces(self._amqp)
        self.broken: Exception | None = None
        self._closing = False
        self._published = 0
        self._of_tag: dict[int, _Sending] = {}
        self._mandatory: dict[tuple[str, str], deque[int]] = defaultdict(deque)
        self._reader = eventlet.spawn(self._read)

    def write(self, messages: Sequence[Outgoing], sending: _Sending) -> None:
        sending.first = self._published + 1
        held = bytearray()
        for message in messages:
            held += self._frames_of(message, sending)
            if len(held) >= _WRITE_BYTES:  # a system call for each message would cost more than making its frames
                self._send(held)
                held = bytearray()
        self._send(held)
        sending.written()

    def _frames_of(self, message: Outgoing, sending: _Sending) -> bytes:
        mandatory = message.exchange != EVENTS_EXCHANGE  # nobody has to listen to an event
        frames = publish_frames(message, self.channel.channel_id, mandatory, self._amqp.frame_max)
        self._published += 1
        self._of_tag[self._published] = sending
        sending.unconfirmed.add(self._published)
        if mandatory:
            self._mandatory[message.exchange, message.routing_key].append(self._published)
        return frames

    def _send(self, frames: bytearray) -> None:
        if self.broken is not None:
            raise self.broken
        if frames:
            self._amqp.transport.write(frames)
            self._amqp.bytes_sent += 1  # py-amqp's own count: whether a heartbeat is needed

    def heartbeat(self) -> None:
        self._connection.heartbeat_check()

    def close(self, error: Exception) -> None:
        """Fails what is under way; whoever sent it sends it again."""
        self.broken = self.broken or error
        for sending in set(self._of_tag.values()):
            sending.fail(self.broken)
        self._of_tag.clear()
        if self._closing:  # by whoever saw it first; two that wait for the same socket would both fail
            return
        self._closing = True
        if eventlet.getcurrent() is not self._reader:
            self._reader.kill()
        # A connection that failed may fail again while it is closed; it is gone either way.
        with contextlib.suppress(*_BROKEN, eventlet.Timeout), eventlet.Timeout(2.0):
            self._connection.release()

    def _read(self) -> None:
        try:
            while True:
                self._connection.drain_events()
        except _BROKEN as error:
            self.close(error)

    def _on_ack(self, tag: int, multiple: bool) -> None:
        for one in self._up_to(tag, multiple):
            sending = self._of_tag.pop(one, None)
            if sending is not None:
                sending.unconfirmed.discard(one)
                sending.settle_if_confirmed()
        if not self._of_tag:
            self._mandatory.clear()

    def _on_nack(self, tag: int, multiple: bool) -> None:
        for one in self._up_to(tag, multiple):
            if one in self._of_tag:
                sending = self._of_tag[one]
                sending.not_taken.add(one - sending.first)
        self._on_ack(tag, multiple)

    def _on_return(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        """A return names no tag; it comes before its confirm, and in the order of publishing."""
        waiting = self._mandatory.get((exchange, routing_key), deque())
        while waiting:
            tag = waiting.popleft()
            sending = self._of_tag.get(tag)
            if sending is None:
                continue
            if exchange == DEFAULT_EXCHANGE:
                sending.dropped.append(routing_key)
            else:  # a retry or a dead letter, and its queue is gone: unlike a reply, it must not vanish
                sending.not_taken.add(tag - sending.first)
            return

    def _up_to(self, tag: int, multiple: bool) -> list[int]:
        return [one for one in self._of_tag if one <= tag] if multiple else [tag]


class PipelinedPublisher:
    """AMQP 0-9-1. ``confirm_timeout_s`` bounds each batch, a blocked socket included (broker alarms block)."""

    def __init__(self, connect: Callable[[], Connection], confirm_timeout_s: float = 10.0) -> None:
        self._connect = connect
        self._confirm_timeout_s = confirm_timeout_s
        self._link: _Link | None = None
        self._writing = Semaphore(1)

    def publish(self, messages: Sequence[Outgoing]) -> Confirms:
        """Raises PublishFailed; the caller sends the same batch again later, under the same ids.

        Batches are written in the order of the calls; each returns when the broker has confirmed all of its own.
        """
        sending = _Sending()
        link: _Link | None = None
        try:
            with eventlet.Timeout(self._confirm_timeout_s):
                with self._writing:
                    link = self._open()
                    link.write(messages, sending)
                sending.wait()
        except eventlet.Timeout:
            error = TimeoutError(f"no confirm for {len(sending.unconfirmed)} messages in {self._confirm_timeout_s} s")
            self._drop(link, error)
            raise PublishFailed(str(error)) from None
        except (*_BROKEN, ValueError) as error:
            self._drop(link, error)
            raise _failure(error) from error
        return Confirms(sending.dropped, frozenset(sending.not_taken))

    def keep_alive(self) -> None:
        link = self._link
        if link is None or self._writing.locked():  # what is being written is a sign of life
            return
        try:
            with eventlet.Timeout(self._confirm_timeout_s), self._writing:
                if link.broken is None:  # a connection that the broker closed has no heart left
                    link.heartbeat()
        except (*_BROKEN, eventlet.Timeout) as error:
            self._drop(link, OSError(str(error)))

    def close(self) -> None:
        self._drop(self._link, ConnectionError("closed"))

    def _open(self) -> _Link:
        if self._link is None or self._link.broken is not None:
            self._link = _Link(self._connect())
        return self._link

    def _drop(self, link: _Link | None, error: Exception) -> None:
        if link is not None:
            if self._link is link:
                self._link = None
            link.close(error)


def _failure(error: Exception) -> PublishFailed:
    kind = MessageRefused if isinstance(error, _MESSAGES_FAULT) else PublishFailed
    return kind(f"{type(error).__name__}: {error}")
