"""W3C Trace Context, carried on and nothing more: an event names the trace of the message that caused it.

The header's form: https://www.w3.org/TR/trace-context/#traceparent-header
"""

import re
from typing import Final

HEADER: Final = "traceparent"
_FORM: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def valid_traceparent(header: object) -> str | None:
    """``header`` when it is a whole ``traceparent`` value, else None: what a sender made up is not passed on."""
    if isinstance(header, str) and _FORM.fullmatch(header):
        return header
    return None
