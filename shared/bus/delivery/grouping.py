"""Messages of a batch that one call of ``Route.handle_many`` can take as one group."""

from dataclasses import dataclass, field

from shared.bus.delivery.validation import Readable
from shared.bus.routes import Route

_GUESS_S = 0.005
_TRUST = 0.3


class GroupSize:
    """How many athletes a call of ``handle_many`` may be about, by what the calls of its route took so far.

    A batch is one transaction, and while it lasts everybody else waits; what most handlers do, they do per athlete.
    """

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._seconds: dict[str, float] = {}

    def fits(self, route: Route, athletes: int) -> bool:
        return athletes <= 1 or athletes * self._seconds.get(route.key, _GUESS_S) <= self._within_s

    def took(self, route: Route, athletes: int, seconds: float) -> None:
        each = seconds / max(athletes, 1)
        before = self._seconds.get(route.key, each)
        self._seconds[route.key] = before + _TRUST * (each - before)


@dataclass(slots=True)
class Group:
    """Neighbours in a batch with one route and one tenant, each under an id of its own."""

    route: Route | None = None
    tenant: str = ""
    readings: list[Readable] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)
    _athletes: set[str | None] = field(default_factory=set)

    @property
    def athletes(self) -> int:
        """How many different ones the messages are about."""
        return len(self._athletes)

    def athletes_with(self, reading: Readable) -> int:
        """The same with one more message."""
        return len(self._athletes) + (_athlete_of(reading) not in self._athletes)

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
        self._athletes.add(_athlete_of(reading))

    def clear(self) -> list[Readable]:
        """What waited; nothing waits any more."""
        readings, self.readings = self.readings, []
        self._ids.clear()
        self._athletes.clear()
        return readings


def _athlete_of(reading: Readable) -> str | None:
    return getattr(reading.incoming.body, "athlete", None)
