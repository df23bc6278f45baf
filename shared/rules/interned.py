"""One object for conditions that ask the same, so that what was made of one is found again for the next.

Tenants share the base's rules, and a saved file brings back all rules but one as they were.
"""

import contextlib
import hashlib
from collections import OrderedDict
from typing import Any

from shared.rules.model import Condition, Leaf, Not

REMEMBERED = 2_000

_known: OrderedDict[bytes, Condition] = OrderedDict()


def interned(condition: Condition) -> Condition:
    """``condition`` or the equal one seen before; 1, True and "1" are not equal here."""
    key = hashlib.sha256(repr(_key(condition)).encode()).digest()
    found = _known.setdefault(key, condition)
    with contextlib.suppress(KeyError):  # Another thread may just have dropped it.
        _known.move_to_end(key)  # What the base asks comes again with every tenant.
    while len(_known) > REMEMBERED:
        _known.popitem(last=False)
    return found


def _key(condition: Condition) -> tuple[Any, ...]:
    if isinstance(condition, Leaf):
        value = condition.value
        return (condition.feature, condition.op, type(value), str(value), condition.lasting_days)
    if isinstance(condition, Not):
        return (Not, _key(condition.of))
    return (type(condition), *map(_key, condition.of))
