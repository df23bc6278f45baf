"""The platform's side while things break: publishes with confirms; what was not confirmed again, under the same id."""

import json
import threading
import time
from datetime import UTC, datetime

import pika
import pika.exceptions

from tests.faults.script import Sent

TENANT = "guest"
GIVE_UP_S = 180.0


class Sender:
    """Publishes ``sends`` in a thread of its own, spread over ``seconds`` until somebody waits for it, then without a
    pause. ``confirmed``: ids that the broker has taken on."""

    def __init__(self, uri: str, sends: tuple[Sent, ...], seconds: float, wrapped: bool = False) -> None:
        self.confirmed: set[str] = set()
        self.failure: BaseException | None = None
        self.resent = 0
        """Publishes that failed or could not be made at once, and were made again."""
        self._uri = uri
        self._sends = sends
        self._pause_s = seconds / max(1, len(sends))
        self._at = 0
        self._asked_at: float | None = None
        self.confirmed_at = time.monotonic()
        """When the broker has confirmed the last one so far."""
        self._wrapped = wrapped
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until all is confirmed."""
        self._pause_s = 0.0
        self._thread.join(GIVE_UP_S)
        if self.failure is not None:
            raise self.failure
        if self._thread.is_alive():
            raise TimeoutError(f"only {len(self.confirmed)} messages confirmed in {GIVE_UP_S} s")

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    @property
    def left(self) -> int:
        """Messages not yet published."""
        return len(self._sends) - self._at

    @property
    def waits_s(self) -> float:
        """For how long the publish that is under way has been without its confirm."""
        since = self._asked_at
        return 0.0 if since is None else time.monotonic() - since

    def _run(self) -> None:
        try:
            self._publish_all()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            self.failure = error

    def _publish_all(self) -> None:
        connection, next_at = None, time.monotonic()
        while self.left:
            one = self._sends[self._at]
            try:
                if connection is None:
                    connection = pika.BlockingConnection(pika.URLParameters(self._uri))
                    channel = connection.channel()
                    channel.confirm_delivery()
                if self._pause_s and next_at > time.monotonic():
                    connection.sleep(max(0.0, next_at - time.monotonic()))
                self._asked_at = time.monotonic()
                self._publish(channel, one)
            except (pika.exceptions.AMQPError, OSError):
                connection, self.resent = None, self.resent + 1
                time.sleep(0.3)
                continue
            finally:
                self._asked_at = None
            self.confirmed.add(one.id)
            self._at, self.confirmed_at = self._at + 1, time.monotonic()
            next_at += self._pause_s
        if connection is not None:
            connection.close()

    def _publish(self, channel: "pika.adapters.blocking_connection.BlockingChannel", one: Sent) -> None:
        body = b'{"id":' + json.dumps(one.id).encode() + b',"data":' + one.body + b"}" if self._wrapped else one.body
        channel.basic_publish(
            "tandem.commands",
            f"{TENANT}.{one.key}",
            body,
            pika.BasicProperties(
                content_type="application/json",
                delivery_mode=2,
                user_id=TENANT,
                correlation_id=one.id,
                headers={
                    "ce-id": one.id,
                    "ce-source": "/faults",
                    "ce-type": f"tandem.{one.key}.v1",
                    "ce-specversion": "1.0",
                    "ce-time": datetime.now(UTC).isoformat(),
                    "ce-subject": one.athlete,
                },
            ),
            mandatory=True,
        )
