"""The real load service and the counting one in one process: ``python -m tests.faults.service``.

FAULT_DIES says where it kills itself, FAULT_DIES_AFTER after how many messages; sessions named poison-… make the real
handler's transaction fail for ever, unless FAULT_MENDED. FAULT_TALLY is where it counts what must outlive it.
"""

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402 - nothing may be imported before the patch
import signal  # noqa: E402
import sys  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from dataclasses import replace  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from services.load.handlers import ROUTES, TIMERS  # noqa: E402
from services.load.store import Tables  # noqa: E402
from shared.bus.delivery.inbox import DeliveryStore  # noqa: E402
from shared.bus.delivery.outbox import Relay  # noqa: E402
from shared.bus.routes import Context, Incoming, Route  # noqa: E402
from shared.bus.transport.consumer import BatchEntrypoint  # noqa: E402
from shared.bus.transport.nameko_service import tandem_service  # noqa: E402
from shared.ops.logging import configure_logging  # noqa: E402
from shared.ops.settings import read_settings  # noqa: E402
from tandem.runtime.serve import serve  # noqa: E402
from tests.faults.script import POISON  # noqa: E402
from tests.faults.tally import REDELIVERED, Tally, died  # noqa: E402
from tests.toy import service as toy  # noqa: E402

_left = int(os.environ.get("FAULT_DIES_AFTER", "0"))
moment = os.environ.get("FAULT_DIES", "")
tally = Tally(Path(os.environ["FAULT_TALLY"]))


def die_after(messages: int) -> None:
    """No more than a power cut would leave."""
    global _left
    _left -= messages
    if messages and _left <= 0:
        tally.add(died(moment), messages)
        os.kill(os.getpid(), signal.SIGKILL)


def dying(owner: Any, name: str, count: Any, first: bool) -> None:
    """Makes a method count messages and die, before (``first``) or after its work."""
    whole = getattr(owner, name)

    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        if first:
            die_after(count(*arguments))
        result = whole(self, *arguments, **named)
        if not first:
            die_after(count(*arguments))
        return result

    setattr(owner, name, method)


def poisoned(route: Route) -> Route:
    """The same route, whose handler has a mistake that only some sessions meet, after it has written."""
    if route.key != "load.record-session" or "FAULT_MENDED" in os.environ:
        return route

    def meet(calls: Sequence[tuple[Context, Incoming[Any]]]) -> None:
        for context, incoming in calls:
            if incoming.body.session.startswith(POISON):
                context.db.flush()
                raise RuntimeError("this handler has a mistake")

    def handle(context: Context, incoming: Incoming[Any]) -> Any:
        outcome = route.handle(context, incoming)
        meet([(context, incoming)])
        return outcome

    def handle_many(calls: Sequence[tuple[Context, Incoming[Any]]]) -> Any:
        assert route.handle_many is not None
        outcomes = route.handle_many(calls)
        meet(calls)
        return outcomes

    return replace(route, handle=handle, handle_many=handle_many if route.handle_many is not None else None)


class FailedBefore(set[str]):
    """Flaky messages fail the first time only, whichever process meets them."""

    def __contains__(self, athlete: object) -> bool:
        return tally.count(f"failed-{athlete}") > 0

    def add(self, athlete: str) -> None:
        tally.add(f"failed-{athlete}")


toy._failed_before = FailedBefore()


def counting_redeliveries(self: Any, subscription: Any, message: Any) -> None:
    if message.delivery_info.get("redelivered"):
        tally.add(REDELIVERED)
    receive(self, subscription, message)


receive = BatchEntrypoint.receive
BatchEntrypoint.receive = counting_redeliveries  # type: ignore[method-assign]

match moment:
    case "before-commit":
        dying(DeliveryStore, "write", lambda _db, taken, _messages: len(taken), first=False)
    case "before-ack":
        dying(BatchEntrypoint, "_acknowledge", lambda done, _rest: len(done), first=True)
    case "before-relay":
        dying(Relay, "hand_over", len, first=True)

if __name__ == "__main__":
    settings = read_settings({name: value for name, value in os.environ.items() if name.startswith("TANDEM_")})
    configure_logging(settings.log_level)
    LoadService = tandem_service("load", [poisoned(route) for route in ROUTES], TIMERS, Tables.metadata)
    sys.exit(serve([LoadService, toy.ToyService], settings))
