"""All faults, in the order in which they strike."""

from tests.faults.breaking import killed, killed_by_a_message, killed_on_a_busy_machine, rolling
from tests.faults.outages import (
    broker_killed,
    broker_restarted,
    cut_off,
    database_read_only,
    database_restarted,
    database_slow,
    disk_full,
    memory_alarm,
    stopped_without_broker,
)
from tests.faults.refusals import channels_broken_off, expiring, malformed_replies, parked_queues_full
from tests.faults.replaying import mended_and_replayed
from tests.faults.scene import Fault

DISK_FULL = Fault("disk-full", "PostgreSQL's disk full", disk_full, control=False)
FAULTS = (
    Fault("kill-commit", "kill -9 before the commit", killed("before-commit"), 10, starts=False),
    Fault("kill-ack", "kill -9 between commit and ack", killed("before-ack"), 10, starts=False),
    Fault("kill-relay", "kill -9 between ack and relay", killed("before-relay"), 10, starts=False),
    Fault("killer", "a message that kills its service", killed_by_a_message, 20, 1, killer=True),
    Fault("killer-busy", "the same on a busy machine", killed_on_a_busy_machine, 20, 1, killer=True, control=False),
    Fault("rolling", "rolling SIGTERM restarts", rolling, seconds=25),
    Fault("broker", "broker stopped, started", broker_restarted),
    Fault("broker-kill", "broker killed by kill -9", broker_killed),
    Fault("term-no-broker", "SIGTERM while the broker is away", stopped_without_broker),
    Fault("alarm", "broker memory alarm", memory_alarm),
    Fault("cut-broker", "network to the broker goes silent", cut_off("proxy")),
    Fault("postgres", "PostgreSQL stopped, started", database_restarted),
    Fault("postgres-slow", "PostgreSQL locked, then frozen", database_slow, seconds=20),
    Fault("read-only", "PostgreSQL read-only", database_read_only, control=False),
    DISK_FULL,
    Fault("rubbish", "replies to malformed addresses", malformed_replies, control=False),
    Fault("parked-full", "parked queues full", parked_queues_full, poison=0.04, control=False),
    Fault("expiry", "commands expire unread", expiring, control=False),
    Fault("channels", "broker closes channels", channels_broken_off, 20, control=False),
    Fault("cut-postgres", "network to PostgreSQL goes silent", cut_off("database_proxy")),
    Fault("mended", "mistake mended, parked replayed", mended_and_replayed, poison=0.04, mended=True, control=False),
)

KILLS = Fault(
    "kills",
    "kill -9 at each of three moments",
    killed("before-commit", "before-ack", "before-relay"),
    2,
    1,
    starts=False,
)
"""The shorter part that runs with the tests."""
