"""Runs services of this process over RabbitMQ until SIGTERM or SIGINT, then drains them.

``eventlet.monkey_patch()`` must have run before anything else was imported.
"""

import gc
import math
import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import eventlet
import structlog
from eventlet.event import Event
from sqlalchemy.exc import InterfaceError, OperationalError

from shared.bus.operations.management import ManagementRefused, ManagementUnavailable
from shared.bus.operations.tenant_watch import TenantWatch
from shared.bus.transport.hub import HUB
from shared.bus.transport.runner import Running
from shared.bus.transport.wiring import Wiring, utc_now
from shared.contract.words import SERVICES
from shared.db.rule_store import StoredRules
from shared.ops import metrics
from shared.ops.health import Check, HealthServer
from shared.ops.rule_metrics import RuleMetrics
from shared.ops.rule_page import rules_page
from shared.ops.settings import Settings
from shared.rules.lifecycle.polling import RulePoller
from shared.rules.lifecycle.rule_book import RuleBook
from shared.rules.lifecycle.rule_worker import WorkerLimits
from shared.rules.reading.garbage_collection import freeze_existing
from tandem.runtime.broker import management_of
from tandem.runtime.databases import DECIDES, stored_rules
from tandem.runtime.green_threads import log_failures
from tandem.runtime.loop_watch import LoopWatch
from tandem.runtime.service_classes import service_named

_log = structlog.get_logger("tandem.serve")

FIRST_WAIT_S, MOST_WAIT_S = 0.5, 10.0
"""Between two looks for a database that is away at the start; each wait is twice the one before."""
TELL_EVERY_S = 60.0
_REFUSED_WAITS = 15
"""So many times as long it is before the management API is asked again that did not answer, or not us."""
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


class _Started:
    """What the checks of a process look at. ``why``: what it waits for before it can start; ``running``: afterwards."""

    why = "is being started"
    running: Running | None = None

    def connected(self, service: str) -> Check:
        return lambda: (
            None if self.running and self.running.connected(service) else f"{service} has no connection to the broker"
        )

    def answering(self, service: str) -> Check:
        return lambda: self.running.database_problem(service) if self.running else self.why


def serve(
    services: Sequence[type[Any]],
    settings: Settings,
    with_rules: bool = True,
    look: Callable[[], object] = lambda: None,
) -> int:
    """Blocks; returns the exit code: 0 after a clean stop, 1 when a service died or did not drain in time.

    ``look``: at the databases, before anything is started; while it raises an SQLAlchemyError that means "away", this
    waits, alive and not ready, for ever: started anew it would find nothing else.
    """
    names = [service.name for service in services]
    started = _Started()
    checks = {f"broker-{name}": started.connected(name) for name in names}
    checks |= {f"database-{name}": started.answering(name) for name in names}
    log_failures()
    loop = LoopWatch()
    loop.start()
    with HealthServer(
        settings.metrics_host,
        settings.metrics_port,
        checks,
        None,
        loop,
        settings.loop_stall_seconds,
        settings.loop_stuck_seconds,
    ) as health:
        _until_there(look, started, names)
        stored = stored_rules(services, settings, HUB) if with_rules else None
        try:
            book = _rule_book(settings, stored) if with_rules else None
            gc.collect()
            gc.freeze()  # modules and models stay; without this every full collection walks through all, for 50 ms
            running = started.running = Running(services, Wiring(settings, book))
            watch = None
            if book is not None:
                health.documents["/rules"] = rules_page(book)
                watch = RulePoller(book, settings.rules_poll_seconds, HUB.spawn, freeze_existing)
                watch.start()
            if DECIDES in names and settings.tenant_watch_seconds:
                HUB.spawn(partial(_watch_tenants, settings))
            try:
                return _until_signal(running, settings, ",".join(names))
            finally:
                if watch is not None:
                    watch.stop()
                if book is not None:
                    book.close()
        finally:
            if stored is not None:
                stored.close()


def _watch_tenants(settings: Settings) -> None:
    """Without end. Where the management API is not for us, tenants are bounded by the broker's own limits alone."""
    watch = TenantWatch(management_of(settings), settings.tenant_queues, settings.tenant_queue_megabytes * 1024 * 1024)
    refused = ""
    while True:
        try:
            watch.look()
            refused = ""
        except (ManagementUnavailable, ManagementRefused) as error:
            if not refused:
                _log.warning("tenants' queues are not looked at", reason=str(error), todo="set TANDEM_MANAGEMENT_URL")
            refused = str(error)
        eventlet.sleep(settings.tenant_watch_seconds * (_REFUSED_WAITS if refused else 1))


def _until_there(look: Callable[[], object], started: _Started, names: Sequence[str]) -> None:
    """Returns when ``look`` finds the databases; says that it waits, and says so again every minute."""
    waits_s, began, told = FIRST_WAIT_S, time.monotonic(), -math.inf
    while True:
        try:
            look()
        except (OperationalError, InterfaceError) as error:
            started.why = f"the database does not answer: {type(error.orig).__name__}"
            for name in names:  # its sweeper, which says so later on, is not there yet
                metrics.database_answers.labels(name).set(0)
            waited = time.monotonic() - began
            if waited - told >= TELL_EVERY_S:
                told, words = waited, str(error.orig).partition("\n")[0]
                _log.warning("waiting for the database", service=",".join(names), reason=words, seconds=round(waited))
        else:
            if told >= 0:
                _log.info("the database is there", service=",".join(names), seconds=round(time.monotonic() - began))
            return
        eventlet.sleep(waits_s)
        waits_s = min(2 * waits_s, MOST_WAIT_S)


def _rule_book(settings: Settings, stored: StoredRules | None) -> RuleBook:
    return RuleBook(
        settings.rules_dir,
        settings.rules_engine,
        stored,
        observer=RuleMetrics(),
        today=lambda: utc_now().date(),
        run_blocking=HUB.off_hub,
        worker=WorkerLimits(settings.rules_cpu_seconds, settings.rules_memory_mb),
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
