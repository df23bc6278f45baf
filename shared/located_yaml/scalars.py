"""What an unquoted scalar is: by the YAML 1.2 core schema only true, false, null and numbers are more than text.

Octal and hexadecimal numbers stay text (``0x1f`` is somebody's id); ``010`` is ten. ``inf`` and ``nan`` are numbers
that no file has a use for: the parser refuses them.
"""

import math
import re
from functools import lru_cache

from shared.located_yaml.nodes import ScalarValue

_WORDS: dict[str, ScalarValue | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WHOLE = re.compile(r"[-+]?[0-9]{1,40}")
_LONGEST_CACHED = 40


class NotFinite(ValueError):
    """A number that is infinite or none at all."""


def resolved(text: str) -> ScalarValue | None:
    """So ``off``, ``no``, dates and clock times stay as written. Raises ``NotFinite``."""
    return _cached(text) if len(text) <= _LONGEST_CACHED else number(text) if _NUMBER.fullmatch(text) else text


@lru_cache(maxsize=4096)  # a pack of forty rules has 3,700 words, 280 of them different; long ones would fill memory
def _cached(text: str) -> ScalarValue | None:
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.fullmatch(text):
        raise NotFinite
    return number(text) if _NUMBER.fullmatch(text) else text


def number(digits: str) -> float:
    """Raises ``NotFinite``, also for digits that say more than a number can hold, like 1e999."""
    value = float(digits)
    if not math.isfinite(value):
        raise NotFinite
    return value


def whole(text: str) -> int | None:
    """The whole number that ``text`` says, to its last digit; None when it says none."""
    return int(text) if _WHOLE.fullmatch(text) else None
