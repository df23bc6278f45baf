"""Turns routes and timers into a nameko service: the few lines that every ``services/*/service.py`` needs."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import eventlet
import structlog
from nameko.extensions import DependencyProvider
from nameko.timer import Timer as TimerEntrypoint
from sqlalchemy import MetaData
from sqlalchemy.exc import SQLAlchemyError

from shared.bus.broker import BrokerAway, Publisher, PublishFailed
from shared.bus.delivery.dispatch import FairShares
from shared.bus.delivery.inbox import Retention
from shared.bus.delivery.outbox import Relay
from shared.bus.delivery.outbox_sweeper import Sweeper
from shared.bus.delivery.processor import Batch, Processor
from shared.bus.operations.erase_from_queues import QueuesOfErased
from shared.bus.operations.parked_queue import ParkedDepth
from shared.bus.routes import Route, Timer
from shared.bus.transport.amqp_broker import AmqpBroker
from shared.bus.transport.consumer import batches
from shared.bus.transport.hub import HUB
from shared.bus.transport.in_memory import MemoryPublisher
from shared.bus.transport.publisher import PipelinedPublisher
from shared.bus.transport.wiring import wiring_of
from shared.db.engine import Database
from shared.messages.envelope import Delivery
from shared.ops.heavy_work import HeavyLimits, HeavyWork
from shared.ops.settings import Settings

MEASURED_EVERY = 6
"""Sweeps of the outbox between two looks at how many messages are parked."""
_log = structlog.get_logger("tandem.service")


class ServiceBus(DependencyProvider):  # type: ignore[misc]  # nameko ships no types
    """A service's database, processor and relay; alive from the container's start to its stop."""

    def __init__(self, routes: Sequence[Route], metadata: MetaData) -> None:
        self._routes = tuple(routes)
        self._metadata = metadata

    def setup(self) -> None:
        wiring = wiring_of(self.container)
        name = self.container.service_name
        settings = wiring.settings
        url = settings.database_url_of(name)
        self.database = Database(
            name,
            url,
            wiring.durable,
            settings.database_answer_seconds,
            settings.database_idle_seconds,
            settings.database_pool,
            HUB,
        )
        # What waits in memory ends with the process, and nobody can look at it.
        self._queues = None if wiring.in_memory else QueuesOfErased(name, lambda: AmqpBroker(wiring.connector()))
        self._parked = None if wiring.in_memory else ParkedDepth(name, lambda: AmqpBroker(wiring.connector()))
        self.heavy = None if wiring.in_memory else HeavyWork(_heavy_limits(settings), HUB.off_hub)
        self.processor = Processor(
            name,
            self._routes,
            self.database,
            wiring.rules,
            wiring.clock,
            user_id_required=not wiring.in_memory,
            shares=None if self.heavy is None else _shares(settings, self.heavy),
            erase_waiting=None if self._queues is None else self._queues.erase_athlete,
            hub=HUB,
            heavy=self.heavy,
            max_clock_ahead=timedelta(seconds=settings.max_clock_ahead_seconds),
        )
        self._publishers: list[Publisher] = [
            MemoryPublisher(wiring.connector())
            if wiring.in_memory
            else PipelinedPublisher(wiring.connector(), settings.confirm_timeout_seconds)
            for _ in ("relay", "sweeper")
        ]
        self._clock = wiring.clock
        self._sweep_seconds = settings.outbox_sweep_seconds
        self._retention_seconds = settings.retention_seconds
        self.retention = Retention(
            self.database,
            self.processor.store,
            self._metadata,
            timedelta(days=settings.inbox_days),
            timedelta(days=settings.erasure_days),
        )
        self.relay = Relay(name, self.database, self.processor.store.outbox, self._publishers[0], HUB)
        self.sweeper = Sweeper(
            self.relay,
            self.database,
            self.processor.store,
            self._publishers[1],
            lambda: int(wiring.clock().timestamp() * 1000),
            sweep_age_ms=int(settings.outbox_sweep_seconds * 1000),
        )

    def start(self) -> None:
        self._relaying = self.container.spawn_managed_thread(self.relay.run, identifier="relay")
        self._sweeping = self.container.spawn_managed_thread(self._sweep, identifier="outbox sweeper")

    def stop(self) -> None:
        self._sweeping.kill()
        self.relay.stop()
        self._relaying.wait()
        if self.heavy is not None:
            self.heavy.close()
        for publisher in self._publishers:
            publisher.close()
        self.database.dispose()

    @property
    def is_held_up(self) -> bool:
        """Whether nothing may be taken in: the broker does not take what the service has to put somewhere."""
        return self.sweeper.is_held_up

    def get_dependency(self, worker_ctx: Any) -> "ServiceBus":
        return self

    def process(self, deliveries: Sequence[Delivery]) -> Batch:
        return self.processor.process(deliveries)

    def run_timer(self, timer: Timer) -> None:
        for rows in self.processor.run_timer(timer, goes_on=lambda: not self._stops()):
            self.relay.hand_over(rows)
            eventlet.sleep(0)  # messages that wait for the database have their turn in between

    def _stops(self) -> bool:
        """Whether the service was told to stop: whoever is still due is so when it is back, or with a replica."""
        timers = (one for one in self.container.entrypoints if isinstance(one, TimerEntrypoint))
        return any(one.should_stop.ready() for one in timers)

    def _sweep(self) -> None:
        forget_at = measure_at = 0.0
        while True:
            try:
                self.relay.keep_alive()
                self.sweeper.keep_alive()
                self.sweeper.sweep()
                if self._parked is not None and time.monotonic() >= measure_at:
                    measure_at = time.monotonic() + MEASURED_EVERY * self._sweep_seconds
                    self._parked.measure()
                if time.monotonic() >= forget_at:
                    forget_at = time.monotonic() + self._retention_seconds
                    self.retention.forget(self._clock())
                    if self._queues is not None:
                        self.processor.tell_dropped(self._queues.erase_since(self.retention.erased()))
            except (PublishFailed, SQLAlchemyError, BrokerAway):  # also that no connection was to be had in time
                _log.warning("sweeping the outbox failed", service=self.container.service_name, exc_info=True)
            eventlet.sleep(self._sweep_seconds)


def _heavy_limits(settings: Settings) -> HeavyLimits:
    return HeavyLimits(
        settings.planning_week_seconds,
        settings.planning_tenant_seconds,
        settings.planning_memory_mb,
        settings.planning_processes,
    )


def _shares(settings: Settings, heavy: HeavyWork) -> FairShares:
    return FairShares(settings.tenant_share, settings.tenant_in_flight, over_budget=heavy.is_over_budget)


def tandem_service(name: str, routes: Sequence[Route], timers: Sequence[Timer], metadata: MetaData) -> type[Any]:
    """The nameko service class of ``name``; ``metadata`` is that of its tables (``store.Tables.metadata``)."""

    def take(self: Any, deliveries: Sequence[Delivery]) -> Batch:
        batch: Batch = self.bus.process(deliveries)
        return batch

    for source in ("command", "event", "throttled", "dead"):
        take = batches(source, routes)(take)
    members: dict[str, Any] = {
        "name": name,
        "routes": tuple(routes),
        "timers": tuple(timers),
        "metadata": metadata,
        "bus": ServiceBus(routes, metadata),
        "take": take,
    }
    for timer in timers:
        members[f"timer_{timer.name.replace('-', '_')}"] = _timer_method(timer)
    return type(f"{name.capitalize()}Service", (), members)


def _timer_method(timer: Timer) -> Callable[[Any], None]:
    def tick(self: Any) -> None:
        self.bus.run_timer(timer)

    entrypoint: Callable[[Callable[[Any], None]], Callable[[Any], None]] = TimerEntrypoint.decorator(
        interval=timer.seconds, eager=True
    )
    return entrypoint(tick)
