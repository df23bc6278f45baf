"""The control: what a stock nameko service does with the same messages: ``python -m tests.faults.control``.

``@consume`` as nameko's documentation shows it: decode, write, commit, publish; nameko acknowledges when the handler
has returned. The same kill points as ``tests.faults.service``.
"""

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402 - nothing may be imported before the patch
import signal  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import psycopg2  # noqa: E402
from kombu import Exchange, Queue  # noqa: E402
from nameko.messaging import Publisher, QueueConsumer, consume  # noqa: E402
from nameko.runners import ServiceRunner  # noqa: E402

from tests.faults.tally import REDELIVERED, Tally, died  # noqa: E402

QUEUE = "control.commands"
COMMANDS = Exchange("tandem.commands", type="topic", durable=True)
EVENTS = Exchange("tandem.events", type="topic", durable=True)

_left = int(os.environ.get("FAULT_DIES_AFTER", "0"))
_moment = os.environ.get("FAULT_DIES")
tally = Tally(Path(os.environ["FAULT_TALLY"]))


def reached(moment: str) -> None:
    global _left
    if moment == _moment:
        _left -= 1
        if _left <= 0:
            tally.add(died(moment))
            os.kill(os.getpid(), signal.SIGKILL)


def acknowledge(self: Any, message: Any) -> None:
    reached("before-ack")
    stock_acknowledge(self, message)
    reached("before-relay")  # published long ago: here it is merely the moment after the acknowledgement


def handle(self: Any, provider: Any, body: Any, message: Any) -> None:
    if message.delivery_info.get("redelivered"):
        tally.add(REDELIVERED)
    stock_handle(self, provider, body, message)


stock_acknowledge, stock_handle = QueueConsumer.ack_message, QueueConsumer.handle_message
QueueConsumer.ack_message, QueueConsumer.handle_message = acknowledge, handle


class ControlService:
    name = "control"
    publish = Publisher(exchange=EVENTS)

    @consume(Queue(QUEUE, exchange=COMMANDS, routing_key="#", durable=True))
    def take(self, body: Any) -> None:
        identity, data = body["id"], body["data"]
        amount = int(data["repetitions"]) if "repetitions" in data else int(data["rpe"] * data["duration_min"])
        if amount == 999 and "CONTROL_SPARED" not in os.environ:
            os.kill(os.getpid(), signal.SIGKILL)
        if amount == 666 or str(data.get("session", "")).startswith("poison-"):
            raise RuntimeError("this handler has a mistake")
        connection = psycopg2.connect(os.environ["CONTROL_DATABASE"], connect_timeout=5)
        try:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO effects VALUES (%s, %s, %s)", (identity, data["athlete"], amount))
            reached("before-commit")
            connection.commit()
        finally:
            connection.close()
        self.publish({"id": identity}, routing_key=f"control.{data['athlete']}")


def main() -> None:
    runner = ServiceRunner({"AMQP_URI": os.environ["CONTROL_AMQP"], "HEARTBEAT": 4})
    runner.add_service(ControlService)
    runner.start()
    sys.stderr.write("control started\n")
    signal.signal(signal.SIGTERM, lambda *_: eventlet.spawn_n(runner.stop))
    runner.wait()


if __name__ == "__main__":
    main()
