"""Python's collector of cycles, paused while a load makes many small values at once and not one cycle.

Looking through all of them again and again took a quarter of the time that a load takes.
"""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
