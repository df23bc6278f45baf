"""Caches of what was made of objects, and one object for conditions that ask the same.

By identity, not equality: conditions of 1, 1.0 and True are equal to Python and not the same rule, and comparing two
deep trees would cost more than it saves. Each entry holds its objects, so that no other can take over their identity.
"""

import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from shared.rules.model import Condition, Leaf, Not

MAX_INTERNED = 2_000

_interned: OrderedDict[bytes, Condition] = OrderedDict()

Subject = TypeVar("Subject")
Made = TypeVar("Made")


class IdentityCache(Generic[Made]):
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

    def put(self, made: Made, *subjects: object) -> None:
        self._made[tuple(map(id, subjects))] = (subjects, made)
        while len(self._made) > self._limit:
            with contextlib.suppress(KeyError):
                self._made.popitem(last=False)

    def __len__(self) -> int:
        return len(self._made)


class Memoized(Generic[Subject, Made]):
    """A function of one object, remembered. Two threads may both make, and make the same."""

    def __init__(self, make: Callable[[Subject], Made], limit: int) -> None:
        self._make = make
        self._cache: IdentityCache[Made] = IdentityCache(limit)

    def __call__(self, subject: Subject) -> Made:
        """Raises what ``make`` raises, and then remembers nothing. ``make`` never returns None."""
        found = self._cache.get(subject)
        if found is None:
            found = self._make(subject)
            self._cache.put(found, subject)
        return found


def interned(condition: Condition) -> Condition:
    """``condition`` or the equal one seen before; 1, True and "1" are not equal here.

    Tenants share the base's rules, and a saved file brings back all rules but one as they were.
    """
    key = hashlib.sha256(repr(_key(condition)).encode()).digest()
    found = _interned.setdefault(key, condition)
    with contextlib.suppress(KeyError):  # Another thread may just have dropped it.
        _interned.move_to_end(key)  # What the base asks comes again with every tenant.
    while len(_interned) > MAX_INTERNED:
        _interned.popitem(last=False)
    return found


def _key(condition: Condition) -> tuple[Any, ...]:
    if isinstance(condition, Leaf):
        value = condition.value
        return (condition.feature, condition.op, type(value), str(value), condition.lasting_days)
    if isinstance(condition, Not):
        return (Not, _key(condition.of))
    return (type(condition), *map(_key, condition.of))
