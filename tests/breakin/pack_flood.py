"""One tenant sends the worst rule packs in a loop: what another's commands and everybody's /healthz take meanwhile."""

import contextlib
import itertools
import json
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pika

from tests.breakin.ground import HOSTILE, Ground
from tests.platform import PlatformClient
from tests.worst_packs import SOUND, worst_packs

HEALTH_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class PackFlood:
    """Seconds: of the victim's commands from sending to reply, and of /healthz of every service."""

    packs: int
    commands: tuple[float, ...]
    health: tuple[float, ...]

    @property
    def command_p99(self) -> float:
        return sorted(self.commands)[int(0.99 * (len(self.commands) - 1))]


def flood_with_packs(ground: Ground, hostile_uri: str, victim: PlatformClient, athlete: str, packs: int) -> PackFlood:
    """``packs`` are sent as fast as the broker takes them, the sound ones are put into force; the victim sets goals."""
    health: list[float] = []
    over = threading.Event()
    probing = [threading.Thread(target=_probe, args=(one.port, health, over)) for one in ground.processes]
    flooding = threading.Thread(target=_flood, args=(hostile_uri, packs))
    for thread in (*probing, flooding):
        thread.start()
    commands: list[float] = []
    date = datetime.now(UTC).date() + timedelta(days=90)
    try:
        while flooding.is_alive() or ground.waiting() or ground.totals()["in_flight"]:
            goal = {"id": f"g{len(commands)}", "kind": "race", "class": "B", "date": str(date), "distance_km": 10}
            began = time.monotonic()
            reply = victim.tell("periodization.set-goals", {"athlete": athlete, "goals": [goal]}, timeout=120)
            commands.append(time.monotonic() - began)
            assert not reply["type"].endswith(".rejected.v1"), reply["data"]
    finally:
        over.set()
        for thread in (*probing, flooding):
            thread.join()
    return PackFlood(packs, tuple(commands), tuple(health))


def _probe(port: int, health: list[float], over: threading.Event) -> None:
    while not over.wait(HEALTH_EVERY_S):
        began = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as answer:
            answer.read()
        health.append(time.monotonic() - began)


def _flood(uri: str, packs: int) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(uri))
    with contextlib.closing(connection):
        channel = connection.channel()
        for key, body in itertools.islice(_messages(), packs):
            headers = {
                "ce-id": uuid.uuid4().hex,
                "ce-source": "/flood",
                "ce-type": f"tandem.{key}.v1",
                "ce-specversion": "1.0",
            }
            properties = pika.BasicProperties("application/json", None, headers, user_id=HOSTILE)
            channel.basic_publish("tandem.commands", f"{HOSTILE}.{key}", json.dumps(body).encode(), properties)


def _messages() -> Iterator[tuple[str, dict[str, Any]]]:
    signed = {"author": "hostile", "reason": "flood"}
    packs = {name: text for name, text in worst_packs().items() if len(text) < 1024 * 1024}
    for number, (name, text) in enumerate(itertools.cycle(packs.items())):
        version = f"1.0.{number}"
        yield "rules.put-pack", {"text": text.replace("1.0.0", version, 1), **signed}
        if name in SOUND:
            yield "rules.activate-pack", {"pack": f"{HOSTILE}.sequencing", "version": version, **signed}
