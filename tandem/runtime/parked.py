"""The parked messages of several services together, for the command.

``eventlet.monkey_patch()`` must have run before anything else was imported.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from shared.bus.operations.parked_queue import Action, Audit, Filter, Parked, ParkedQueue, RateLimit
from shared.bus.transport.wiring import utc_now
from shared.db.engine import Database
from shared.ops.settings import Settings
from tandem.runtime.broker import broker_of


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

    def find(self, wanted: Filter) -> list[Parked]:
        """Changes nothing."""
        parked_messages: list[Parked] = []
        for service in self._services:
            with ParkedQueue(service, self._open_broker) as queue:
                parked_messages += [parked for _, parked in queue.read() if wanted.takes(parked)]
        return parked_messages

    def settle(self, action: Action, wanted: Filter, by: str, per_second: float | None = None) -> Done:
        """Raises PublishFailed; what was replayed until then is replayed, the rest is still parked."""
        done, limit = Done(), RateLimit(per_second)
        for service in self._services:
            database = Database(service, self._settings.database_url_of(service))
            audit = Audit(database, by, utc_now)
            try:
                with ParkedQueue(service, self._open_broker) as queue:
                    for message, parked in queue.read():
                        if not wanted.takes(parked):
                            continue
                        if action == "replay" and parked.problem is not None:
                            done.kept.append(parked)
                            continue
                        limit.step()
                        note = partial(audit.note, action, parked)
                        if action == "replay":
                            queue.replay(message, parked, note)
                        else:
                            queue.drop(message, note)
                        done.settled.append(parked)
            finally:
                database.dispose()
        return done
