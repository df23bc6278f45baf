"""Python's collector of cycles, kept away from packs: they are many small values and hold not one cycle.

Looking through them again and again took a quarter of the time that a load takes; and once a thousand tenants' packs
are there, a single look at all of them stops a service for up to half a second.
"""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def gc_paused() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def freeze_existing() -> None:
    """Take what is there now out of the collector's sight. It still goes when nothing refers to it any more.

    What is garbage in a cycle right now stays for good, so the young, where nearly all of it is, are collected first.
    """
    gc.collect(1)
    gc.freeze()
