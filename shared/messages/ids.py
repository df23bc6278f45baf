"""Ids of messages, athletes and traces."""

import itertools
import os
import re
import time
from typing import Final

_PROCESS = os.urandom(5).hex()
_sequence = itertools.count()

ID_PATTERN = "[A-Za-z0-9_.:-]{1,128}"
"""Of messages, athletes, sessions and whatever else a tenant names."""
TENANT_PATTERN = "[a-z0-9-]{2,40}"
_ID, _TENANT = re.compile(ID_PATTERN), re.compile(TENANT_PATTERN)


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def is_tenant(text: str) -> bool:
    return _TENANT.fullmatch(text) is not None


def new_id() -> str:
    """32 hexadecimal characters: milliseconds since 1970, a counter within the process, the process's random part.

    Ids of one process sort in the order in which they were made; ids of several processes do not collide.
    """
    return f"{time.time_ns() // 1_000_000:012x}{next(_sequence) & 0xFFFFFFFFFF:010x}{_PROCESS}"


_FORM: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def valid_traceparent(header: object) -> str | None:
    """W3C Trace Context, carried on and nothing more (https://www.w3.org/TR/trace-context/#traceparent-header):
    ``header`` when it is a whole ``traceparent`` value, else None: what a sender made up is not passed on."""
    if isinstance(header, str) and _FORM.fullmatch(header):
        return header
    return None
