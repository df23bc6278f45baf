"""What an unquoted scalar is: by YAML 1.2 only true, false, null and numbers are more than text."""

import re
from functools import lru_cache

from shared.rules.model import Scalar

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")


_LONGEST_NUMBER = 40


def resolved(text: str) -> Scalar | None:
    """So ``off``, ``no``, dates and clock times stay as written."""
    return _resolved_word(text) if len(text) <= _LONGEST_NUMBER else text


@lru_cache(maxsize=4096)  # a pack of forty rules has 3,700 words, 280 of them different; long ones would fill memory
def _resolved_word(text: str) -> Scalar | None:
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _NUMBER.fullmatch(text):
        number = float(text)
        return number if abs(number) < 1e300 else text
    return text
