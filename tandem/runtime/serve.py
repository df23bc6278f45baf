"""Runs services of this process over RabbitMQ until SIGTERM or SIGINT, then drains them.

``eventlet.monkey_patch()`` must have run before anything else was imported.
"""

import gc
import os
import signal
from collections.abc import Sequence
from typing import Any

import eventlet
import structlog
from eventlet.event import Event

from shared.bus.transport.hub import HUB
from shared.bus.transport.runner import Running
from shared.bus.transport.wiring import Wiring, utc_now
from shared.contract.words import SERVICES
from shared.db.rule_store import StoredRules
from shared.ops.health import Check, HealthServer
from shared.ops.rule_metrics import RuleMetrics
from shared.ops.rule_page import rules_page
from shared.ops.settings import Settings
from shared.rules.lifecycle.polling import RulePoller
from shared.rules.lifecycle.rule_book import RuleBook
from shared.rules.reading.garbage_collection import freeze_existing
from tandem.runtime.databases import stored_rules
from tandem.runtime.loop_watch import LoopWatch
from tandem.runtime.service_classes import service_named

_log = structlog.get_logger("tandem.serve")

AFTER_DRAIN_S = 5.0
"""What stopping may take on top of draining before the process ends anyway: the broker delivers the rest again."""


class UnknownService(ValueError):
    """The message names the services there are."""


def services_named(names: Sequence[str]) -> list[type[Any]]:
    """The service classes; raises UnknownService."""
    unknown = [name for name in names if name not in SERVICES]
    if unknown:
        raise UnknownService(f"no service {', '.join(unknown)}; there are {', '.join(SERVICES)}")
    return [service_named(name) for name in dict.fromkeys(names)]


def tell_unbound(services: Sequence[str]) -> None:
    """Warns of services for which PostgreSQL does not keep tenants apart, so that only their own queries do."""
    if services:
        todo = "set TANDEM_DATABASE_OWNER_URL to another role and run tandem db upgrade"
        _log.warning("row-level security does not bind the database role", service=",".join(services), todo=todo)


def tell_logged(cures: Sequence[str]) -> None:
    """Warns that PostgreSQL's own log would hold athletes' data; ``cures``: SQL for a superuser."""
    if cures:
        _log.warning("the database server's own log may hold athletes' data", todo="; ".join(cures))


def serve(services: Sequence[type[Any]], settings: Settings, with_rules: bool = True) -> int:
    """Blocks; returns the exit code: 0 after a clean stop, 1 when a service died or did not drain in time."""
    stored = stored_rules(services, settings, HUB) if with_rules else None
    book = _rule_book(settings, stored) if with_rules else None
    gc.collect()
    gc.freeze()  # modules and models stay; without this every full collection walks through all of them, for 50 ms
    running = Running(services, Wiring(settings, book))
    names = [service.name for service in services]
    checks = {f"broker-{name}": _connected(running, name) for name in names}
    documents = {"/rules": rules_page(book)} if book is not None else {}
    checks |= {f"database-{name}": _answering(running, name) for name in names}
    loop = LoopWatch()
    loop.start()
    with HealthServer(
        settings.metrics_host,
        settings.metrics_port,
        checks,
        documents,
        loop,
        settings.loop_stall_seconds,
        settings.loop_stuck_seconds,
    ):
        watch = RulePoller(book, settings.rules_poll_seconds, HUB.spawn, freeze_existing) if book is not None else None
        if watch is not None:
            watch.start()
        try:
            return _until_signal(running, settings, ",".join(names))
        finally:
            if watch is not None:
                watch.stop()
            if book is not None:
                book.close()
            if stored is not None:
                stored.close()


def _rule_book(settings: Settings, stored: StoredRules | None) -> RuleBook:
    return RuleBook(
        settings.rules_dir,
        settings.rules_engine,
        stored,
        observer=RuleMetrics(),
        today=lambda: utc_now().date(),
        run_blocking=HUB.off_hub,
        all_at_once=False,
    )


def _until_signal(running: Running, settings: Settings, names: str) -> int:
    stop = Event()

    def asked(number: int, _frame: Any) -> None:
        if stop.ready():
            os._exit(1)  # asked twice: somebody is in a hurry, and nothing unacknowledged is lost
        # A signal handler runs in whatever green thread is current; it must not switch.
        eventlet.hubs.get_hub().schedule_call_global(0, stop.send, number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, asked)
    starting = eventlet.spawn(running.start)
    died = eventlet.spawn(_wait_for_death, running, stop)
    number = stop.wait()
    died.kill()
    if number == 0:
        running.kill()
        return 1
    _log.info("draining", service=names, signal=number, deadline_seconds=settings.drain_seconds)
    try:
        with eventlet.Timeout(settings.drain_seconds + AFTER_DRAIN_S):
            if starting.dead:
                running.stop()
            else:  # still looking for its broker: nothing was taken
                running.kill()
    except eventlet.Timeout:
        _log.warning("not drained in time; the broker will deliver again", service=names)
        return 1
    _log.info("stopped", service=names)
    return 0


def _wait_for_death(running: Running, stop: Event) -> None:
    try:
        running.wait()
    except Exception:  # noqa: BLE001 - logged; the process ends with code 1 for who restarts it
        _log.exception("a service died")
    if not stop.ready():
        stop.send(0)


def _connected(running: Running, service: str) -> Check:
    return lambda: None if running.connected(service) else f"{service} has no connection to the broker"


def _answering(running: Running, service: str) -> Check:
    return lambda: running.database_problem(service)
