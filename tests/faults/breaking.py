"""Faults of the services' own processes: killed, killed by a message, told to stop."""

import os
import subprocess
import sys
import time

from tests.faults.ground import until
from tests.faults.scene import Break, Scene
from tests.faults.tally import REDELIVERED, died

MAX_BEFORE_DEATH = 80
"""Messages that a process may handle until it kills itself."""
END_S = 300.0
"""How long a service may go on dying of one message."""
BUSY_LOAD = 10
STOP_S = 15.0
"""A service that is told to stop while its broker is away must not wait for it; the draining deadline is 25 s."""
PATIENCE = 12
"""Deaths of a side with no delivery limit after which somebody takes the message away by hand."""
NAMES = {
    "before-commit": "messages handled and not committed",
    "before-ack": "messages committed and not acknowledged",
    "before-relay": "events committed and not published",
}


class NotStopped(AssertionError):
    """SIGTERM did not end a service as it must."""


def killed(*moments: str) -> Break:
    """Every replica kills itself at each of ``moments``, ``Side.kills`` times; nobody is left to take over."""

    def strike(scene: Scene) -> None:
        side = scene.side
        before = {moment: side.tally.count(died(moment)) for moment in moments}
        again, deaths = side.tally.count(REDELIVERED), 0
        kills = len(moments) * side.kills * len(side.replicas)
        most = min(MAX_BEFORE_DEATH, int(0.7 * len(scene.script.messages) / kills))  # so that there is something left
        for index in range(len(side.replicas)):
            if side.replicas[index].is_running:
                stop(scene, index)
        for moment in moments * side.kills:
            for process in side.replicas:
                process.launch(FAULT_DIES=moment, FAULT_DIES_AFTER=str(scene.chance.randint(most // 4, most)))
            for process in side.replicas:
                if process.wait(90) != -9:
                    raise AssertionError(f"the service ended before it was killed {moment}; log: {process.log}")
                deaths += 1
        side.start()
        scene.witness.saw(deaths, "times killed")
        for moment in moments:
            scene.witness.saw(side.tally.count(died(moment)) - before[moment], side.says_of(moment, NAMES[moment]))
        if moments != ("before-relay",):
            until(lambda: side.tally.count(REDELIVERED) > again, 20)
            scene.witness.saw(side.tally.count(REDELIVERED) - again, "deliveries repeated")

    return strike


def killed_by_a_message(scene: Scene) -> None:
    """Starts the service again whenever it dies, as an orchestrator would, until all is done."""
    side, deadline = scene.side, time.monotonic() + END_S
    deaths, spared = 0, {}
    while not scene.settled() and time.monotonic() < deadline:
        if side.first.wait_at_most(0.5) is not None:
            deaths += 1
            if not side.must_stop_cleanly and deaths >= PATIENCE and not spared:
                spared, scene.witness.by_hand = {"CONTROL_SPARED": "1"}, True
                scene.witness.told("still dying when somebody took the message away by hand")
            side.first.launch(**spared)
    scene.witness.saw(deaths, "times killed by it")


def killed_on_a_busy_machine(scene: Scene) -> None:
    """As many busy loops as make a load of ten of what the machine had already."""
    loops = max(0, BUSY_LOAD - round(os.getloadavg()[0]))
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        killed_by_a_message(scene)
        scene.witness.told(f"load {os.getloadavg()[0]:.1f}")
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def rolling(scene: Scene) -> None:
    """Each replica in turn, twice, as a deployment does it."""
    stopped, side = 0, scene.side
    for _ in range(2):
        for index in range(len(side.replicas)):
            stopped += not scene.sender.done
            stop(scene, index)
            side.replicas[index].start()
    scene.witness.saw(stopped, "stops while messages came in")


def stop(scene: Scene, index: int) -> None:
    """SIGTERM; ours must end in time and with code 0, the control is killed when it does not."""
    process = scene.side.replicas[index]
    started = time.monotonic()
    process.terminate()
    code, took = process.wait_at_most(60 if scene.side.must_stop_cleanly else STOP_S), time.monotonic() - started
    if scene.side.must_stop_cleanly and (code != 0 or took > STOP_S):
        raise NotStopped(f"stopping took {took:.1f} s and ended with code {code}; log: {process.log}")
    if code is None:
        scene.witness.told(f"did not stop in {STOP_S:.0f} s and was killed")
        process.kill()
