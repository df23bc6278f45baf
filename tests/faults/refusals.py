"""Faults of what is sent and of where it is put: messages and channels that the broker breaks off, full queues."""

import json
import time

import pika

from tests.faults.breaking import stop
from tests.faults.ground import Ground, until
from tests.faults.outages import HELD_S, waiting_for_locks
from tests.faults.scene import Scene
from tests.faults.sending import TENANT
from tests.platform import RUBBISH

PARKED = "toy.parked"
RUBBISH_REPLIES = 10
EXPIRING = 50
CHANNEL_BOUNDS = (
    "application:set_env(rabbit, consumer_timeout, {}), application:set_env(rabbit, channel_tick_interval, {})."
)
LATE_ACK, SHIPPED = (2000, 1000), (1800000, 60000)
"""Milliseconds that a delivery may go without its acknowledgement, and between two looks at that."""


def malformed_replies(scene: Scene) -> None:
    """Commands whose reply breaks the broker's channel, and as many whose reply address is refused at once."""
    ground, at = scene.ground, scene.script.fault
    dropped_before = scene.side.figure("tandem_replies_dropped_total")
    for number in range(RUBBISH_REPLIES):
        _send(ground, f"{at}.rubbish{number}", reply_to=RUBBISH)
        _send(ground, f"{at}.malformed{number}", reply_to="amq.rabbitmq.reply-to.rubbish")
    found = {"parked": 0, "dropped": 0.0}

    def told() -> bool:
        found["parked"] += _take_unpublishable(ground)
        found["dropped"] = scene.side.figure("tandem_replies_dropped_total") - dropped_before
        return sum(found.values()) >= RUBBISH_REPLIES

    until(told, 90, pause=0.5)
    scene.witness.saw(int(sum(found.values())), f"replies that the broker would not have, parked or dropped: {found}")
    rejected = scene.side.figure("tandem_messages_rejected_total", 'code="reply_to_refused"')
    scene.witness.saw(int(rejected), "reply addresses refused at once")


def parked_queues_full(scene: Scene) -> None:
    ground = scene.ground
    room = '{"max-length": 2, "overflow": "reject-publish"}'
    ground.broker.control("set_policy", "full", "[.]parked$", room, "--apply-to", "queues", "--priority", "9")
    try:
        until(lambda: scene.side.figure("tandem_outbox_refused_rows") > 0, 40)
        scene.witness.saw(int(scene.side.figure("tandem_outbox_refused_rows")), "dead letters that nobody took")
        time.sleep(HELD_S)
    finally:
        ground.broker.control("clear_policy", "full")


def expiring(scene: Scene) -> None:
    """Commands that expire while nobody is there to take them: each is told, none has an effect or is parked."""
    ground, side, at = scene.ground, scene.side, scene.script.fault
    for index in range(len(side.replicas)):
        stop(scene, index)
    for number in range(EXPIRING):
        _send(ground, f"{at}.expiring{number}", expiration="300")
    time.sleep(1.5)
    side.start()
    until(lambda: side.figure("tandem_messages_expired_total") >= EXPIRING, 60)
    scene.witness.saw(int(side.figure("tandem_messages_expired_total")), "commands expired, told and counted")
    ((effects,),) = ground.rows("SELECT count(*) FROM toy.count WHERE athlete LIKE %s", f"{at}.expiring%")
    if effects:
        scene.witness.missing.append(f"expiry of {effects} commands, which had their effect")


def channels_broken_off(scene: Scene) -> None:
    """The broker closes channels whose acknowledgements come late, while the database holds them up."""
    ground, before = scene.ground, _late(scene)
    _bound_channels(ground, LATE_ACK)
    try:
        tables = ground.tables("inbox", "effects")
        with ground.locked(*tables):
            until(lambda: waiting_for_locks(scene) > 0, HELD_S)
            time.sleep(HELD_S)
    finally:
        _bound_channels(ground, SHIPPED)
    scene.witness.saw(_late(scene) - before, "channels that the broker closed")


def _send(ground: Ground, identity: str, **properties: str) -> None:
    with ground.channel() as channel:
        channel.basic_publish(
            "tandem.commands",
            f"{TENANT}.toy.add",
            json.dumps({"athlete": identity, "repetitions": 1}).encode(),
            pika.BasicProperties(
                content_type="application/json",
                delivery_mode=2,
                user_id=TENANT,
                correlation_id=identity,
                headers={
                    "ce-id": identity,
                    "ce-source": "/faults",
                    "ce-type": "tandem.toy.add.v1",
                    "ce-specversion": "1.0",
                },
                **properties,
            ),
        )


def _take_unpublishable(ground: Ground) -> int:
    """Takes those out of the parked queue, which holds the script's own dead letters too."""
    taken = 0
    with ground.channel() as channel:
        while True:
            method, properties, _ = channel.basic_get(PARKED)
            if method is None:
                return taken  # what was looked at goes back
            if properties.headers["tandem-reason"] == "unpublishable":
                channel.basic_ack(method.delivery_tag)
                taken += 1


def _bound_channels(ground: Ground, milliseconds: tuple[int, int]) -> None:
    """Of channels opened from here on; so all are opened anew."""
    ground.broker.control("eval", CHANNEL_BOUNDS.format(*milliseconds))
    ground.broker.control("close_all_connections", "--vhost", "/", "bounds of channels")


def _late(scene: Scene) -> int:
    logs = [process.log.read_text(errors="replace") for process in scene.side.replicas]
    return sum(log.count("delivery acknowledgement on channel") for log in logs)
