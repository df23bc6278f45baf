"""What was made of objects, remembered for those asked for last.

By identity, not equality: conditions of 1, 1.0 and True are equal to Python and not the same rule, and comparing two
deep trees would cost more than it saves. Each entry holds its objects, so that no other can take over their identity.
"""

import contextlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Subject = TypeVar("Subject")
Made = TypeVar("Made")


class Kept(Generic[Made]):
    """At most ``limit`` entries; the longest unused goes first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._made: OrderedDict[tuple[int, ...], tuple[tuple[object, ...], Made]] = OrderedDict()

    def get(self, *subjects: object) -> Made | None:
        key = tuple(map(id, subjects))
        found = self._made.get(key)
        if found is None:
            return None
        with contextlib.suppress(KeyError):  # Another thread may just have dropped it.
            self._made.move_to_end(key)
        return found[1]

    def keep(self, made: Made, *subjects: object) -> None:
        self._made[tuple(map(id, subjects))] = (subjects, made)
        while len(self._made) > self._limit:
            with contextlib.suppress(KeyError):
                self._made.popitem(last=False)

    def __len__(self) -> int:
        return len(self._made)


class ByIdentity(Generic[Subject, Made]):
    """A function of one object, remembered. Two threads may both make, and make the same."""

    def __init__(self, make: Callable[[Subject], Made], limit: int) -> None:
        self._make = make
        self._kept: Kept[Made] = Kept(limit)

    def __call__(self, subject: Subject) -> Made:
        """Raises what ``make`` raises, and then remembers nothing. ``make`` never returns None."""
        found = self._kept.get(subject)
        if found is None:
            found = self._make(subject)
            self._kept.keep(found, subject)
        return found
