"""Asks the load service, as a platform would, for what it has made of the athletes."""

from typing import Any

from tests.faults.ground import Ground
from tests.faults.script import ATHLETES, Script
from tests.platform import PlatformClient


def loads_of(ground: Ground, script: Script) -> dict[str, Any]:
    """Each athlete's answer to get-load, by athlete."""
    platform = PlatformClient(ground.broker.uri, "guest")
    try:
        athletes = [f"{script.fault}.runner{number}" for number in range(ATHLETES)]
        asked = {athlete: platform.send("load.get-load", {"athlete": athlete}) for athlete in athletes}
        return {athlete: platform.reply_to(identity, 30)["data"] for athlete, identity in asked.items()}
    finally:
        platform.close()
