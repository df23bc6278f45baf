"""Runs one fault: publishes its script, strikes, waits until all is done, and counts what became of it."""

import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kombu import Connection

from services.load import handlers as load
from shared.bus.transport import topology
from shared.db.engine import Database
from shared.db.migrations import create_all, upgrade
from shared.rules.decisions import Rules
from tests.faults.asking import loads_of
from tests.faults.counting import Count, count_control, count_ours, left_in_outbox, left_in_queues
from tests.faults.ground import EVENTS, Ground, Side, control_side, our_side, until
from tests.faults.report import Report, Row
from tests.faults.scene import Fault, Scene, Witness
from tests.faults.script import Script, make_script
from tests.faults.sending import Sender
from tests.processes import ROOT
from tests.toy import service as toy
from tests.toy.service import Table

DRAIN_S = 180.0
HUNG_S = 30.0
"""How long the control may stand still before it is killed and started again: its hanging handlers are not counted as
lost messages, but the row says that it never drained by itself."""

Counting = Callable[[Script, set[str]], Count]


@dataclass(frozen=True, slots=True)
class Options:
    """``messages``: different ones per fault. ``kills``: how often each kill is repeated in a row. ``replicas``: most
    processes at once. ``tell``: how many wrong messages are named per fault."""

    seed: int = 20260301
    messages: int = 1000
    kills: int = 3
    replicas: int = 2
    tell: int = 10


def prepare(ground: Ground) -> None:
    """Tables, the load service's by its migrations; and queues, so that nothing is sent into the void."""
    upgrade("load", ground.database, ROOT / "services" / "load" / "migrations")
    create_all(Database("toy", ground.database), Table.metadata)
    with Connection(ground.broker.uri) as connection:
        topology.declare(connection.channel(), "load", load.ROUTES)
        topology.declare(connection.channel(), "toy", toy.ROUTES)


def run_all(ground: Ground, faults: Sequence[Fault], rules: Rules, options: Options) -> Report:
    """Every fault on our services, then every one that can be done to it on the control."""
    report = Report(faults=len(faults))
    ours = our_side(ground)

    def measure(script: Script, confirmed: set[str]) -> Count:
        return count_ours(ground, script, confirmed, rules, loads_of(ground, script))

    try:
        for fault in faults:
            report.add(_run(ours, fault, options, measure))
        ours.end()
    finally:
        ours.kill()
    report.left = [*left_in_queues(ground), *(f"{n} rows in an outbox" for n in [left_in_outbox(ground)] if n)]
    _run_control(ground, faults, options, report)
    return report


def _run_control(ground: Ground, faults: Sequence[Fault], options: Options, report: Report) -> None:
    ground.broker.forget(*(f"{service}.{kind}" for service in ("load", "toy") for kind in ("commands", "events")))
    ground.rows("CREATE TABLE effects (message text, athlete text, amount int)")
    ground.take_all(EVENTS)
    with ground.channel() as channel:
        channel.queue_declare("control.commands", durable=True)
        channel.queue_bind("control.commands", "tandem.commands", "#")
    control = control_side(ground)
    try:
        for fault in faults:
            if fault.control:
                report.add(_run(control, fault, options, lambda script, sent: count_control(ground, script, sent)))
    finally:
        control.kill()
        ground.broker.forget("control.commands")


def _run(side: Side, fault: Fault, options: Options, measure: Counting) -> Row:
    ground, ours = side.ground, side.must_stop_cleanly
    side.kills = options.kills
    side.scale(min(fault.replicas, options.replicas), fault.starts)
    script = make_script(fault.name, options.messages, options.seed, datetime.now(UTC), fault.poison, fault.killer)
    first = script.profiles if ours else ()
    sender = Sender(ground.broker.uri, first + script.sends, fault.seconds, wrapped=not ours)
    witness, poison = Witness(), sum(one.fate == "parked" for one in script.messages.values())
    script = script.mended() if fault.mended else script
    chance = random.Random(f"{options.seed} {fault.name} kill points")
    scene = Scene(side, sender, script, chance, witness, poison)
    until(lambda: len(sender.confirmed) > len(first) + len(script.sends) // 20, 30, pause=0.02)  # into the stream
    fault.strike(scene)
    struck = sender.confirmed_at if fault.killer else time.monotonic()
    sender.wait()
    died = side.revive()
    drained = _drained(scene) and not witness.by_hand
    seconds = time.monotonic() - max(struck, sender.confirmed_at) if drained else None
    count = measure(script, sender.confirmed)
    poisonous = {one.id for one in script.sends if one.fate == "parked"}
    for problem in (*count.lost, *count.doubled, *count.wrong_loads)[: options.tell if ours else 0]:
        print(f"  {fault.name}: {problem}", file=sys.stderr)
    row = Row(
        side.name, fault.name, fault.what, len(first) + len(script.sends) + sender.resent, len(count.lost),
        len(count.doubled), len(count.parked), len(count.parked - poisonous),
        len(count.wrong_loads), died if ours else 0, seconds, tuple(witness.seen), tuple(witness.missing),
    )  # fmt: skip
    print(row.line(), file=sys.stderr, flush=True)
    return row


def _drained(scene: Scene) -> bool:
    if scene.side.must_stop_cleanly:
        return until(scene.settled, DRAIN_S, pause=0.3)
    if until(scene.settled, HUNG_S, pause=0.5):
        return True
    scene.side.restart()
    until(scene.settled, DRAIN_S, pause=0.5)
    return False
