"""The parked messages of several services together, for the command.

``eventlet.monkey_patch()`` must have run before anything else was imported.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from shared.bus.broker import HeldMessage
from shared.bus.operations.parked_queue import Audit, Filter, Parked, ParkedQueue, RateLimit, filtered
from shared.bus.transport.wiring import utc_now
from shared.db.engine import Database
from shared.ops.settings import Settings
from tandem.runtime.broker import broker_of

Settle = Callable[[ParkedQueue, HeldMessage, Parked, Audit], None]


@dataclass(frozen=True, slots=True)
class Done:
    """``kept``: messages that were asked for and cannot be replayed."""

    settled: list[Parked] = field(default_factory=list)
    kept: list[Parked] = field(default_factory=list)


class ParkedMessages:
    """Looks into, and acts on, the parked queues of ``services``."""

    def __init__(self, settings: Settings, services: Iterable[str]) -> None:
        self._settings = settings
        self._services = tuple(dict.fromkeys(services))
        self._open_broker = broker_of(settings)

    def found(self, wanted: Filter) -> list[Parked]:
        """Changes nothing."""
        found = []
        for service in self._services:
            with ParkedQueue(service, self._open_broker) as queue:
                found += [parked for _, parked in filtered(queue.read(), wanted)]
        return found

    def replay(self, wanted: Filter, by: str, per_second: float | None = None) -> Done:
        """Raises PublishFailed; what was replayed until then is replayed, the rest is still parked."""

        def settle(queue: ParkedQueue, message: HeldMessage, parked: Parked, audit: Audit) -> None:
            queue.replay(message, parked, lambda: audit.note("replay", parked))

        return self._act(wanted, by, per_second, settle, lambda parked: parked.problem is None)

    def drop(self, wanted: Filter, by: str, per_second: float | None = None) -> Done:
        def settle(queue: ParkedQueue, message: HeldMessage, parked: Parked, audit: Audit) -> None:
            queue.drop(message, lambda: audit.note("drop", parked))

        return self._act(wanted, by, per_second, settle, lambda _parked: True)

    def _act(
        self, wanted: Filter, by: str, per_second: float | None, settle: Settle, possible: Callable[[Parked], bool]
    ) -> Done:
        done, pace = Done(), RateLimit(per_second)
        for service in self._services:
            database = Database(service, self._settings.database_url_of(service))
            audit = Audit(database, by, utc_now)
            try:
                with ParkedQueue(service, self._open_broker) as queue:
                    for message, parked in filtered(queue.read(), wanted):
                        if possible(parked):
                            pace.step()
                            settle(queue, message, parked, audit)
                            done.settled.append(parked)
                        else:
                            done.kept.append(parked)
            finally:
                database.dispose()
        return done
