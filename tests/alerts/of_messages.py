"""Proofs of the alerts about messages: parked, refused, slow, more than a service or a queue can take."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pika

from tests.alerts.ground import OTHER_TENANT, TENANT, Ground, until
from tests.alerts.proof import Proof

FULL_AT = 3
"""Messages in the parked queue at which it takes no more, in the test."""
ROOM = f'{{"max-length": {FULL_AT}, "overflow": "reject-publish"}}'
_AHEAD, _MORE = 2500, 300


def recorded(athlete: str, number: int) -> dict[str, Any]:
    """A done session, to be recorded."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2, minutes=number)
    return {
        "athlete": athlete,
        "session": f"{athlete}-{number}",
        "start": start.isoformat(),
        "duration_min": 30,
        "rpe": 5,
        "kind": "run",
        "type": "easy",
    }


def morning(athlete: str, number: int) -> dict[str, Any]:
    day = datetime.now(UTC).date() - timedelta(days=1 + number % 300)
    return {"athlete": athlete, "date": str(day), "resting_hr": 50}


@contextmanager
def _table_lost(ground: Ground) -> Iterator[None]:
    """As by a migration that went wrong: the handler's first query of it fails, and another try would not help."""
    if ground.rows("SELECT to_regclass('load.sessions') IS NOT NULL")[0][0]:
        ground.rows("ALTER TABLE load.sessions RENAME TO sessions_lost")
    yield


def _table_back(ground: Ground) -> None:
    ground.rows("ALTER TABLE load.sessions_lost RENAME TO sessions")


def _handler_fails(ground: Ground) -> Iterator[None]:
    with _table_lost(ground), ground.platform() as platform:
        for number in range(3):
            platform.send("load.record-session", recorded("parked", number))
        yield


def _mended_and_replayed(ground: Ground) -> None:
    _table_back(ground)
    ground.tandem("parked", "replay", "--service", "load", "--all", "--dry-run")
    ground.tandem("parked", "replay", "--service", "load", "--all", "--by", "alerts")
    until(
        lambda: ground.rows("SELECT count(*) FROM load.sessions WHERE athlete = 'parked'") == [(3,)],
        20,
        "what was replayed has had no effect",
    )


def _parked_queue_full(ground: Ground) -> Iterator[None]:
    ground.broker.control("set_policy", "room", "^load[.]parked$", ROOM, "--apply-to", "queues", "--priority", "99")
    with _table_lost(ground), ground.platform() as platform:
        for number in range(200):  # until the service takes nothing more in
            if number < 2 * FULL_AT or not ground.prometheus.states("TandemQueueRefuses", {"service": "load"}):
                platform.send("load.record-session", recorded("refused", number))
            yield


def _room_made(ground: Ground) -> None:
    _table_back(ground)
    ground.tandem("parked", "drop", "--service", "load", "--all", "--by", "alerts")


def _room_as_before(ground: Ground) -> None:
    ground.broker.control("clear_policy", "room")


def _wrong_after_a_release(ground: Ground) -> Iterator[None]:
    with ground.platform() as platform:
        number = 0
        while True:
            number += 1
            platform.send("recovery.record-wellness", morning("refuses", number))
            platform.send("recovery.record-wellness", {**morning("refuses", number), "resting_hr": "50 bpm"})
            yield


def _held_by_a_lock(ground: Ground) -> Iterator[None]:
    with ground.platform() as platform:
        number = 0
        while True:
            with ground.owned() as cursor:
                cursor.execute("LOCK TABLE periodization.athletes IN ACCESS EXCLUSIVE MODE")
                number += 1
                platform.send("periodization.get-season", {"athlete": f"slow{number}"})
                time.sleep(1.6)
            yield


def _more_than_is_taken(ground: Ground) -> Iterator[None]:
    """Its only replica is dead and platforms go on sending."""
    ground.processes["recovery"].kill()
    with _flood(ground, TENANT) as send:
        send(_AHEAD)
        while True:
            send(_MORE)
            yield


def _replica_added(ground: Ground) -> None:
    ground.processes["recovery"].start()
    replica = ground.make("recovery").start()
    ground.more.append(replica)
    until(lambda: not _waiting(ground, "recovery.commands"), 60, "the queue was not worked off")
    replica.terminate()
    replica.wait()


