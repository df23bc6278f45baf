"""Hears events the moment they come, as a platform does."""

import json
import threading
import time
from typing import Any, Self

import amqp
from kombu import Connection

from benchmarks.bus import work


class Listener:
    """A thread with a connection and an exclusive queue of its own. ``seen``: session -> moment of arrival."""

    def __init__(self, uri: str) -> None:
        self.seen: dict[str, float] = {}
        self._connection = Connection(uri)
        self._connection.connect()
        channel: Any = self._connection.channel()
        queue = channel.queue_declare(exclusive=True).queue
        channel.queue_bind(queue, work.EVENTS, work.EVENT_KEY)
        channel.basic_consume(queue, no_ack=True, callback=self._take)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._thread.join(5)
        self._connection.release()

    def until(self, count: int, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while len(self.seen) < count and time.monotonic() < deadline:
            time.sleep(0.01)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._connection.drain_events(timeout=0.2)
            except TimeoutError:
                continue

    def _take(self, message: amqp.Message) -> None:
        self.seen.setdefault(json.loads(message.body)["session"], time.monotonic())
