"""The broker's side of a run: makes the queues, sends the messages, counts and reads what comes out."""

import json
import time
from collections.abc import Sequence
from typing import Any

import amqp
from kombu import Connection

from benchmarks.bus import work
from benchmarks.bus.tandem_work import ROUTES
from shared.bus.queue_names import events_queue, parked_queue
from shared.bus.transport import topology


class Feed:
    """One connection. The queues are Tandem's own (quorum, limits, dead-lettering), and every case consumes them."""

    def __init__(self, uri: str) -> None:
        self._connection = Connection(uri)
        self._connection.connect()
        self.channel: Any = self._connection.channel()
        self.channel.confirm_select()
        self._unconfirmed: set[int] = set()
        self._sent = 0
        self.channel.events["basic_ack"].add(self._confirmed)

    def fresh_queues(self) -> None:
        for queue in (work.QUEUE, work.SINK, events_queue("bench"), parked_queue("bench")):
            self.channel.queue_delete(queue)
        topology.declare(self.channel, "bench", ROUTES)
        self.channel.queue_declare(
            work.SINK, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum", "x-delivery-limit": 20}
        )
        self.channel.queue_bind(work.SINK, work.EVENTS, "guest.bench.#")

    def send(self, messages: Sequence[work.Message]) -> None:
        """Returns when the broker has confirmed all."""
        for message in messages:
            self.send_one(message)
        self.settle()

    def send_one(self, message: work.Message) -> None:
        self._sent += 1
        self._unconfirmed.add(self._sent)
        properties = {
            "content_type": "application/json",
            "content_encoding": "utf-8",
            "delivery_mode": 2,
            "application_headers": dict(message.headers),
            "user_id": work.TENANT,
        }
        self.channel.basic_publish(
            amqp.Message(message.body, **properties),
            exchange=work.COMMANDS,
            routing_key=f"{work.TENANT}.{work.KEY}",
        )

    def settle(self) -> None:
        while self._unconfirmed:
            self._connection.drain_events(timeout=30)

    def depth(self, queue: str) -> int:
        """Messages ready in ``queue``."""
        return int(self.channel.queue_declare(queue, passive=True).message_count)

    def consumers(self) -> int:
        return int(self.channel.queue_declare(work.QUEUE, passive=True).consumer_count)

    def until_depth(self, queue: str, count: int, timeout_s: float) -> bool:
        """Waits until ``queue`` holds at least ``count``; False when it did not in time."""
        deadline = time.monotonic() + timeout_s
        while self.depth(queue) < count:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def until_quiet(self, quiet_s: float, timeout_s: float) -> None:
        """Waits until the sink has not grown for ``quiet_s`` and no work is ready."""
        deadline = time.monotonic() + timeout_s
        seen, since = -1, time.monotonic()
        while time.monotonic() < deadline:
            depth = self.depth(work.SINK)
            if depth != seen or self.depth(work.QUEUE):
                seen, since = depth, time.monotonic()
            elif time.monotonic() - since > quiet_s:
                return
            time.sleep(0.05)

    def events(self) -> list[tuple[str, str, str]]:
        """Takes all that is in the sink: (event, session or refused message, event's id)."""
        found = []
        while True:
            message = self.channel.basic_get(work.SINK, no_ack=True)
            if message is None:
                return found
            headers = message.properties["application_headers"]
            data = json.loads(message.body)
            name = message.delivery_info["routing_key"].rpartition(".")[2]
            found.append((name, data.get("session") or data.get("message"), headers["ce-id"]))

    def close(self) -> None:
        self._connection.release()

    def _confirmed(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._unconfirmed = {waiting for waiting in self._unconfirmed if waiting > tag}
        else:
            self._unconfirmed.discard(tag)
