"""What an unquoted scalar is: by YAML 1.2 only true, false, null and numbers are more than text."""

import re
from functools import lru_cache

from shared.rules.model import Scalar

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")


@lru_cache(maxsize=4096)  # a pack of forty rules has 3,700 words, 280 of them different
def resolved(text: str) -> Scalar | None:
    """So ``off``, ``no``, dates and clock times stay as written."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _NUMBER.fullmatch(text) and len(text) <= 40:
        number = float(text)
        return number if abs(number) < 1e300 else text
    return text
