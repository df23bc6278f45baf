"""Faults of what the services stand on: the broker, PostgreSQL, and the network to both."""

import time
from collections.abc import Callable

from tests.disks import fill
from tests.faults.breaking import stop
from tests.faults.ground import MEMORY, NO_MEMORY, until
from tests.faults.proxy import Proxy
from tests.faults.scene import Break, Scene

HELD_S = 6.0


def broker_restarted(scene: Scene) -> None:
    _broker_gone(scene, scene.ground.broker.stop)


def broker_killed(scene: Scene) -> None:
    _broker_gone(scene, scene.ground.broker.crash)


def _broker_gone(scene: Scene, end: Callable[[], None]) -> None:
    _messages_lie_in_the_broker(scene)
    end()
    time.sleep(2)
    scene.ground.broker.start()
    _publisher_noticed(scene)


def stopped_without_broker(scene: Scene) -> None:
    side = scene.side
    scene.ground.broker.stop()
    try:
        time.sleep(1)
        for index in range(len(side.replicas)):
            stop(scene, index)
    finally:
        scene.ground.broker.start()
    side.start()
    _publisher_noticed(scene)


def memory_alarm(scene: Scene) -> None:
    ground = scene.ground
    ground.broker.control(*NO_MEMORY)
    time.sleep(HELD_S)
    states = ground.broker.control("list_connections", "--quiet", "--no-table-headers", "state").split()
    waited_s = scene.sender.waits_s
    ground.broker.control(*MEMORY)
    scene.witness.saw(states.count("blocked"), "connections blocked")
    scene.witness.saw(int(waited_s), "s that a publisher waited for its confirm")


def database_restarted(scene: Scene) -> None:
    before = len(scene.sender.confirmed)
    scene.ground.postgres.stop()
    time.sleep(HELD_S)
    scene.witness.saw(len(scene.sender.confirmed) - before, "messages taken by the broker meanwhile")
    not_ready(scene)
    scene.ground.postgres.start()


def database_read_only(scene: Scene) -> None:
    """As a standby after a failover to which the address still leads."""
    scene.ground.postgres.set_read_only("on")
    _taking_no_writes(scene)
    scene.ground.postgres.set_read_only("RESET")


def disk_full(scene: Scene) -> None:
    assert scene.ground.disk is not None
    filling = fill(scene.ground.disk)
    _taking_no_writes(scene)
    filling.unlink()


def _taking_no_writes(scene: Scene) -> None:
    before = len(scene.sender.confirmed)
    time.sleep(HELD_S)
    scene.witness.saw(len(scene.sender.confirmed) - before, "messages taken by the broker meanwhile")
    not_ready(scene)


def database_slow(scene: Scene) -> None:
    ground = scene.ground
    tables = ground.tables("inbox", "effects")
    with ground.locked(*tables):
        until(lambda: waiting_for_locks(scene) > 0, HELD_S)
        scene.witness.saw(waiting_for_locks(scene), "transactions waiting for a lock")
        time.sleep(HELD_S)
    before = len(scene.sender.confirmed)
    with ground.postgres_frozen():
        time.sleep(HELD_S)
        not_ready(scene)
    scene.witness.saw(len(scene.sender.confirmed) - before, "messages taken by the broker while it stood still")


def cut_off(name: str) -> Break:
    """Connections through the proxy called ``name`` fall silent for ever, new ones for some seconds; nobody is told."""

    def strike(scene: Scene) -> None:
        proxy: Proxy = getattr(scene.ground, name)
        until(lambda: proxy.forwarding > 0, 20)
        scene.witness.saw(proxy.freeze(new_ones_too=True), "connections silent for ever")
        time.sleep(HELD_S)
        scene.witness.told(f"{proxy.frozen_since} more opened in vain within {HELD_S:.0f} s")
        proxy.thaw()
        if scene.side.must_stop_cleanly:
            scene.witness.saw(int(until(lambda: proxy.forwarding > 0, 90)), "way found by new connections")

    return strike


def _messages_lie_in_the_broker(scene: Scene) -> None:
    """In the waiting and in the parked queue, so that the restart meets some of each."""
    if not scene.side.must_stop_cleanly:
        scene.witness.saw(scene.sender.left, "messages still to come")
        return
    ready = scene.ground.ready
    waiting, parked = "toy.commands.wait.5", "toy.parked"
    until(lambda: ready(waiting)[0] > 0 and ready(parked)[0] > 0, 30)
    scene.witness.saw(ready(waiting)[0], "messages waiting for another try")
    scene.witness.saw(ready(parked)[0], "parked")


def _publisher_noticed(scene: Scene) -> None:
    until(lambda: scene.sender.resent > 0, 20)
    scene.witness.saw(scene.sender.resent, "publishes that had to be repeated")


def not_ready(scene: Scene) -> None:
    if scene.side.must_stop_cleanly:
        count = sum(not process.is_ready() for process in scene.side.replicas)
        scene.witness.saw(count, "replicas that said they were not ready")


def waiting_for_locks(scene: Scene) -> int:
    return int(scene.ground.rows("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0])
