"""What ids look like, and message ids that sort by the moment they were made."""

import itertools
import os
import re
import time

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
