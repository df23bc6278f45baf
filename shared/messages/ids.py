"""Message ids that sort by the moment they were made."""

import itertools
import os
import time

_PROCESS = os.urandom(5).hex()
_sequence = itertools.count()


def new_id() -> str:
    """32 hexadecimal characters: milliseconds since 1970, a counter within the process, the process's random part.

    Ids of one process sort in the order in which they were made; ids of several processes do not collide.
    """
    return f"{time.time_ns() // 1_000_000:012x}{next(_sequence) & 0xFFFFFFFFFF:010x}{_PROCESS}"
