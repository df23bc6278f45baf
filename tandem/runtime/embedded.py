"""All four services in one process, on a broker in memory and SQLite files: the demo, and most end-to-end tests.

It proves nothing about delivery (the broker dies with the process); what it computes is what the services compute.
``eventlet.monkey_patch()`` must have run before anything else was imported.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

import eventlet
from kombu import Connection
from kombu.transport import memory

from shared.bus.delivery.unit_of_work import Clock
from shared.bus.queue_names import work_queues
from shared.bus.transport.hub import HUB
from shared.bus.transport.in_memory import MemoryPlatform, Message
from shared.bus.transport.runner import Running
from shared.bus.transport.wiring import POLLING_INTERVAL_S, Wiring, utc_now
from shared.db.engine import Database
from shared.db.migrations import create_all
from shared.messages.validation import InvalidInput, Problem
from shared.ops.settings import Settings
from shared.rules.lifecycle.polling import RulePoller
from shared.rules.lifecycle.rule_book import RuleBook
from tandem.runtime.databases import stored_rules
from tandem.runtime.service_classes import all_services

_SETTLED_CHECK_S = 0.002


class NotSettled(TimeoutError):
    """Messages are still under way; the text says how many and where."""


class Embedded:
    """Services between ``with`` and its end.

    >>> with Embedded(folder, rules_dir) as tandem:           # doctest: +SKIP
    ...     tandem.send("acme", "athlete.put", {"athlete": "a1", "timezone": "Europe/Berlin"})
    ...     tandem.settle()
    ...     week = tandem.ask("acme", "scheduling.get-week", {"athlete": "a1", "week_start": "2026-03-09"})

    ``clock`` gives "now" to every service (aware UTC). Timers still fire by real time; ``tick`` fires them all at once.
    ``rules_dir`` None: services that decide nothing. One at a time per process: the memory broker is the process's.
    """

    _open = False

    def __init__(
        self,
        folder: Path,
        rules_dir: Path | None,
        clock: Clock = utc_now,
        services: Sequence[type[Any]] | None = None,
        evaluator: str | None = None,
    ) -> None:
        self._services = list(services) if services is not None else all_services()
        self._clock = clock
        settings = Settings(
            amqp_uri="memory://localhost/",
            database_url=f"sqlite:///{folder.resolve()}/{{service}}.sqlite3",
            batch_wait_ms=0,
        )
        for service in self._services:
            create_all(Database(service.name, settings.database_url), service.metadata)
        self._stored = stored_rules(self._services, settings, HUB, durable=False) if rules_dir is not None else None
        self._book = (
            RuleBook(rules_dir, evaluator, self._stored, today=lambda: clock().date())
            if rules_dir is not None
            else None
        )
        self._watch = RulePoller(self._book, settings.rules_poll_seconds, HUB.spawn) if self._book is not None else None
        self._settings = settings
        self._wiring = Wiring(settings, self._book, clock, durable=False)
        self._running = Running(self._services, self._wiring)
        self._queues = work_queues(service.name for service in self._services)

    def __enter__(self) -> Self:
        if Embedded._open:
            raise RuntimeError("another embedded Tandem runs in this process; they would share one memory broker")
        Embedded._open = True
        _forget_memory_broker()
        self._connection = Connection(
            self._settings.amqp_uri, transport_options={"polling_interval": POLLING_INTERVAL_S}
        )
        self._platform = MemoryPlatform(self._connection)
        if self._watch is not None:
            self._watch.start()
        self._running.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._running.stop() if kind is None else self._running.kill()
        finally:
            if self._watch is not None:
                self._watch.stop()
            if self._book is not None:
                self._book.close()
            if self._stored is not None:
                self._stored.close()
            self._connection.release()
            _forget_memory_broker()
            Embedded._open = False

    @property
    def events(self) -> list[Message]:
        """Every event so far, oldest first. They arrive while ``settle``, ``ask`` or ``tell`` waits."""
        return self._platform.events

    @property
    def replies(self) -> dict[str, Message]:
        """Replies so far, by the id of the command."""
        return self._platform.replies

    def send(
        self, tenant: str, key: str, data: Mapping[str, Any], *, id: str | None = None, time: datetime | None = None
    ) -> str:
        """Sends ``key`` (e.g. ``load.record-session``) and returns its id without waiting."""
        return self._platform.send(tenant, key, data, id=id, time=time or self._clock())

    def tell(
        self,
        tenant: str,
        key: str,
        data: Mapping[str, Any],
        *,
        id: str | None = None,
        time: datetime | None = None,
        timeout: float = 10.0,
    ) -> Message:
        """Sends and waits for the reply; raises TimeoutError."""
        if id is not None:
            self.replies.pop(id, None)  # the reply to an earlier message with this id is not the one waited for
        identity = self.send(tenant, key, data, id=id, time=time)
        deadline = monotonic() + timeout
        while identity not in self.replies:
            if monotonic() > deadline:
                raise TimeoutError(f"no reply to {key} within {timeout} s")
            self._collect()
        return self.replies[identity]

    def ask(self, tenant: str, key: str, data: Mapping[str, Any], *, timeout: float = 30.0) -> Mapping[str, Any]:
        """The data of the answer to a query; raises InvalidInput with the problems of a rejection."""
        reply = self.tell(tenant, key, data, timeout=timeout)
        if reply.outcome == "rejected":
            raise InvalidInput([Problem(**problem) for problem in reply.data["errors"]])
        return reply.data

    def settle(self, timeout: float = 60.0) -> None:
        """Returns when nothing is in flight: queues and outboxes empty, every handler done.

        Raises NotSettled when nothing has moved for ``timeout`` seconds: on a busy machine there is progress, slowly.
        """
        deadline = monotonic() + timeout
        seen: object = None
        while True:
            self._collect()
            waiting = {
                name: memory.Channel.queues[name].qsize() for name in self._queues if name in memory.Channel.queues
            }
            in_flight = self._running.in_flight()
            if not any(waiting.values()) and in_flight == 0 and self._outboxes_empty():
                self._collect()
                return
            state = (waiting, in_flight, len(self.events), len(self.replies))
            if state != seen:
                seen, deadline = state, monotonic() + timeout
            elif monotonic() > deadline:
                raise NotSettled(f"nothing moved for {timeout} s: {in_flight} in flight, waiting {waiting}")

    def poll_rules(self) -> None:
        """Looks at rule files and stored packs now, instead of waiting for the next look."""
        if self._book is not None:
            self._book.poll()

    def tick(self) -> None:
        """Fires every timer of every service once, now."""
        for service in self._services:
            for timer in service.timers:
                self._running.bus_of(service.name).run_timer(timer)

    def parked(self) -> int:
        """Messages that a handler could not take; anything but 0 is a mistake of ours."""
        queues = memory.Channel.queues
        return sum(queues[name].qsize() for name in (f"{s.name}.parked" for s in self._services) if name in queues)

    def _outboxes_empty(self) -> bool:
        for service in self._services:
            bus = self._running.bus_of(service.name)
            with bus.database.transaction() as db:
                if not bus.processor.store.outbox.is_empty(db):
                    return False
        return True

    def _collect(self) -> None:
        self._running.raise_if_died()
        eventlet.sleep(_SETTLED_CHECK_S)
        try:
            while True:
                self._connection.drain_events(timeout=0.001)
        except TimeoutError:
            return


def _forget_memory_broker() -> None:
    memory.Channel.queues.clear()
    memory.Transport.global_state.clear()
