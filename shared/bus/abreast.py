"""Batches of one process side by side: those that are about the same athlete go one after the other, as they came.

Over replicas the database's locks see to it that an athlete's messages take turns, but in any order. Within a process
they keep theirs, so that who reads a queue alone sees its messages handled as if there were no second batch.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from eventlet.event import Event

Athlete = tuple[str, str | None]
"""(tenant, athlete); without an athlete a message is about all of its tenant."""


class _UnderWay:
    def __init__(self, about: Iterable[Athlete]) -> None:
        self._athletes = frozenset(about)
        self._tenants = frozenset(tenant for tenant, _ in self._athletes)
        self._whole = frozenset(tenant for tenant, athlete in self._athletes if athlete is None)
        self.ended = Event()

    def meets(self, other: "_UnderWay") -> bool:
        return not (
            self._athletes.isdisjoint(other._athletes)
            and self._whole.isdisjoint(other._tenants)
            and other._whole.isdisjoint(self._tenants)
        )


class Abreast:
    """The batches of one process that are under way."""

    def __init__(self) -> None:
        self._under_way: list[_UnderWay] = []

    @contextmanager
    def turn(self, about: Iterable[Athlete]) -> Iterator[None]:
        """Waits for the batches that came before and meet this one."""
        mine = _UnderWay(about)
        before = [other for other in self._under_way if other.meets(mine)]
        self._under_way.append(mine)
        try:
            for other in before:
                other.ended.wait()
            yield
        finally:
            self._under_way.remove(mine)
            mine.ended.send(None)
