"""Messages of a batch that one call of ``Route.handle_many`` can take together."""

from dataclasses import dataclass, field

from shared.bus.handling import Route
from shared.bus.intake import Readable


@dataclass(slots=True)
class Gathered:
    """Neighbours in a batch with one route and one tenant, each under an id of its own."""

    route: Route | None = None
    tenant: str = ""
    readings: list[Readable] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)

    def holds(self, identity: tuple[str, str]) -> bool:
        """Whether a message with this (tenant, id) waits here: what comes next under its id must see its outcome."""
        return identity[1] in self._ids and identity[0] == self.tenant

    def joins(self, reading: Readable) -> bool:
        """Whether ``reading`` may be handled in one call with those that wait."""
        return not self.readings or (reading.route is self.route and reading.incoming.tenant == self.tenant)

    def add(self, reading: Readable) -> None:
        self.route, self.tenant = reading.route, reading.incoming.tenant
        self.readings.append(reading)
        self._ids.add(reading.incoming.id)

    def take_all(self) -> list[Readable]:
        """What waited; nothing waits any more."""
        readings, self.readings = self.readings, []
        self._ids.clear()
        return readings
