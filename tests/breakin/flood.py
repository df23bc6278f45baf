"""A flood by one tenant, and what another one's questions take meanwhile."""

import contextlib
import json
import os
import signal
import statistics
import threading
import time
import uuid
from dataclasses import dataclass

import pika

from tests.breakin.ground import HOSTILE
from tests.platform import PlatformClient

CONNECTIONS = 2


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from question to answer."""

    quiet: tuple[float, ...]
    flooded: tuple[float, ...]
    flood_sent: int

    @property
    def quiet_median(self) -> float:
        return statistics.median(self.quiet)

    @property
    def flooded_worst(self) -> float:
        return max(self.flooded)

    @property
    def flooded_median(self) -> float:
        return statistics.median(self.flooded)


def ask(victim: PlatformClient, athlete: str, times: int) -> tuple[float, ...]:
    """Asks for the load again and again."""
    taken = []
    for _ in range(times):
        started = time.monotonic()
        reply = victim.tell("load.get-load", {"athlete": athlete}, timeout=120)
        taken.append(time.monotonic() - started)
        assert reply["type"] == "tandem.load.get-load.answered.v1", reply["data"]
    return tuple(taken)


def measure(hostile_uri: str, victim: PlatformClient, athlete: str, messages: int, questions: int) -> Latency:
    """``messages`` are sent as fast as the broker takes them while the victim asks."""
    quiet = ask(victim, athlete, questions)
    sent = [0] * CONNECTIONS
    threads = [
        threading.Thread(target=_flood, args=(hostile_uri, messages // CONNECTIONS, sent, number, None))
        for number in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    victim.until(lambda: sum(sent) >= min(messages // 4, 2000), 60, "the flood did not start")
    flooded = ask(victim, athlete, questions)
    for thread in threads:
        thread.join()
    return Latency(quiet, flooded, sum(sent))


def flood_with_expired(uri: str, messages: int, taker: int) -> None:
    """Commands whose expiration passes as soon as they wait at all: ``taker``, which takes them, stands still."""
    os.kill(taker, signal.SIGSTOP)
    try:
        _flood(uri, messages, [0], 0, "1")
    finally:
        os.kill(taker, signal.SIGCONT)


def _flood(uri: str, messages: int, sent: list[int], number: int, expiration: str | None) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(uri))
    with contextlib.closing(connection):
        channel = connection.channel()
        for count in range(messages):
            body = {
                "athlete": f"flood-{count % 50}",
                "session": f"flood-{number}-{count}",
                "start": "2026-03-02T07:00:00+01:00",
                "duration_min": 30,
                "kind": "run",
                "type": "easy",
                "rpe": 3,
            }
            headers = {
                "ce-id": uuid.uuid4().hex,
                "ce-source": "/flood",
                "ce-type": "tandem.load.record-session.v1",
                "ce-specversion": "1.0",
            }
            channel.basic_publish(
                "tandem.commands",
                f"{HOSTILE}.load.record-session",
                json.dumps(body if count % 3 else {"athlete": "junk"}).encode(),
                pika.BasicProperties("application/json", None, headers, user_id=HOSTILE, expiration=expiration),
            )
            sent[number] += 1
