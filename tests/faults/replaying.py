"""A mistake is mended and the parked messages are given back: each has its effect once, whatever dies meanwhile."""

import os
import subprocess
import sys
from collections.abc import Mapping

from tests.faults.ground import Ground, until
from tests.faults.scene import Scene
from tests.processes import ROOT

TOY = [sys.executable, "-m", "tests.toy.replay"]
LOAD = [sys.executable, "-m", "tandem", "parked", "replay", "--service", "load", "--all", "--by", "faults"]


def mended_and_replayed(scene: Scene) -> None:
    """Once all poison is parked the mended services get it back, by commands that are killed on the way."""
    side, ground = scene.side, scene.ground
    scene.sender.wait()
    poison = scene.poison
    until(lambda: sum(_parked(ground)) == poison, 120)
    scene.witness.saw(sum(_parked(ground)), "parked")
    ground.broker.stop()
    ground.broker.start()
    scene.witness.saw(sum(_parked(ground)), "still parked after a restart of the broker")
    for process in side.replicas:
        process.kill()
    side.start(FAULT_MENDED="1")
    for service, command in (("toy", TOY), ("load", LOAD)):
        scene.witness.saw(_killed_on_the_way(ground, service, command), f"replayed by {service}'s before it was killed")
        done = subprocess.run(command, env=_environment(ground), cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    until(lambda: not any(_parked(ground)), 20)
    side.restart()


def _killed_on_the_way(ground: Ground, service: str, command: list[str]) -> int:
    """Returns how many messages it had settled when it was killed."""
    audited = f"SELECT count(*) FROM {service}.parked_audit"
    slowly = [*command, "--rate", "4"]
    quiet = subprocess.DEVNULL
    replaying = subprocess.Popen(slowly, env=_environment(ground), cwd=ROOT, stdout=quiet, stderr=quiet)
    until(lambda: ground.rows(audited)[0][0] > 0, 60, pause=0.02)
    replaying.kill()
    replaying.wait()
    return int(ground.rows(audited)[0][0])


def _parked(ground: Ground) -> tuple[int, int]:
    return ground.ready("load.parked")[0], ground.ready("toy.parked")[0]


def _environment(ground: Ground) -> Mapping[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")},
        "TANDEM_AMQP_URI": ground.broker.uri,
        "TANDEM_DATABASE_URL": ground.database,
    }
