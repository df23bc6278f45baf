"""A coaching platform's side of Tandem, with nothing but pika: send an athlete, ask for a week.

    python plan_a_week.py AMQP_URL ATHLETE.json WEEK_START

The broker user in AMQP_URL is the tenant. Prints the answer of ``get-week`` as JSON. It shares no code with Tandem, so
it is also a description of the wire: CloudEvents headers ``ce-*``, one JSON body, ``user_id`` = tenant = first part of
the routing key, replies by RabbitMQ's direct reply-to.
"""

import json
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pika

WAIT_SECONDS = 90
Json = dict[str, Any]


class Refused(Exception):
    """A command was rejected; the message holds every error with its JSON pointer."""


class Platform:
    """One connection of one tenant."""

    def __init__(self, url: str) -> None:
        self.tenant = urlsplit(url).username or "guest"
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self._replies: dict[str, tuple[str, Json]] = {}
        self._events: list[tuple[str, Json]] = []
        self._channel.basic_consume("amq.rabbitmq.reply-to", self._on_reply, auto_ack=True)
        self._queue = f"tenant.{self.tenant}.events"
        self._channel.queue_declare(self._queue, durable=True, arguments={"x-queue-type": "quorum"})
        self._channel.queue_bind(self._queue, "tandem.events", f"{self.tenant}.#")
        self._channel.basic_consume(self._queue, self._on_event)

    def send(self, name: str, data: Json) -> str:
        """Publish ``data`` to ``<service>.<name>``; returns the id that the reply will carry."""
        message_id = str(uuid.uuid4())
        headers = {
            "ce-id": message_id,
            "ce-specversion": "1.0",
            "ce-source": f"/platforms/{self.tenant}",
            "ce-type": f"tandem.{name}.v1",
            "ce-time": datetime.now(UTC).isoformat(),
        }
        if "athlete" in data:
            headers["ce-subject"] = data["athlete"]
        self._channel.basic_publish(
            "tandem.commands",
            f"{self.tenant}.{name}",
            json.dumps(data).encode(),
            pika.BasicProperties(
                content_type="application/json",
                headers=headers,
                user_id=self.tenant,
                reply_to="amq.rabbitmq.reply-to",
                correlation_id=message_id,
                delivery_mode=2,
            ),
        )
        return message_id

    def outcome(self, message_id: str) -> Json:
        """Wait for the reply to one message; raises ``Refused`` with all its errors."""
        self._wait_until(lambda: message_id in self._replies, f"a reply to {message_id}")
        kind, data = self._replies.pop(message_id)
        if kind.endswith("rejected.v1"):
            raise Refused("; ".join(f"{e['pointer']}: {e['message']}" for e in data["errors"]))
        return data

    def ask(self, name: str, data: Json) -> Json:
        return self.outcome(self.send(name, data))

    def wait_for_event(self, name: str, **wanted: Any) -> Json:
        """The first event ``<service>.<name>`` whose data hold ``wanted``, from those received since the start."""

        def found() -> Iterator[Json]:
            for key, data in self._events:
                if key == f"{self.tenant}.{name}" and all(data.get(k) == v for k, v in wanted.items()):
                    yield data

        self._wait_until(lambda: any(True for _ in found()), f"event {name} {wanted}")
        return next(found())

    def close(self) -> None:
        self._connection.close()

    def _wait_until(self, done: Any, what: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {what} within {WAIT_SECONDS} s")
            self._connection.process_data_events(time_limit=0.2)

    def _on_reply(self, _channel: Any, _method: Any, properties: Any, body: bytes) -> None:
        self._replies[properties.correlation_id] = (properties.headers["ce-type"], json.loads(body))

    def _on_event(self, channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        self._events.append((method.routing_key, json.loads(body)))
        channel.basic_ack(method.delivery_tag)


def send_athlete(platform: Platform, document: Json) -> None:
    """Everything in the athlete document as commands, pipelined: first what happened, then what is planned from it."""
    profile = dict(document["athlete"])
    athlete = profile.pop("id")
    sent = [platform.send("athlete.put", {"athlete": athlete, **profile})]
    sessions = [{**fields, "session": fields["id"]} for fields in document.get("sessions", [])]
    for session in sessions:
        del session["id"]
    for start in range(0, len(sessions), 200):
        sent.append(
            platform.send("load.import-sessions", {"athlete": athlete, "sessions": sessions[start : start + 200]})
        )
    for morning in document.get("wellness", []):
        sent.append(platform.send("recovery.record-wellness", {"athlete": athlete, **morning}))
    for message_id in sent:
        platform.outcome(message_id)
    for session in sessions:  # what is known when the season is planned is known when its weeks are
        platform.wait_for_event("load.session-scored", athlete=athlete, session=session["session"])
    season = document["season"]
    sent = [
        platform.send(
            "periodization.set-goals",
            {
                "athlete": athlete,
                "goals": document.get("goals", []),
                "season_start": season["start"],
                "weeks": season["weeks"],
                "week_template": season["week_template"],
            },
        )
    ]
    limits = document.get("limits", {})
    sent.append(
        platform.send(
            "scheduling.set-availability", {"athlete": athlete, "windows": document["availability"], **limits}
        )
    )
    for message_id in sent:
        platform.outcome(message_id)


def main(url: str, path: str, week_start: str) -> None:
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    athlete = document["athlete"]["id"]
    platform = Platform(url)
    try:
        send_athlete(platform, document)
        platform.wait_for_event("periodization.week-targets-set", athlete=athlete, week_start=week_start)
        platform.ask("scheduling.plan-week", {"athlete": athlete, "week_start": week_start})
        platform.wait_for_event("scheduling.week-planned", athlete=athlete, week_start=week_start)
        print(json.dumps(platform.ask("scheduling.get-week", {"athlete": athlete, "week_start": week_start})))
    finally:
        platform.close()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python plan_a_week.py AMQP_URL ATHLETE.json WEEK_START")
    main(*sys.argv[1:])
