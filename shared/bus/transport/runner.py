"""Runs services of one process; the only door to nameko for the composition root."""

from collections.abc import Sequence
from typing import Any

from nameko.runners import ServiceRunner

from shared.bus.transport.nameko_service import ServiceBus
from shared.bus.transport.queue_consumer import DrainingQueueConsumer
from shared.bus.transport.wiring import Wiring
from shared.db.engine import Database

_DATABASE_ANSWERS_S = 2.0


class Running:
    """Services between ``start`` and ``stop``."""

    def __init__(self, services: Sequence[type[Any]], wiring: Wiring) -> None:
        self._runner = ServiceRunner(wiring.nameko_config())
        for service in services:
            self._runner.add_service(service)

    def start(self) -> None:
        self._runner.start()

    def stop(self) -> None:
        """Graceful: takes nothing more, drains, publishes, closes."""
        self._runner.stop()

    def kill(self) -> None:
        self._runner.kill()

    def wait(self) -> None:
        """Until every service has stopped; raises what made one die."""
        self._runner.wait()

    def raise_if_died(self) -> None:
        """Raises what made a service die, if one did."""
        for container in self._runner.containers:
            if container._died.ready():
                container.wait()

    def bus_of(self, service: str) -> ServiceBus:
        """The live bus of a service, for the embedded runner and for tests."""
        for extension in self._runner.service_map[service].dependencies:
            if isinstance(extension, ServiceBus):
                return extension
        raise LookupError(f"service {service} has no bus")

    def connected(self, service: str) -> bool:
        """True while the service consumes from its broker."""
        extensions = self._runner.service_map[service].subextensions
        return any(extension.connected for extension in extensions if isinstance(extension, DrainingQueueConsumer))

    def database_problem(self, service: str) -> str | None:
        """Why the service's database cannot be used right now, or None."""
        database: Database | None = getattr(self.bus_of(service), "database", None)
        return "is being started" if database is None else database.problem(_DATABASE_ANSWERS_S)

    def in_flight(self) -> int:
        """Messages taken and not acknowledged, and outbox rows not yet published, over all services."""
        total = 0
        for name, container in self._runner.service_map.items():
            total += sum(getattr(entrypoint, "in_flight", 0) for entrypoint in container.entrypoints)
            total += self.bus_of(name).relay.in_hand
        return total