def _one_sends_too_much(ground: Ground) -> Iterator[None]:
    """Two tenants use the service; one floods it, with a database that is often held up."""
    with ground.platform(OTHER_TENANT) as other, ground.platform() as platform:
        other.tell("recovery.record-wellness", morning("quiet", 1))
        platform.tell("recovery.record-wellness", morning("loud", 1))
    with _flood(ground, TENANT) as send:
        send(_AHEAD)
        while True:
            with ground.owned() as cursor:
                cursor.execute("LOCK TABLE recovery.mornings IN ACCESS EXCLUSIVE MODE")
                send(8 * _MORE)
                time.sleep(2.0)
            yield


def _backed_off(ground: Ground) -> None:
    until(
        lambda: not (_waiting(ground, "recovery.crowded") or _waiting(ground, "recovery.commands")),
        180,
        "the surplus was not worked off",
    )


@contextmanager
def _flood(ground: Ground, tenant: str) -> Iterator[Any]:
    """Publishes as many mornings as asked for, without waiting for each confirm."""
    parameters = pika.URLParameters(ground.broker.uri)
    parameters.credentials = pika.PlainCredentials(tenant, tenant)
    connection = pika.BlockingConnection(parameters)
    channel, sent = connection.channel(), [0]

    def send(count: int) -> None:
        for _ in range(count):
            sent[0] += 1
            identity = f"flood-{time.time_ns()}-{sent[0]}"
            properties = pika.BasicProperties(
                content_type="application/json",
                delivery_mode=2,
                user_id=tenant,
                headers={
                    "ce-id": identity,
                    "ce-source": "/platform",
                    "ce-type": "tandem.recovery.record-wellness.v1",
                    "ce-specversion": "1.0",
                    "ce-time": datetime.now(UTC).isoformat(),
                },
            )
            body = json.dumps(morning(f"flood{sent[0] % 50}", sent[0])).encode()
            channel.basic_publish("tandem.commands", f"{tenant}.recovery.record-wellness", body, properties)
        connection.process_data_events(0)

    try:
        yield send
    finally:
        connection.close()


def _waiting(ground: Ground, queue: str) -> int:
    with pika.BlockingConnection(pika.URLParameters(ground.broker.uri)) as connection:
        return int(connection.channel().queue_declare(queue, passive=True).method.message_count)


def _service(name: str) -> Any:
    return lambda _ground: {"service": name}


PROOFS = (
    Proof(
        "TandemMessagesParked",
        "a table of load is gone, its handler fails",
        _handler_fails,
        "tandem parked replay --service SERVICE --all --dry-run",
        _mended_and_replayed,
        lane="load",
        labels=_service("load"),
    ),
    Proof(
        "TandemParkedWaiting",
        "nobody looks at what load has parked",
        _handler_fails,
        "tandem parked replay --service SERVICE --all --dry-run",
        _mended_and_replayed,
        lane="load",
        labels=_service("load"),
        fires_within_s=120,
        clears_within_s=120,
    ),
    Proof(
        "TandemQueueRefuses",
        "load's parked queue full (reject-publish)",
        _parked_queue_full,
        "tandem parked drop",
        _room_made,
        _room_as_before,
        lane="load",
        labels=_service("load"),
        clears_within_s=90,
    ),
    Proof(
        "TandemHandlingSlow",
        "a table of periodization locked, 1.6 s at a time",
        _held_by_a_lock,
        "the database (locks, disk, connections)",
        lane="periodization",
        labels=_service("periodization"),
    ),
    Proof(
        "TandemRejectedShareHigh",
        "a platform sends every other morning wrong",
        _wrong_after_a_release,
        "its sender has to mend it",
        lane="recovery",
        labels=_service("recovery"),
    ),
    Proof(
        "TandemQueueGrowing",
        "recovery dead while platforms go on sending",
        _more_than_is_taken,
        "Add replicas",
        _replica_added,
        lane="recovery",
        labels=lambda _: {"queue": "recovery.commands"},
        clears_within_s=90,
    ),
    Proof(
        "TandemCrowdedQueueGrowing",
        "one of two tenants floods a slow recovery",
        _one_sends_too_much,
        "tell the platform to back off",
        _backed_off,
        lane="recovery",
        labels=lambda _: {"queue": "recovery.crowded"},
        fires_within_s=120,
        clears_within_s=120,
    ),
)
