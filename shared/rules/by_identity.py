"""What was made of an object, remembered for the objects asked for last.

By identity, not equality: conditions of 1, 1.0 and True are equal to Python and not the same rule, and comparing two
deep trees would cost more than it saves. Each entry holds its object, so that no other can take over its identity.
"""

import contextlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Subject = TypeVar("Subject")
Made = TypeVar("Made")


class ByIdentity(Generic[Subject, Made]):
    """At most ``limit`` entries; the longest unused goes first. Two threads may both make, and make the same."""

    def __init__(self, make: Callable[[Subject], Made], limit: int) -> None:
        self._make = make
        self._limit = limit
        self._made: OrderedDict[int, tuple[Subject, Made]] = OrderedDict()

    def __call__(self, subject: Subject) -> Made:
        """Raises what ``make`` raises, and then remembers nothing."""
        key = id(subject)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = (subject, self._make(subject))
            while len(self._made) > self._limit:
                self._made.popitem(last=False)
            return found[1]
        with contextlib.suppress(KeyError):  # Another thread may just have dropped it.
            self._made.move_to_end(key)
        return found[1]

    def __len__(self) -> int:
        return len(self._made)
