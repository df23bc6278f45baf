"""The faults. Each breaks something while messages are being sent, and leaves everything running again."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.ground import MEMORY, NO_MEMORY, Side

Break = Callable[[Side, random.Random], None]

HELD_S = 6.0
CALM_S = 12.0
"""How long a service must have been ready to count as rid of what killed it."""
STOP_S = 15.0
"""A service that is told to stop while its broker is away must not wait for it; the draining deadline is 25 s."""


class NotStopped(AssertionError):
    """SIGTERM did not end a service as it must."""


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    what: str
    strike: Break
    replicas: int = 1
    killer: bool = False
    """One message of the script kills whoever takes it; stock nameko would take it again for ever."""


def killed(moment: str) -> Break:
    def strike(side: Side, chance: random.Random) -> None:
        _end(side, 0)
        for _ in range(side.kills):
            process = side.first.launch(FAULT_DIES=moment, FAULT_DIES_AFTER=str(chance.randint(30, 150)))
            if process.wait(60) != -9:
                raise AssertionError(f"the service ended before it was killed {moment}")
        side.first.start()

    return strike


def killed_by_a_message(side: Side, _chance: random.Random) -> None:
    """Starts the service again whenever it dies, as an orchestrator would, until it stays alive."""
    ready_since: float | None = None
    while ready_since is None or time.monotonic() - ready_since < CALM_S:
        if side.first.wait_at_most(0.5) is not None:
            side.first.launch()
            ready_since = None
        elif ready_since is None and side.first.is_ready():
            ready_since = time.monotonic()


def rolling(side: Side, _chance: random.Random) -> None:
    for _ in range(2):
        for index in range(len(side.replicas)):
            _end(side, index)
            side.replicas[index].start()


def broker_restarted(side: Side, _chance: random.Random) -> None:
    side.ground.broker.stop()
    time.sleep(2)
    side.ground.broker.start()


def stopped_without_broker(side: Side, _chance: random.Random) -> None:
    side.ground.broker.stop()
    try:
        time.sleep(1)
        _end(side, 0)
    finally:
        side.ground.broker.start()
    side.first.start()


def memory_alarm(side: Side, _chance: random.Random) -> None:
    side.ground.broker.control(*NO_MEMORY)
    time.sleep(HELD_S)
    side.ground.broker.control(*MEMORY)


def database_restarted(side: Side, _chance: random.Random) -> None:
    side.ground.postgres.stop()
    time.sleep(HELD_S)
    side.ground.postgres.start()


def database_slow(side: Side, _chance: random.Random) -> None:
    tables = [
        f"{schema}.{table}"
        for schema, table in side.ground.rows(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_name IN ('inbox', 'effects')"
        )
    ]
    with side.ground.locked(*tables):
        time.sleep(HELD_S)
    with side.ground.postgres_frozen():
        time.sleep(HELD_S)


def half_open(side: Side, _chance: random.Random) -> None:
    if side.ground.proxy.freeze() == 0:
        raise AssertionError("no connection went through the proxy")
    time.sleep(HELD_S)


def _end(side: Side, index: int) -> None:
    process = side.replicas[index]
    started = time.monotonic()
    process.terminate()
    code, took = process.wait(60), time.monotonic() - started
    if side.must_stop_cleanly and (code != 0 or took > STOP_S):
        raise NotStopped(f"stopping took {took:.1f} s and ended with code {code}; log: {process.log}")


FAULTS = (
    Fault("kill-commit", "kill -9 before the commit", killed("before-commit")),
    Fault("kill-ack", "kill -9 between commit and ack", killed("before-ack")),
    Fault("kill-relay", "kill -9 between ack and relay", killed("before-relay")),
    Fault("killer", "a message that kills its service", killed_by_a_message, killer=True),
    Fault("rolling", "rolling SIGTERM restarts", rolling, replicas=2),
    Fault("broker", "broker stopped, started", broker_restarted),
    Fault("term-no-broker", "SIGTERM while the broker is away", stopped_without_broker),
    Fault("alarm", "broker memory alarm", memory_alarm),
    Fault("postgres", "PostgreSQL stopped, started", database_restarted),
    Fault("postgres-slow", "PostgreSQL locked, then frozen", database_slow),
    Fault("half-open", "half-open connections", half_open),
)
